//! Entries as a row of a relay's file has them: as lists of values, in the order of their fields. On the
//! wire each value has its field's name beside it; here that would be a third of what is written with
//! each flash. Each flash becomes one, so the usual is packed by hand, to the bytes that `serde` would
//! make of it, and the rest is left to `serde`. It also reads all of them, as that is seldom done, and
//! those with names, as older versions wrote them, as well.

use rmp_serde::encode::Error;

use crate::db::spool::Draft;
use crate::db::values::to_millis;
use crate::domain::spool::{Acted, Entry, What};
use crate::msgpack::{put_count, put_number, put_text};

/// How an entry begins: a list of three.
const ENTRY: u8 = 0x93;
/// What a flash is: a map of one, in that a list of five, or of six if the relay decided; with how an
/// event's 16 bytes begin.
const FLASH: &[u8] = b"\x81\xa5flash\x95\xc4\x10";
const OWN_FLASH: &[u8] = b"\x81\xa5flash\x96\xc4\x10";
/// The last of six: `true`.
const OWN: u8 = 0xC3;

/// About how many bytes an entry of a flash takes.
const USUAL: usize = 72;

/// The drafts as one row keeps them: with the time that the machine had been up in the place of the
/// age.
///
/// # Errors
/// Those of `serde`.
pub(super) fn entries(drafts: &[Draft]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(drafts.len() * USUAL);
    if put_count(drafts.len(), &mut out).is_none() {
        return rmp_serde::to_vec(&drafts.iter().map(entry).collect::<Vec<_>>());
    }
    for draft in drafts {
        let start = out.len();
        if usual(draft, &mut out).is_none() {
            out.truncate(start);
            rmp_serde::encode::write(&mut out, &entry(draft))?;
        }
    }
    Ok(out)
}

/// Appends the entry of a flash; `None` for any other, of which a part may be appended then.
fn usual(draft: &Draft, out: &mut Vec<u8>) -> Option<()> {
    let What::Flash(acted) = &draft.what else {
        return None;
    };
    let Acted {
        event,
        door,
        twinklet,
        device_at,
        verdict,
        own,
    } = acted;
    out.push(ENTRY);
    put_number(to_millis(draft.at).try_into().ok()?, out);
    put_number(draft.uptime, out);
    out.extend_from_slice(if *own { OWN_FLASH } else { FLASH });
    out.extend_from_slice(event.as_bytes());
    put_text(door.as_str(), out)?;
    put_number(twinklet.get(), out);
    put_number((*device_at).try_into().ok()?, out);
    put_text(verdict.code(), out)?;
    if *own {
        out.push(OWN);
    }
    Some(())
}

fn entry(draft: &Draft) -> Entry {
    Entry {
        at: to_millis(draft.at),
        age: Some(draft.uptime),
        what: draft.what.clone(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::access::{Reason, Verdict};
    use crate::domain::door_event::Kind;
    use crate::domain::ids::{EventId, TwinkletId};
    use crate::domain::spool::{Happened, Lost};

    /// How many bytes more an entry takes on the wire, at the most.
    const NAMES: usize = 40;

    fn any_draft() -> impl Strategy<Value = Draft> {
        let verdict = prop_oneof![
            Just(Verdict::Open),
            prop::sample::select(Reason::ALL).prop_map(Verdict::DontOpen),
        ];
        let event = any::<[u8; 16]>().prop_map(EventId::from_bytes);
        let door =
            "[a-zA-Z0-9 ü李]{1,70}".prop_filter_map("a name", |name| name.trim().parse().ok());
        let numbers = (1..=TwinkletId::MAX, any::<i64>(), any::<bool>());
        let acted = (event.clone(), door.clone(), verdict, numbers).prop_map(
            |(event, door, verdict, (twinklet, device_at, own))| {
                What::Flash(Acted {
                    event,
                    door,
                    twinklet: TwinkletId::new(twinklet).unwrap(),
                    device_at,
                    verdict,
                    own,
                })
            },
        );
        let about = prop::option::of(event.clone());
        let kind = prop::sample::select(Kind::ALL);
        let happened = (event.clone(), door, kind, any::<i64>(), about).prop_map(
            |(event, door, kind, device_at, about)| {
                What::Happened(Happened {
                    event,
                    door,
                    kind,
                    device_at,
                    about,
                })
            },
        );
        let lost = event.prop_map(|event| What::Undelivered(Lost { event }));
        let at = any::<i32>().prop_map(|at| DateTime::from_timestamp(at.into(), 0).unwrap());
        let what = prop_oneof![3 => acted, 1 => happened, 1 => lost];
        (at, any::<u64>(), what).prop_map(|(at, uptime, what)| Draft { at, uptime, what })
    }

    proptest! {
        #[test]
        fn entries_are_packed_as_by_serde(drafts in prop::collection::vec(any_draft(), 0..20)) {
            let packed = entries(&drafts).unwrap();
            let unpacked: Vec<_> = drafts.iter().map(entry).collect();
            prop_assert_eq!(&packed, &rmp_serde::to_vec(&unpacked).unwrap());
            let read: Vec<Entry> = rmp_serde::from_slice(&packed).unwrap();
            prop_assert_eq!(&read, &unpacked);
            // As older versions packed them.
            let named = rmp_serde::to_vec_named(&unpacked).unwrap();
            let read: Vec<Entry> = rmp_serde::from_slice(&named).unwrap();
            prop_assert_eq!(&read, &unpacked);
            // On the wire they have names.
            prop_assert!(named.len() <= packed.len() + NAMES * unpacked.len());
        }

        #[test]
        fn a_flash_is_packed_by_hand_unless_a_number_is_negative_or_its_door_long(
            draft in any_draft(),
        ) {
            let What::Flash(acted) = &draft.what else {
                return Ok(());
            };
            let fits = acted.device_at >= 0
                && draft.at.timestamp() >= 0
                && acted.door.as_str().len() < 256;
            prop_assert_eq!(usual(&draft, &mut Vec::new()).is_some(), fits);
        }
    }
}
