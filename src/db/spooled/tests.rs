use super::*;
use crate::db::{Author, Entry as Admitted, FlashEntry, NewEmployee, Outcome, Store};
use crate::domain::access::Reason;
use crate::domain::ids::TwinkletId;
use crate::domain::spool::{Happened, Lost};

const ASHA: u64 = 7;
const OPEN: Verdict = Verdict::Open;
const NO: Verdict = Verdict::DontOpen(Reason::NotThisDoor);

/// A database with one employee, one relay and one door, and what the relay tells it.
struct World {
    _folder: tempfile::TempDir,
    store: Store,
    now: DateTime<Utc>,
    spool: SpoolId,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let opened = Store::open_as_central(&path, chrono_tz::UTC).unwrap();
        let now = "2026-02-12T09:00:00Z".parse().unwrap();
        let mut world = Self {
            _folder: folder,
            store: opened.store,
            now,
            spool: SpoolId::generate(),
        };
        let new = NewEmployee {
            name: "Asha".parse().unwrap(),
            twinklet: TwinkletId::new(ASHA).unwrap(),
            joined: "2026-02-01".parse().unwrap(),
            department: None,
            hours: None,
        };
        let who = "test".to_owned();
        world
            .store
            .add_employee(&new, &Author { who, at: now })
            .unwrap();
        world.admit(&Admitted::Door(name("lab")));
        world.admit(&Admitted::Relay(name("site")));
        world
    }

    fn admit(&mut self, entry: &Admitted) -> Outcome {
        let outcomes = self.store.admit([entry].into_iter(), self.now);
        outcomes.unwrap().pop().unwrap()
    }

    fn send(&mut self, entries: Vec<Entry>, to: u64, last: u64) {
        let outcome = self.admit(&Admitted::Spooled(Spooled {
            relay: name("site"),
            spool: self.spool,
            entries,
            to,
            last,
        }));
        assert_eq!(outcome, Outcome::Noted);
    }

    fn found(&mut self, last: u64) -> u64 {
        let found = SpoolFound {
            relay: name("site"),
            spool: self.spool,
            last,
            offline_for: Some(1),
        };
        match self.admit(&Admitted::SpoolFound(found)) {
            Outcome::Found(stored) => stored,
            other => panic!("{other:?}"),
        }
    }

    fn flash_online(&mut self, event: EventId) -> Outcome {
        self.admit(&Admitted::Flash(FlashEntry {
            event,
            door: name("lab"),
            relay: Some(name("site")),
            twinklet: TwinkletId::new(ASHA).unwrap(),
            code: None,
            device_at: 0,
            in_time: true,
        }))
    }

    /// Day and flashes of each attendance.
    fn attendance(&self) -> Vec<(String, i64)> {
        let sql = "SELECT day, flashes FROM attendance ORDER BY day";
        let mut select = self.store.connection.prepare(sql).unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(|row| row.unwrap()).collect()
    }

    fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.store
            .connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }
}

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

fn acted(event: EventId, verdict: Verdict, age: u64) -> Entry {
    Entry {
        at: 1_770_000_000_000,
        age: Some(age),
        what: What::Flash(Acted {
            event,
            door: name("lab"),
            twinklet: TwinkletId::new(ASHA).unwrap(),
            device_at: 0,
            verdict,
            own: false,
        }),
    }
}

/// The same, where its relay had decided by itself.
fn decided(event: EventId, verdict: Verdict, age: u64) -> Entry {
    let mut entry = acted(event, verdict, age);
    if let What::Flash(acted) = &mut entry.what {
        acted.own = true;
    }
    entry
}

const HOUR: u64 = 3_600_000;

#[test]
fn a_relay_that_tells_impossible_numbers_is_in_nobodys_way() {
    let mut world = World::new();
    let found = SpoolFound {
        relay: name("site"),
        spool: world.spool,
        last: u64::MAX,
        offline_for: Some(u64::MAX),
    };
    let outcome = world.admit(&Admitted::SpoolFound(found));
    assert_eq!(outcome, Outcome::Found(0));
    world.send(Vec::new(), u64::MAX, u64::MAX);
    assert_eq!(world.found(u64::MAX), i64::MAX.cast_unsigned());
}

#[test]
fn what_was_decided_offline_counts_for_its_own_day_and_once() {
    let mut world = World::new();
    assert_eq!(world.found(3), 0);
    let [first, second, third] = [(); 3].map(|()| EventId::generate());
    let entries = vec![
        acted(first, OPEN, 20 * HOUR),
        acted(second, OPEN, HOUR),
        acted(third, NO, HOUR),
    ];
    world.send(entries.clone(), 3, 3);
    world.send(entries, 3, 3);
    let expected = [("2026-02-11".to_owned(), 1), ("2026-02-12".to_owned(), 1)];
    assert_eq!(world.attendance(), expected);
    assert_eq!(world.one::<i64>("SELECT count(*) FROM event"), 3);
    assert_eq!(world.one::<i64>("SELECT count(received) FROM event"), 3);
    assert_eq!(world.found(3), 3);
    // Another file's numbers are not this one's.
    world.spool = SpoolId::generate();
    assert_eq!(world.found(3), 0);
}

