//! The messages of every flash, [`Flash`], its [`Answer`] and later its [`Delay`], written and read
//! without `serde`, which needs many times as many instructions for them: two fifths of all that a
//! relay did for a flash. The bytes are those that `serde` would write. Only the usual is done here:
//! what has another form, or is wrong in any way, is left to `serde`, which knows them all.

use bytes::{BufMut, BytesMut};

use crate::domain::access::Verdict;
use crate::domain::ids::{DeviceName, EventId, TwinkletId};
use crate::msgpack::{Rest, put_count, put_number, put_text};
use crate::wire::delays::{Delay, Delays};
use crate::wire::{Answer, Flash, Message};

/// A flash up to its first value: a map of one, in it a map of six, which lacks a `code`.
const FLASH: &[u8] = b"\x81\xa5flash\x86\xa3seq";
/// A verdict up to its first value: a map of one, in it a map of three, or of two without a name.
const NAMED: &[u8] = b"\x81\xa7verdict\x83\xa3seq";
const NAMELESS: &[u8] = b"\x81\xa7verdict\x82\xa3seq";
/// Delays up to how many there are: a map of one, in it a map of one. And how each begins.
const DELAYS: &[u8] = b"\x81\xa6delays\x81\xa1d";
const DELAY: &[u8] = b"\x83\xa4door";
/// The keys of the other values; that of an event with how its 16 bytes begin.
const EVENT: &[u8] = b"\xa2ev\xc4\x10";
const DOOR: &[u8] = b"\xa4door";
const TWINKLET: &[u8] = b"\xa2id";
const AT: &[u8] = b"\xa2at";
const BUDGET: &[u8] = b"\xa2ms";
const VERDICT: &[u8] = b"\xa1v";
const NAME: &[u8] = b"\xa4name";
const AGE: &[u8] = b"\xa3age";
const MICROSECONDS: &[u8] = b"\xa2us";

/// Appends a message's content; `None` for all but the usual, of which a part may be appended then.
pub(super) fn encode(message: &Message, out: &mut BytesMut) -> Option<()> {
    match message {
        Message::Flash(flash) if flash.code.is_none() => {
            out.put_slice(FLASH);
            put_number(flash.seq, out);
            out.put_slice(EVENT);
            out.put_slice(flash.event.as_bytes());
            out.put_slice(DOOR);
            put_text(flash.door.as_str(), out)?;
            out.put_slice(TWINKLET);
            put_number(flash.twinklet.get(), out);
            out.put_slice(AT);
            put_number(flash.at.try_into().ok()?, out);
            out.put_slice(BUDGET);
            put_number(flash.budget_ms.into(), out);
            Some(())
        }
        Message::Verdict(Answer { seq, verdict, name }) => {
            out.put_slice(if name.is_some() { NAMED } else { NAMELESS });
            put_number(*seq, out);
            out.put_slice(VERDICT);
            put_text(verdict.code(), out)?;
            let Some(name) = name else { return Some(()) };
            out.put_slice(NAME);
            put_text(name, out)
        }
        Message::Delays(Delays { delays }) => {
            out.put_slice(DELAYS);
            put_count(delays.len(), out)?;
            for Delay { door, age, us } in delays {
                out.put_slice(DELAY);
                put_text(door.as_str(), out)?;
                out.put_slice(AGE);
                put_number(*age, out);
                out.put_slice(MICROSECONDS);
                put_number((*us).into(), out);
            }
            Some(())
        }
        _ => None,
    }
}

/// The message that a frame's content is, if it is one of the usual. A flash that is of the known
/// door shares its name.
pub(super) fn decode(content: &[u8], known: Option<&DeviceName>) -> Option<Message> {
    let rest = &mut Rest::of(content);
    let message = if rest.pass(FLASH).is_some() {
        flash(rest, known).map(Message::Flash)
    } else if rest.pass(NAMELESS).is_some() {
        verdict(rest, false).map(Message::Verdict)
    } else if rest.pass(DELAYS).is_some() {
        delays(rest).map(Message::Delays)
    } else {
        rest.pass(NAMED)?;
        verdict(rest, true).map(Message::Verdict)
    };
    message.filter(|_| rest.is_over())
}

/// A flash from its first value on.
fn flash(rest: &mut Rest<'_>, known: Option<&DeviceName>) -> Option<Flash> {
    let seq = rest.number()?;
    rest.pass(EVENT)?;
    let event = EventId::from_bytes(rest.bytes()?);
    rest.pass(DOOR)?;
    let door = name(rest, known)?;
    rest.pass(TWINKLET)?;
    let twinklet = TwinkletId::new(rest.number()?).ok()?;
    rest.pass(AT)?;
    let at = rest.number()?.try_into().ok()?;
    rest.pass(BUDGET)?;
    let budget_ms = rest.number()?.try_into().ok()?;
    Some(Flash {
        seq,
        event,
        door,
        twinklet,
        code: None,
        at,
        budget_ms,
    })
}

/// A door's name, which need not be checked if it is the known one.
fn name(rest: &mut Rest<'_>, known: Option<&DeviceName>) -> Option<DeviceName> {
    let name = rest.text()?;
    match known {
        Some(known) if known.as_str() == name => Some(known.clone()),
        _ => name.parse().ok(),
    }
}

/// A verdict from its first value on.
fn verdict(rest: &mut Rest<'_>, has_name: bool) -> Option<Answer> {
    let seq = rest.number()?;
    rest.pass(VERDICT)?;
    let verdict = Verdict::from_code(rest.text()?);
    let mut name = None;
    if has_name {
        rest.pass(NAME)?;
        name = Some(rest.text()?.to_owned());
    }
    Some(Answer { seq, verdict, name })
}

/// Delays from their number on.
fn delays(rest: &mut Rest<'_>) -> Option<Delays> {
    let count = rest.count()?;
    let mut delays: Vec<Delay> = Vec::new();
    for _ in 0..count {
        rest.pass(DELAY)?;
        let door = name(rest, delays.last().map(|before| &before.door))?;
        rest.pass(AGE)?;
        let age = rest.number()?;
        rest.pass(MICROSECONDS)?;
        let us = rest.number()?.try_into().ok()?;
        delays.push(Delay { door, age, us });
    }
    Some(Delays { delays })
}
