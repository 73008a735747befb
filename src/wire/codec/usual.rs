//! The two messages of every flash, [`Flash`] and its [`Answer`], written and read without `serde`,
//! which needs many times as many instructions for them: more than a third of all that a relay did
//! for a flash. The bytes are those that `serde` would write. Only the usual is done here: what has
//! another form, or is wrong in any way, is left to `serde`, which knows them all.
//!
//! `MessagePack`'s formats: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use bytes::{BufMut, BytesMut};

use crate::domain::access::Verdict;
use crate::domain::ids::{DeviceName, EventId, TwinkletId};
use crate::wire::{Answer, Flash, Message};

/// A flash up to its first value: a map of one, in it a map of six, which lacks a `code`.
const FLASH: &[u8] = b"\x81\xa5flash\x86\xa3seq";
/// A verdict up to its first value: a map of one, in it a map of three, or of two without a name.
const NAMED: &[u8] = b"\x81\xa7verdict\x83\xa3seq";
const NAMELESS: &[u8] = b"\x81\xa7verdict\x82\xa3seq";
/// The keys of the other values; that of an event with how its 16 bytes begin.
const EVENT: &[u8] = b"\xa2ev\xc4\x10";
const DOOR: &[u8] = b"\xa4door";
const TWINKLET: &[u8] = b"\xa2id";
const AT: &[u8] = b"\xa2at";
const BUDGET: &[u8] = b"\xa2ms";
const VERDICT: &[u8] = b"\xa1v";
const NAME: &[u8] = b"\xa4name";

/// The first byte of a text of up to [`SHORT`] bytes, less their number.
const SHORT_TEXT: u8 = 0xA0;
const SHORT: u8 = 31;
/// The first byte of a longer one, whose length follows in one more.
const TEXT: u8 = 0xD9;
/// The largest number that is its own first byte.
const SMALL: u8 = 0x7F;
/// The first bytes of larger ones, which follow in 1, 2, 4 or 8 more.
const NUMBER_1: u8 = 0xCC;
const NUMBER_2: u8 = 0xCD;
const NUMBER_4: u8 = 0xCE;
const NUMBER_8: u8 = 0xCF;

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
        _ => None,
    }
}

/// In the shortest form.
fn put_number(number: u64, out: &mut BytesMut) {
    let bytes @ [_, _, _, _, c, d, e, f] = number.to_be_bytes();
    match number {
        0..=0x7F => out.put_slice(&[f]),
        0x80..=0xFF => out.put_slice(&[NUMBER_1, f]),
        0x100..=0xFFFF => out.put_slice(&[NUMBER_2, e, f]),
        0x1_0000..=0xFFFF_FFFF => out.put_slice(&[NUMBER_4, c, d, e, f]),
        _ => {
            out.put_u8(NUMBER_8);
            out.put_slice(&bytes);
        }
    }
}

fn put_text(text: &str, out: &mut BytesMut) -> Option<()> {
    match u8::try_from(text.len()).ok()? {
        short @ ..=SHORT => out.put_slice(&[SHORT_TEXT + short]),
        long => out.put_slice(&[TEXT, long]),
    }
    out.put_slice(text.as_bytes());
    Some(())
}

/// The message that a frame's content is, if it is one of the usual. A flash that is of the known
/// door shares its name.
pub(super) fn decode(content: &[u8], known: Option<&DeviceName>) -> Option<Message> {
    let mut rest = Rest(content);
    let message = if rest.pass(FLASH).is_some() {
        rest.flash(known).map(Message::Flash)
    } else if rest.pass(NAMELESS).is_some() {
        rest.verdict(false).map(Message::Verdict)
    } else {
        rest.pass(NAMED)?;
        rest.verdict(true).map(Message::Verdict)
    };
    message.filter(|_| rest.0.is_empty())
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// A flash from its first value on.
    fn flash(&mut self, known: Option<&DeviceName>) -> Option<Flash> {
        let seq = self.number()?;
        self.pass(EVENT)?;
        let event = EventId::from_bytes(self.bytes()?);
        self.pass(DOOR)?;
        let door = self.text()?;
        let door = match known {
            Some(known) if known.as_str() == door => known.clone(),
            _ => door.parse().ok()?,
        };
        self.pass(TWINKLET)?;
        let twinklet = TwinkletId::new(self.number()?).ok()?;
        self.pass(AT)?;
        let at = self.number()?.try_into().ok()?;
        self.pass(BUDGET)?;
        let budget_ms = self.number()?.try_into().ok()?;
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

    /// A verdict from its first value on.
    fn verdict(&mut self, has_name: bool) -> Option<Answer> {
        let seq = self.number()?;
        self.pass(VERDICT)?;
        let verdict = Verdict::from_code(self.text()?);
        let mut name = None;
        if has_name {
            self.pass(NAME)?;
            name = Some(self.text()?.to_owned());
        }
        Some(Answer { seq, verdict, name })
    }

    fn pass(&mut self, these: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(these)?;
        Some(())
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// One that is not negative.
    fn number(&mut self) -> Option<u64> {
        let [first] = self.bytes()?;
        match first {
            ..=SMALL => Some(first.into()),
            NUMBER_1 => self.bytes().map(|[byte]| byte.into()),
            NUMBER_2 => self.bytes().map(|bytes| u16::from_be_bytes(bytes).into()),
            NUMBER_4 => self.bytes().map(|bytes| u32::from_be_bytes(bytes).into()),
            NUMBER_8 => self.bytes().map(u64::from_be_bytes),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        const LONGEST_SHORT: u8 = SHORT_TEXT + SHORT;
        let length = match self.bytes()? {
            [first @ SHORT_TEXT..=LONGEST_SHORT] => first - SHORT_TEXT,
            [TEXT] => {
                let [length] = self.bytes()?;
                length
            }
            _ => return None,
        };
        let (text, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        str::from_utf8(text).ok()
    }
}
