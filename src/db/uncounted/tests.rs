use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::db::{Asked, Author, DeviceKind, Entry, FlashEntry, Store};
use crate::domain::direction::Direction;
use crate::domain::ids::{EventId, TwinkletId};

const DOOR: &str = "lab";
/// How many employees there are: more than may wait. Their badges have their numbers.
const PEOPLE: i64 = MOST as i64 + 3;

/// A day's row: the employee, first, last, flashes.
type DayRow = (i64, Option<i64>, i64, i64);

/// A central's database with people and a door, and the time there.
struct World {
    folder: tempfile::TempDir,
    store: Store,
    now: DateTime<Utc>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut store = Store::open_as_central(&path, chrono_tz::UTC).unwrap().store;
        let sql = "INSERT INTO employee (number, name, joined) VALUES (?1, 'Asha', '2024-01-01')";
        let badge = "INSERT INTO assignment (twinklet, employee, from_day)
             VALUES (?1, ?1, '2024-01-01')";
        store
            .write(|transaction| {
                for number in 1..=PEOPLE {
                    transaction.prepare_cached(sql)?.execute([number])?;
                    transaction.prepare_cached(badge)?.execute([number])?;
                }
                Ok(())
            })
            .unwrap();
        let mut world = Self {
            folder,
            store,
            now: "2024-02-12T09:00:00Z".parse().unwrap(),
        };
        world.admit(&[Entry::Door(DOOR.parse().unwrap())]);
        world
    }

    fn admit(&mut self, batch: &[Entry]) {
        self.store.admit(batch.iter(), self.now).unwrap();
    }

    /// One flash of each of these, a second after the last batch.
    fn flash(&mut self, badges: impl IntoIterator<Item = i64>) -> Vec<EventId> {
        self.now += TimeDelta::seconds(1);
        let batch: Vec<_> = badges
            .into_iter()
            .map(|badge| {
                Entry::Flash(FlashEntry {
                    event: EventId::generate(),
                    door: DOOR.parse().unwrap(),
                    relay: None,
                    twinklet: TwinkletId::new(badge.try_into().unwrap()).unwrap(),
                    code: None,
                    device_at: 1,
                    in_time: true,
                })
            })
            .collect();
        self.admit(&batch);
        let id = |entry: &Entry| match entry {
            Entry::Flash(flash) => flash.event,
            other => panic!("{other:?}"),
        };
        batch.iter().map(id).collect()
    }

    /// A batch begins so long after now.
    fn begin_after(&mut self, wait: Duration) {
        let mut statements = Statements::new(&self.store.connection);
        let at_hand = self.store.at_hand.as_mut().unwrap();
        let at = Instant::now() + wait;
        at_hand.uncounted.begin(&mut statements, at).unwrap();
    }

    /// The central has ended, however it did, and begins anew.
    fn begin_anew(&mut self) {
        let path = self.store.path().to_owned();
        self.store.at_hand = None;
        let elsewhere = self.folder.path().join("other.db");
        self.store = Store::open_as_central(&elsewhere, chrono_tz::UTC)
            .unwrap()
            .store;
        self.store = Store::open_as_central(&path, chrono_tz::UTC).unwrap().store;
    }

    fn office(&self) -> Store {
        Store::open(self.store.path()).unwrap()
    }

    fn author(&self) -> Author {
        let who = "test".to_owned();
        Author { who, at: self.now }
    }

    fn rows(&self, table: &str) -> Vec<DayRow> {
        let sql =
            format!("SELECT employee, first, last, flashes FROM {table} ORDER BY day, employee");
        let mut select = self.store.connection.prepare(&sql).unwrap();
        let rows = select.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)));
        rows.unwrap().map(|row| row.unwrap()).collect()
    }

    fn number(&self, sql: &str) -> i64 {
        let connection = &self.store.connection;
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// When the last batch was, UTC milliseconds.
    fn at(&self) -> i64 {
        self.now.timestamp_millis()
    }
}

