use std::time::Duration;

use super::*;
use crate::db::values::to_millis;
use crate::db::{Author, Edit, NewEmployee};
use crate::domain::calendar::Days;
use crate::domain::ids::EmployeeNumber;
use chrono::TimeDelta;
use proptest::prelude::*;

const ASHA: u64 = 7;
const RAVI: u64 = 8;

mod batches;

/// A new database with two employees and the door "lab", at 09:00 of a day.
struct World {
    _folder: tempfile::TempDir,
    store: Store,
    now: DateTime<Utc>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open_as_central(&folder.path().join("t.db"), chrono_tz::UTC)
            .unwrap()
            .store;
        let now = "2024-02-12T09:00:00Z".parse().unwrap();
        let author = Author {
            who: "test".to_owned(),
            at: now,
        };
        for (name, id) in [("Asha Rao", ASHA), ("Ravi", RAVI)] {
            let new = NewEmployee {
                name: name.parse().unwrap(),
                twinklet: TwinkletId::new(id).unwrap(),
                joined: "2024-02-01".parse().unwrap(),
                department: None,
                hours: None,
            };
            store.add_employee(&new, &author).unwrap();
        }
        let mut world = Self {
            _folder: folder,
            store,
            now,
        };
        world.admit(&[Entry::Door(door("lab")), Entry::Relay(door("site"))]);
        world
    }

    fn admit(&mut self, batch: &[Entry]) -> Vec<Outcome> {
        self.store.admit(batch.iter(), self.now).unwrap()
    }

    fn flash(&mut self, flash: FlashEntry) -> Outcome {
        self.admit(&[Entry::Flash(flash)]).pop().unwrap()
    }

    fn later(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }

    /// First, last and flashes of each employee and day.
    fn attendance(&self) -> Vec<(i64, String, i64, i64, i64)> {
        self.rows("SELECT employee, day, first, last, flashes FROM attendance ORDER BY 1, 2")
    }

    /// The same, counted anew from the events.
    fn recounted(&self) -> Vec<(i64, String, i64, i64, i64)> {
        self.rows(
            "SELECT employee, day, min(at), max(at), count(*) FROM event
             WHERE verdict = 'open' AND uid NOT IN (SELECT uid FROM undelivered)
             GROUP BY employee, day ORDER BY 1, 2",
        )
    }

    fn rows(&self, sql: &str) -> Vec<(i64, String, i64, i64, i64)> {
        let mut select = self.store.connection.prepare(sql).unwrap();
        let rows = select.query_map([], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
        });
        rows.unwrap().map(|row| row.unwrap()).collect()
    }

    fn number(&self, sql: &str) -> i64 {
        let connection = &self.store.connection;
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Has those counted that wait for it.
    fn count(&mut self) {
        if let Some(at_hand) = &mut self.store.at_hand {
            let mut statements = Statements::new(&self.store.connection);
            let at = Instant::now() + Duration::from_secs(3_600);
            at_hand.uncounted.begin(&mut statements, at).unwrap();
        }
    }

    fn events(&self) -> usize {
        self.store.events_since(0).unwrap().len()
    }
}

fn door(name: &str) -> DeviceName {
    name.parse().unwrap()
}

fn event(number: u8) -> EventId {
    EventId::from_bytes([number; 16])
}

fn flash(number: u8, twinklet: u64) -> FlashEntry {
    FlashEntry {
        event: event(number),
        door: door("lab"),
        relay: None,
        twinklet: TwinkletId::new(twinklet).unwrap(),
        code: None,
        device_at: 1,
        in_time: true,
    }
}

fn open(name: &str) -> Outcome {
    Outcome::Decided(Verdict::Open, Some(name.to_owned()))
}

fn refused(reason: Reason) -> Outcome {
    Outcome::Decided(Verdict::DontOpen(reason), None)
}