#[test]
fn the_verdict_that_the_door_acted_on_wins_both_ways() {
    let mut world = World::new();
    world.found(2);
    let (opened, refused) = (EventId::generate(), EventId::generate());
    world.flash_online(opened);
    assert_eq!(world.attendance(), [("2026-02-12".to_owned(), 1)]);
    world.send(vec![acted(opened, NO, HOUR)], 1, 2);
    assert_eq!(world.attendance(), []);
    assert_eq!(world.one::<String>("SELECT verdict FROM overruled"), "open");

    world.send(vec![acted(refused, NO, HOUR)], 2, 2);
    world.send(vec![acted(refused, OPEN, HOUR)], 2, 2);
    assert_eq!(world.attendance(), [("2026-02-12".to_owned(), 1)]);
    // A flash that a hung central reads only now changes nothing any more.
    world.flash_online(refused);
    assert_eq!(world.attendance(), [("2026-02-12".to_owned(), 1)]);
}

#[test]
fn an_open_that_reached_no_door_counts_for_nothing_in_whichever_order_that_is_told() {
    let mut world = World::new();
    world.found(4);
    for told_first in [false, true] {
        let event = EventId::generate();
        let lost = Entry {
            what: What::Undelivered(Lost { event }),
            ..acted(event, OPEN, 0)
        };
        let mut both = vec![acted(event, OPEN, HOUR), lost];
        if told_first {
            both.reverse();
        }
        world.send(both, 4, 4);
        assert_eq!(world.attendance(), []);
    }
}

#[test]
fn a_door_that_came_and_went_while_the_central_was_away_has_its_name() {
    let mut world = World::new();
    world.found(1);
    let event = EventId::generate();
    let happened = What::Happened(Happened {
        event,
        door: name("shed"),
        kind: crate::domain::door_event::Kind::Tamper,
        device_at: 0,
        about: None,
    });
    let entry = Entry {
        what: happened,
        at: 0,
        age: None,
    };
    world.send(vec![entry], 1, 1);
    let door = "SELECT name FROM event JOIN door ON door.id = event.door";
    assert_eq!(world.one::<String>(door), "shed");
    let at = world.one::<i64>("SELECT at FROM event");
    assert_eq!(at, world.now.timestamp_millis());
    assert_eq!(
        world.one::<String>("SELECT clock FROM event"),
        "clock-unset"
    );
}

#[test]
fn a_relay_in_offline_mode_is_complete_until_its_last_word_with_nothing_left() {
    let mut world = World::new();
    let until = "SELECT complete_until FROM relay";
    let began = world.now.timestamp_millis();
    assert_eq!(world.found(2), 0);
    assert_eq!(world.one::<i64>(until), began, "since it is known");
    world.now += chrono::TimeDelta::hours(1);
    world.send(vec![acted(EventId::generate(), OPEN, HOUR)], 1, 2);
    assert_eq!(world.one::<i64>(until), began, "one is left");
    assert_eq!(world.one::<i64>("SELECT waiting FROM relay"), 1);
    world.send(vec![acted(EventId::generate(), OPEN, HOUR)], 2, 2);
    assert_eq!(world.one::<i64>(until), world.now.timestamp_millis());
    world.now += chrono::TimeDelta::hours(1);
    world.found(2);
    assert_eq!(world.one::<i64>(until), world.now.timestamp_millis());
}

#[test]
fn what_a_door_was_let_in_by_counts_though_nobody_heard_the_central() {
    let told = |world: &mut World, event| world.send(vec![acted(event, OPEN, 100)], 1, 1);
    let unheard = |world: &mut World, event| drop(world.admit(&Admitted::Unheard(event)));
    let today = vec![("2026-02-12".to_owned(), 1)];
    for tell_first in [false, true] {
        let (mut world, event) = (World::new(), EventId::generate());
        world.flash_online(event);
        if tell_first {
            told(&mut world, event);
            unheard(&mut world, event);
        } else {
            unheard(&mut world, event);
            assert_eq!(world.attendance(), []);
            told(&mut world, event);
        }
        assert_eq!(world.attendance(), today, "told first: {tell_first}");
        told(&mut world, event);
        assert_eq!(world.attendance(), today, "once");
        // The relay's word that it reached no door after all is another matter.
        let lost = Entry {
            what: What::Undelivered(Lost { event }),
            ..acted(event, OPEN, 100)
        };
        world.send(vec![lost], 2, 2);
        assert_eq!(world.attendance(), []);
    }
    // And once it has said so, what it keeps beside that changes nothing.
    let (mut world, event) = (World::new(), EventId::generate());
    world.flash_online(event);
    unheard(&mut world, event);
    world.admit(&Admitted::Undelivered(event));
    told(&mut world, event);
    assert_eq!(world.attendance(), []);
}