#[test]
fn what_waits_is_attendance_and_is_counted_with_a_later_batch() {
    let mut world = World::new();
    world.flash([1, 2]);
    let first = world.at();
    world.flash([1]);
    let last = world.at();
    let expected = [(1, Some(first), last, 2), (2, Some(first), first, 1)];
    assert_eq!(world.rows("attendance"), expected);
    assert_eq!(world.rows("counted"), []);
    world.begin_after(Duration::ZERO);
    assert_eq!(world.rows("counted"), [], "not yet");
    world.begin_after(WAITS);
    assert_eq!(world.rows("counted"), expected);
    assert_eq!(world.rows("attendance"), expected, "once");

    // What comes behind a row that is there.
    world.flash([2]);
    let again = [expected[0], (2, Some(first), world.at(), 2)];
    assert_eq!(world.rows("attendance"), again);
    assert_eq!(world.rows("counted"), expected);
}

#[test]
fn a_batch_counts_no_more_than_some_of_those_that_waited() {
    let mut world = World::new();
    let people = 2 * AT_ONCE as i64;
    world.flash(1..=people);
    world.begin_after(WAITS);
    let counted: Vec<_> = world.rows("counted").iter().map(|row| row.0).collect();
    assert_eq!(counted, (1..=people / 2).collect::<Vec<_>>(), "the first");
    assert_eq!(world.rows("attendance").len() as i64, people);
}

#[test]
fn no_more_wait_than_may_and_the_database_hears_up_to_where_all_are_counted() {
    let mut world = World::new();
    world.flash(1..=PEOPLE);
    world.begin_after(Duration::ZERO);
    let counted: Vec<_> = world.rows("counted").iter().map(|row| row.0).collect();
    let together: Vec<_> = (1..=TOGETHER as i64).collect();
    assert_eq!(counted, together, "those that waited longest");
    let told = "SELECT counted_to FROM installation";
    assert_eq!(world.number(told), 0, "hardly worth a page");

    for _ in 0..MOST / AT_ONCE + 1 {
        world.begin_after(WAITS);
    }
    assert_eq!(world.rows("counted").len() as i64, PEOPLE);
    let unsaid = PEOPLE - world.number(told);
    assert!((0..TOLD_EACH).contains(&unsaid), "{unsaid}");
    assert_eq!(world.number("SELECT count(*) FROM uncounted"), 0);
}

#[test]
fn a_central_that_ends_in_between_loses_nothing_and_counts_nothing_twice() {
    let mut world = World::new();
    world.flash([1, 2]);
    let first = world.at();
    world.begin_after(WAITS);
    world.flash([2, 3]);
    let last = world.at();
    let expected = [
        (1, Some(first), first, 1),
        (2, Some(first), last, 2),
        (3, Some(last), last, 1),
    ];
    for _ in 0..2 {
        world.begin_anew();
        assert_eq!(world.rows("attendance"), expected);
        world.admit(&[Entry::Door(DOOR.parse().unwrap())]);
        assert_eq!(world.rows("counted"), expected);
        assert_eq!(world.rows("attendance"), expected);
    }
}

#[test]
fn what_the_office_changes_meanwhile_loses_nothing_and_counts_nothing_twice() {
    let mut world = World::new();
    world.flash([1, 2]);
    let author = world.author();
    let door = DOOR.parse().unwrap();
    for retired in [true, false] {
        let kind = Some(DeviceKind::Door);
        world
            .office()
            .retire(&door, kind, retired, &author)
            .unwrap();
        world.admit(&[]);
    }
    world.flash([2]);
    let flashes = |rows: Vec<DayRow>| rows.iter().map(|row| row.3).collect::<Vec<_>>();
    assert_eq!(flashes(world.rows("attendance")), [1, 2]);

    // Those who were seen only where it is an exit were not present, whether counted or not.
    let day = world.now.date_naive();
    let out = Direction::Out;
    world
        .office()
        .set_direction(DOOR, out, (day, day), &author)
        .unwrap();
    let firsts = |world: &World| {
        let rows = world.rows("attendance");
        rows.iter().map(|row| row.1).collect::<Vec<_>>()
    };
    assert_eq!(firsts(&world), [None, None]);
    world.flash([1, 3]);
    assert_eq!(firsts(&world), [None, None, None]);
    assert_eq!(flashes(world.rows("attendance")), [2, 2, 1]);
    world.begin_anew();
    world.admit(&[]);
    assert_eq!(flashes(world.rows("counted")), [2, 2, 1]);
}