#[test]
fn a_valid_badge_opens_and_makes_its_employee_present() {
    let mut world = World::new();
    assert_eq!(world.flash(flash(1, ASHA)), open("Asha Rao"));
    let at = to_millis(world.now);
    assert_eq!(
        world.attendance(),
        [(1, "2024-02-12".to_owned(), at, at, 1)]
    );
}

#[test]
fn refusals_are_stored_and_make_nobody_present() {
    let mut world = World::new();
    assert_eq!(world.flash(flash(1, 99)), refused(Reason::UnknownTwinklet));
    let elsewhere = FlashEntry {
        door: door("attic"),
        ..flash(2, ASHA)
    };
    assert_eq!(world.flash(elsewhere), refused(Reason::UnknownDoor));
    let late = FlashEntry {
        in_time: false,
        ..flash(3, ASHA)
    };
    assert_eq!(world.flash(late), refused(Reason::TooLate));
    assert_eq!(world.events(), 3);
    assert_eq!(world.attendance(), []);
}

/// What Asha's badge gets after the database was changed so.
fn after(change: &str) -> Outcome {
    let mut world = World::new();
    world.store.connection.execute_batch(change).unwrap();
    world.flash(flash(1, ASHA))
}

#[test]
fn each_reason_is_found_in_the_database() {
    for (change, reason) in [
        ("UPDATE door SET retired = 1", Reason::DoorRetired),
        ("UPDATE assignment SET revoked = 1", Reason::TwinkletRevoked),
        ("UPDATE employee SET left_on = '2024-02-11'", Reason::Left),
        (
            "UPDATE assignment SET from_day = '2024-02-13'",
            Reason::NotYetValid,
        ),
        (
            "UPDATE assignment SET until_day = '2024-02-11'",
            Reason::Expired,
        ),
        ("UPDATE employee SET doors_listed = 1", Reason::NotThisDoor),
        (
            "UPDATE employee SET hours = 'tue 08:00-20:00'",
            Reason::OutsideHours,
        ),
        (
            "UPDATE employee SET hours = 'nonsense'",
            Reason::OutsideHours,
        ),
    ] {
        assert_eq!(after(change), refused(reason), "{change}");
    }
    for change in [
        "UPDATE employee SET left_on = '2024-02-12'",
        "UPDATE employee SET hours = 'mon 09:00-09:01'",
        "UPDATE employee SET doors_listed = 1; INSERT INTO door_grant VALUES (1, 1)",
    ] {
        assert_eq!(after(change), open("Asha Rao"), "{change}");
    }
}

#[test]
fn a_badge_opens_for_whoever_has_it_now() {
    let to_ravi = "INSERT INTO assignment (twinklet, employee, from_day) VALUES (7, 2, ";
    for change in [
        format!("UPDATE assignment SET revoked = 1 WHERE id = 1; {to_ravi} '2024-02-01')"),
        format!(
            "UPDATE employee SET left_on = '2024-02-11' WHERE number = 1; {to_ravi} '2024-02-12')"
        ),
        // Who left may have been meant to get it later.
        format!(
            "UPDATE employee SET left_on = '2024-02-09' WHERE number = 1;
             UPDATE assignment SET from_day = '2024-02-11' WHERE id = 1; {to_ravi} '2024-02-10')"
        ),
    ] {
        assert_eq!(after(&change), open("Ravi"), "{change}");
    }
}

#[test]
fn a_resend_gets_the_stored_verdict_and_stores_nothing() {
    let mut world = World::new();
    assert_eq!(world.flash(flash(1, ASHA)), open("Asha Rao"));
    let author = Author {
        who: "test".to_owned(),
        at: world.now,
    };
    let asha = crate::domain::ids::EmployeeRef::Number(EmployeeNumber(1));
    let suspended = Edit {
        suspended: Some(true),
        ..Edit::default()
    };
    world
        .store
        .edit_employee(
            &asha,
            &suspended,
            "suspend",
            Days::midnight(chrono_tz::UTC).day_of(world.now),
            &author,
        )
        .unwrap();
    world.later(10);
    let before = world.attendance();
    assert_eq!(
        world.flash(flash(1, ASHA)),
        open("Asha Rao"),
        "even if decided otherwise now"
    );
    assert_eq!((world.events(), world.attendance()), (1, before));
    assert_eq!(world.flash(flash(2, ASHA)), refused(Reason::Suspended));
    assert_eq!(world.flash(flash(2, ASHA)), refused(Reason::Suspended));
}