#[test]
fn what_the_central_decided_late_counts_as_of_when_the_relay_had() {
    let yesterday = [("2026-02-11".to_owned(), 1)];
    for unheard in [false, true] {
        let (mut world, event) = (World::new(), EventId::generate());
        world.now = "2026-02-12T00:00:05Z".parse().unwrap();
        world.flash_online(event);
        if unheard {
            world.admit(&Admitted::Unheard(event));
        }
        // What the central decided itself keeps its time.
        world.send(vec![acted(event, OPEN, 9_000)], 1, 2);
        assert_eq!(world.attendance(), [("2026-02-12".to_owned(), 1)]);

        let (mut world, event) = (World::new(), EventId::generate());
        world.now = "2026-02-12T00:00:05Z".parse().unwrap();
        world.flash_online(event);
        if unheard {
            world.admit(&Admitted::Unheard(event));
        }
        let at = world.now.timestamp_millis() - 9_000;
        for later in [0, 3_600] {
            world.now += chrono::TimeDelta::seconds(later);
            world.send(vec![decided(event, OPEN, 9_000)], 1, 2);
            assert_eq!(world.attendance(), yesterday, "unheard: {unheard}");
            assert_eq!(world.one::<i64>("SELECT at FROM event"), at);
            assert_eq!(world.one::<i64>("SELECT first FROM attendance"), at);
        }
        let received = world.one::<i64>("SELECT received FROM event");
        assert_eq!(received, at + 9_000);
    }
}

#[test]
fn a_repetition_counts_for_nobody_who_got_the_badge_since() {
    let mut world = World::new();
    let entry = || {
        let mut entry = decided(EventId::from_bytes([7; 16]), OPEN, HOUR);
        if let What::Flash(acted) = &mut entry.what {
            acted.twinklet = TwinkletId::new(9).unwrap();
        }
        entry
    };
    world.send(vec![entry()], 1, 1);
    let new = NewEmployee {
        name: "Li".parse().unwrap(),
        twinklet: TwinkletId::new(9).unwrap(),
        joined: "2026-02-01".parse().unwrap(),
        department: None,
        hours: None,
    };
    let (who, at) = ("test".to_owned(), world.now);
    world.store.add_employee(&new, &Author { who, at }).unwrap();
    (0..2).for_each(|_| world.send(vec![entry()], 1, 1));
    assert_eq!(world.attendance(), []);
}

#[test]
fn what_was_decided_late_leaves_the_rest_of_its_day_as_it_was() {
    let (mut world, event) = (World::new(), EventId::generate());
    world.now = "2026-02-11T08:00:00Z".parse().unwrap();
    world.flash_online(EventId::generate());
    world.now = "2026-02-12T00:00:05Z".parse().unwrap();
    world.flash_online(event);
    world.now += chrono::TimeDelta::hours(9);
    world.flash_online(EventId::generate());
    let age = 9 * HOUR + 9_000;
    let (late, next) = (
        world.now.timestamp_millis() - i64::try_from(age).unwrap(),
        world.now.timestamp_millis(),
    );
    let seen = |world: &World, which: &str, day: u32| {
        world.one::<i64>(&format!(
            "SELECT {which} FROM attendance WHERE day = '2026-02-{day}'"
        ))
    };
    assert_eq!(seen(&world, "flashes", 12), 2);
    world.send(vec![decided(event, OPEN, age)], 1, 1);
    assert_eq!(seen(&world, "flashes", 11), 2);
    assert_eq!(seen(&world, "last", 11), late);
    assert_eq!(seen(&world, "flashes", 12), 1);
    assert_eq!(seen(&world, "first", 12), next);

    // One that the door refused was nobody's presence, whatever the central made of it.
    let refused = EventId::generate();
    world.flash_online(refused);
    assert_eq!(seen(&world, "flashes", 12), 2);
    world.send(vec![decided(refused, NO, age)], 2, 2);
    assert_eq!(seen(&world, "flashes", 12), 1);
    assert_eq!(seen(&world, "flashes", 11), 2);
    let day = "SELECT day FROM event WHERE verdict <> 'open'";
    assert_eq!(world.one::<String>(day), "2026-02-11");
}