#[test]
fn what_is_taken_back_while_it_waits_counts_for_nothing() {
    let mut world = World::new();
    let first = world.flash([1, 2]);
    let at = world.at();
    let second = world.flash([1]);
    world.admit(&[Entry::Undelivered(second[0])]);
    let expected = [(1, Some(at), at, 1), (2, Some(at), at, 1)];
    assert_eq!(world.rows("attendance"), expected);
    world.admit(&[Entry::Unheard(first[0])]);
    assert_eq!(world.rows("attendance"), expected[1..]);
    world.begin_anew();
    world.admit(&[]);
    assert_eq!(world.rows("counted"), expected[1..]);
}

#[test]
fn the_register_and_the_live_view_see_what_waits() {
    let mut world = World::new();
    world.flash([1]);
    let first = world.now;
    world.begin_after(WAITS);
    world.flash([1, 2]);
    let (last, day) = (world.now, world.now.date_naive());
    assert_eq!(world.number("SELECT count(*) FROM uncounted"), 2);
    let asked = Asked {
        employee: None,
        department: None,
        times: true,
    };
    let mut office = world.office();
    let facts = office.facts(day, day, asked).unwrap();
    let seen = |number: usize| facts.people[number - 1].times.get(&day).copied();
    let both = Seen {
        first: Some(first),
        last,
    };
    assert_eq!(seen(1), Some(both));
    let once = Seen {
        first: Some(last),
        last,
    };
    assert_eq!(seen(2), Some(once));
    assert_eq!(seen(3), None);
    let of_one = Asked {
        employee: Some(EmployeeNumber(2)),
        ..asked
    };
    let facts = office.facts(day, day, of_one).unwrap();
    assert_eq!(facts.people[0].times.get(&day), Some(&once));
    let live: Vec<_> = office.seen_on(day).unwrap();
    let live: Vec<_> = live.iter().map(|(_, first)| *first).collect();
    assert_eq!(live, [first, last]);
}

#[test]
fn a_day_counts_as_one_of_work_while_all_that_was_seen_on_it_waits() {
    let mut world = World::new();
    world.flash([1]);
    let day = world.now.date_naive();
    let asked = Asked {
        employee: Some(EmployeeNumber(2)),
        department: None,
        times: false,
    };
    let facts = world.office().facts(day, day, asked).unwrap();
    assert!(facts.anybody.contains(chrono::Datelike::day(&day)));
}

#[test]
fn the_numbers_of_archived_events_come_again_and_are_counted_again() {
    let mut world = World::new();
    world.flash([1, 2]);
    world.flash([1]);
    let of_then = world.rows("attendance");
    world.now += TimeDelta::days(200);
    let to = world.folder.path().join("archive.db");
    let before = world.now.date_naive() - TimeDelta::days(100);
    let author = world.author();
    world.office().archive(before, &to, &author).unwrap();
    assert_eq!(world.number("SELECT count(*) FROM event"), 0);
    assert_eq!(world.rows("counted"), of_then, "first counted, then moved");

    world.flash([2]);
    assert_eq!(world.number("SELECT max(id) FROM event"), 1);
    let expected = [&of_then[..], &[(2, Some(world.at()), world.at(), 1)]].concat();
    assert_eq!(world.rows("attendance"), expected);
    world.begin_anew();
    world.admit(&[]);
    assert_eq!(world.rows("counted"), expected);
}