#[test]
fn any_other_use_of_an_events_id_is_refused() {
    let mut world = World::new();
    assert_eq!(world.flash(flash(1, ASHA)), open("Asha Rao"));
    let others = [
        flash(1, RAVI),
        FlashEntry {
            relay: Some(door("site")),
            ..flash(1, ASHA)
        },
        FlashEntry {
            door: door("attic"),
            ..flash(1, ASHA)
        },
        FlashEntry {
            code: None,
            device_at: 2,
            ..flash(1, ASHA)
        },
    ];
    for other in others {
        assert_eq!(world.flash(other), refused(Reason::EventReused));
    }
    world.later(11);
    assert_eq!(
        world.flash(flash(1, ASHA)),
        refused(Reason::EventReused),
        "too long ago"
    );
    assert_eq!(world.events(), 1);
    assert_eq!(world.attendance(), world.recounted());
}

#[test]
fn what_was_undelivered_counts_for_nothing_and_opens_nothing() {
    let mut world = World::new();
    assert_eq!(world.flash(flash(1, ASHA)), open("Asha Rao"));
    assert_eq!(
        world.admit(&[Entry::Undelivered(event(1))]),
        [Outcome::Noted]
    );
    assert_eq!(world.attendance(), []);
    assert_eq!(world.flash(flash(1, ASHA)), refused(Reason::TooLate));
    // The word may come before the flash: from the relay's new connection, while the flash still
    // sits in the old one's buffer.
    world.admit(&[Entry::Undelivered(event(2))]);
    assert_eq!(world.flash(flash(2, ASHA)), refused(Reason::TooLate));
    assert_eq!(world.attendance(), []);
    let listed = world.store.events_since(0).unwrap();
    assert_eq!(
        listed.iter().map(|e| e.delivered).collect::<Vec<_>>(),
        [false, false]
    );
}

#[derive(Debug, Clone)]
enum Step {
    Flash(u8, u64),
    Undelivered(u8),
    Later(i64),
    /// Those who wait to be counted have waited long.
    Counted,
    /// The central has ended, and begins anew.
    Anew,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..12, ASHA..=RAVI + 1).prop_map(|(event, id)| Step::Flash(event, id)),
        2 => (0u8..12).prop_map(Step::Undelivered),
        2 => prop_oneof![Just(0), Just(1), Just(11), Just(20_000)].prop_map(Step::Later),
        1 => Just(Step::Counted),
        1 => Just(Step::Anew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn attendance_is_what_the_delivered_opens_say_in_any_order(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Flash(event, twinklet) => drop(world.flash(flash(event, twinklet))),
                Step::Undelivered(number) => drop(world.admit(&[Entry::Undelivered(event(number))])),
                Step::Later(seconds) => world.later(seconds),
                Step::Counted => world.count(),
                Step::Anew => world.store.at_hand = None,
            }
            prop_assert_eq!(world.attendance(), world.recounted());
        }
    }
}

#[test]
fn what_a_relay_tells_at_once_counts_for_each_thing_that_happened() {
    let delay = |us| crate::db::ToldDelay {
        door: door("lab"),
        at: DateTime::UNIX_EPOCH,
        us,
    };
    let told = ToldDelays {
        relay: door("site"),
        delays: vec![delay(1), delay(2)],
    };
    assert_eq!(Entry::Delays(told).count(), 2);
    assert_eq!(Entry::Door(door("lab")).count(), 1);
}
