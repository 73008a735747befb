use super::*;
use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{EventId, TwinkletId};
use crate::domain::spool::{Acted, Lost};

fn file() -> (tempfile::TempDir, RelayStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    (folder, store)
}

fn open(folder: &tempfile::TempDir) -> RelayStore {
    RelayStore::open_as_relay(&folder.path().join("relay.db"))
        .unwrap()
        .store
}

fn boot(number: u8) -> BootId {
    BootId::from_bytes([number; 16])
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn flash(number: u64) -> Draft {
    Draft {
        at: time(number.cast_signed()),
        uptime: number * 1000,
        what: What::Flash(Acted {
            event: event(number),
            door: "lab".parse().unwrap(),
            twinklet: TwinkletId::new(number).unwrap(),
            device_at: -1,
            verdict: match number % 2 {
                0 => Verdict::Open,
                _ => Verdict::DontOpen(Reason::Suspended),
            },
            own: false,
        }),
    }
}

fn event(number: u64) -> EventId {
    EventId::from_bytes(u128::from(number).to_be_bytes())
}

fn numbers(entries: &[Entry]) -> Vec<u64> {
    entries
        .iter()
        .map(|entry| match &entry.what {
            What::Flash(acted) => acted.twinklet.get(),
            What::Happened(_) | What::Undelivered(_) => 0,
        })
        .collect()
}

#[test]
fn a_batch_fits_into_its_bytes_however_different_its_entries_are() {
    const BYTES: usize = 16_000;
    let (_folder, mut store) = file();
    let far = |number| {
        let mut draft = flash(number);
        if let What::Flash(acted) = &mut draft.what {
            acted.door = "🚪".repeat(64).parse().unwrap();
        }
        draft
    };
    let lost = |number| Draft {
        what: What::Undelivered(Lost {
            event: event(number),
        }),
        ..flash(number)
    };
    let drafts: Vec<_> = (1..=200).map(far).chain((201..=500).map(lost)).collect();
    store.append(&[], &drafts, boot(1)).unwrap();
    let (mut after, mut found) = (0, 0);
    while found < drafts.len() {
        let batch = store
            .entries_after(after, 0, BYTES, (boot(1), 60_000))
            .unwrap();
        let entries = batch.entries.len();
        assert!(entries > 0);
        let wire = rmp_serde::to_vec_named(&batch.entries).unwrap();
        // But for the length of the list itself.
        assert!(wire.len() <= BYTES + 5, "{} bytes", wire.len());
        (after, found) = (batch.to, found + entries);
    }
    assert_eq!(found, drafts.len());
}

#[test]
fn entries_come_back_in_order_with_their_age_from_any_number_on() {
    let (folder, mut store) = file();
    assert_eq!(
        store.backlog().unwrap(),
        Backlog {
            first: 1,
            ..Backlog::default()
        }
    );
    for drafts in [vec![flash(1)], (2..=4).map(flash).collect(), vec![flash(5)]] {
        store.append(&[], &drafts, boot(1)).unwrap();
    }
    drop(store);
    let store = open(&folder);
    let now = (boot(1), 60_000);
    for after in 0..=5 {
        let entries = store
            .entries_after(after, u64::from(u32::MAX), usize::MAX, now)
            .unwrap()
            .entries;
        assert_eq!(numbers(&entries), (after + 1..=5).collect::<Vec<_>>());
    }
    let entries = store
        .entries_after(3, u64::from(u32::MAX), usize::MAX, now)
        .unwrap()
        .entries;
    assert_eq!(entries[0].age, Some(56_000));
    assert_eq!(entries[0].at, to_millis(time(4)));
    // After a restart of the machine nobody knows how long it was off.
    let entries = store
        .entries_after(3, u64::from(u32::MAX), usize::MAX, (boot(2), 1_000))
        .unwrap()
        .entries;
    assert_eq!(entries[0].age, None);
}

#[test]
fn a_batch_is_as_long_as_fits_and_at_least_one() {
    let (_folder, mut store) = file();
    let drafts: Vec<_> = (1..=100).map(flash).collect();
    store.append(&[], &drafts, boot(1)).unwrap();
    let now = (boot(1), 60_000);
    assert_eq!(
        numbers(
            &store
                .entries_after(7, u64::from(u32::MAX), 1, now)
                .unwrap()
                .entries
        ),
        [8]
    );
    let some = store
        .entries_after(0, u64::from(u32::MAX), 1_000, now)
        .unwrap()
        .entries;
    assert!((5..50).contains(&some.len()), "{}", some.len());
    let longest = rmp_serde::to_vec_named(&some[0]).unwrap().len();
    assert!(longest < crate::domain::spool::MAX_ENTRY, "{longest}");
}

#[test]
fn only_what_the_central_has_is_dropped_and_only_when_it_is_old_or_too_much() {
    let (_folder, mut store) = file();
    for number in 1..=10 {
        store.append(&[], &[flash(number)], boot(1)).unwrap();
    }
    let lost = Draft {
        what: What::Undelivered(Lost { event: event(4) }),
        ..flash(11)
    };
    store.append(&[], &[lost], boot(1)).unwrap();
    let late = time(0) + TimeDelta::days(31);
    assert!(!store.trim(late, 1).unwrap(), "nothing is acknowledged");
    store.acknowledge(6).unwrap();
    assert!(!store.trim(time(60), 100).unwrap(), "neither old nor many");
    assert!(store.trim(time(60), 8).unwrap());
    let first = |store: &RelayStore| store.backlog().unwrap().first;
    assert_eq!(first(&store), 4);
    assert!(store.trim(late, 100).unwrap());
    assert_eq!(first(&store), 7);
    let left = store
        .entries_after(0, u64::from(u32::MAX), usize::MAX, (boot(1), 60_000))
        .unwrap()
        .entries;
    assert_eq!(numbers(&left), [7, 8, 9, 10, 0]);
    // The newest stays, so that its number is not given again.
    store.acknowledge(11).unwrap();
    while store.trim(late, 0).unwrap() {}
    assert_eq!(store.append(&[], &[flash(12)], boot(1)).unwrap().last, 12);
}

#[test]
fn a_restored_central_takes_its_acknowledgement_back() {
    let (_folder, mut store) = file();
    store
        .append(&[], &[flash(1), flash(2), flash(3)], boot(1))
        .unwrap();
    assert_eq!(
        store.acknowledge(9).unwrap().acknowledged,
        3,
        "no more than there is"
    );
    let backlog = store.acknowledge(1).unwrap();
    assert_eq!((backlog.waiting(), backlog.last), (2, 3));
}

#[test]
fn what_the_central_decided_on_this_connection_is_passed_over() {
    let (_folder, mut store) = file();
    store.append(&[flash(1)], &[flash(2)], boot(1)).unwrap();
    store.append(&[flash(3)], &[flash(4)], boot(1)).unwrap();
    store.append(&[flash(5), flash(6)], &[], boot(1)).unwrap();
    let after = |decided_from| {
        let now = (boot(1), 60_000);
        let batch = store.entries_after(0, decided_from, usize::MAX, now);
        let batch = batch.unwrap();
        (numbers(&batch.entries), batch.to)
    };
    assert_eq!(after(6), (vec![1, 2, 3, 4, 5, 6], 6));
    assert_eq!(after(2), (vec![1, 2, 4], 6));
    assert_eq!(after(0), (vec![2, 4], 6));
}
