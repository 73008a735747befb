//! Entries as a row of a relay's file has them. Each flash becomes one, so the usual is packed by hand,
//! to the bytes that `serde` would make of it, and the rest is left to `serde`; which also reads all of
//! them, as that is seldom done.

use rmp_serde::encode::Error;

use crate::db::spool::Draft;
use crate::db::values::to_millis;
use crate::domain::spool::{Acted, Entry, What};
use crate::msgpack::{put_count, put_number, put_text};

/// An entry of a flash, up to the event: a map of three, in its last value a map of one, in that a map
/// of five, or of six if the relay decided; with how an event's 16 bytes begin.
const AT: &[u8] = b"\x83\xa2at";
const AGE: &[u8] = b"\xa3age";
const FLASH: &[u8] = b"\xa1w\x81\xa5flash\x85\xa2ev\xc4\x10";
const OWN_FLASH: &[u8] = b"\xa1w\x81\xa5flash\x86\xa2ev\xc4\x10";
/// The keys of its other values; the last with its value.
const DOOR: &[u8] = b"\xa4door";
const TWINKLET: &[u8] = b"\xa2id";
const DEVICE_AT: &[u8] = b"\xa3dat";
const VERDICT: &[u8] = b"\xa1v";
const OWN: &[u8] = b"\xa3own\xc3";

/// About how many bytes an entry of a flash takes.
const USUAL: usize = 100;

/// The drafts as one row keeps them: with the time that the machine had been up in the place of the
/// age.
///
/// # Errors
/// Those of `serde`.
pub(super) fn entries(drafts: &[Draft]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(drafts.len() * USUAL);
    if put_count(drafts.len(), &mut out).is_none() {
        return rmp_serde::to_vec_named(&drafts.iter().map(entry).collect::<Vec<_>>());
    }
    for draft in drafts {
        let start = out.len();
        if usual(draft, &mut out).is_none() {
            out.truncate(start);
            rmp_serde::encode::write_named(&mut out, &entry(draft))?;
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
    out.extend_from_slice(AT);
    put_number(to_millis(draft.at).try_into().ok()?, out);
    out.extend_from_slice(AGE);
    put_number(draft.uptime, out);
    out.extend_from_slice(if *own { OWN_FLASH } else { FLASH });
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(DOOR);
    put_text(door.as_str(), out)?;
    out.extend_from_slice(TWINKLET);
    put_number(twinklet.get(), out);
    out.extend_from_slice(DEVICE_AT);
    put_number((*device_at).try_into().ok()?, out);
    out.extend_from_slice(VERDICT);
    put_text(verdict.code(), out)?;
    if *own {
        out.extend_from_slice(OWN);
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
    use crate::domain::ids::{EventId, TwinkletId};
    use crate::domain::spool::Lost;

    fn any_draft() -> impl Strategy<Value = Draft> {
        let verdict = prop_oneof![
            Just(Verdict::Open),
            prop::sample::select(Reason::ALL).prop_map(Verdict::DontOpen),
        ];
        let event = any::<[u8; 16]>().prop_map(EventId::from_bytes);
        let door =
            "[a-zA-Z0-9 ü李]{1,70}".prop_filter_map("a name", |name| name.trim().parse().ok());
        let numbers = (1..=TwinkletId::MAX, any::<i64>(), any::<bool>());
        let acted = (event.clone(), door, verdict, numbers).prop_map(
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
        let lost = event.prop_map(|event| What::Undelivered(Lost { event }));
        let at = any::<i32>().prop_map(|at| DateTime::from_timestamp(at.into(), 0).unwrap());
        let what = prop_oneof![3 => acted, 1 => lost];
        (at, any::<u64>(), what).prop_map(|(at, uptime, what)| Draft { at, uptime, what })
    }

    proptest! {
        #[test]
        fn entries_are_packed_as_by_serde(drafts in prop::collection::vec(any_draft(), 0..20)) {
            let packed = entries(&drafts).unwrap();
            let unpacked: Vec<_> = drafts.iter().map(entry).collect();
            prop_assert_eq!(&packed, &rmp_serde::to_vec_named(&unpacked).unwrap());
            let read: Vec<Entry> = rmp_serde::from_slice(&packed).unwrap();
            prop_assert_eq!(read, unpacked);
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
