//! How long flashes took through relays: figures for whoever looks after the network, in a table of
//! their own, and kept for as long as that is of use.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Row;

use crate::db::at_hand::Devices;
use crate::db::statements::Statements;
use crate::db::values::{from_millis, json, parsed, to_millis};
use crate::db::{Result, Store};
use crate::domain::ids::DeviceName;

/// How long they are kept.
const KEPT: TimeDelta = TimeDelta::days(90);
/// So many old rows go at the most for each that comes: a long outage must not make the next flash
/// wait until all of them are gone.
const GO_FOR_EACH: i64 = 2;

/// What a relay told.
#[derive(Debug)]
pub struct ToldDelays {
    /// The relay.
    pub relay: DeviceName,
    /// One for each flash.
    pub delays: Vec<ToldDelay>,
}

/// How long one flash took.
#[derive(Debug)]
pub struct ToldDelay {
    /// The door it came from.
    pub door: DeviceName,
    /// When it was answered.
    pub at: DateTime<Utc>,
    /// In microseconds.
    pub us: u32,
}

/// How long one flash took, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayRow {
    /// When it was answered.
    pub at: DateTime<Utc>,
    /// The door it came from.
    pub door: String,
    /// The relay it came through.
    pub relay: String,
    /// From its arrival at the relay to its answer, in microseconds.
    pub us: u32,
}

/// Which delays somebody asks for.
#[derive(Debug, Clone)]
pub struct DelayFilter {
    /// From then on.
    pub from: DateTime<Utc>,
    /// Until before then.
    pub until: DateTime<Utc>,
    /// Of this door's flashes.
    pub door: Option<DeviceName>,
    /// Of those through this relay.
    pub relay: Option<DeviceName>,
}

/// Stores what a relay told. What it says of doors that nobody knows is dropped.
pub(super) fn store(
    statements: &mut Statements<'_>,
    told: &ToldDelays,
    devices: &mut Devices,
    now: DateTime<Utc>,
) -> Result<()> {
    let connection = statements.connection();
    let Some(relay) = devices.relay(connection, &told.relay)? else {
        return Ok(());
    };
    let mut known = Vec::new();
    for ToldDelay { door, at, us } in &told.delays {
        if let Some(door) = devices.door(statements, door)? {
            known.push((door.id, to_millis(*at), us));
        }
    }
    let times = || known.iter().map(|&(_, at, _)| at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Ok(());
    };
    let delays = known.iter().map(|(door, at, us)| (door, at - first, us));
    let delays = json(&delays.collect::<Vec<_>>())?;
    connection
        .prepare_cached("INSERT INTO told (relay, first, last, delays) VALUES (?1, ?2, ?3, ?4)")?
        .execute((relay, first, last, delays))?;
    connection
        .prepare_cached(
            "DELETE FROM told WHERE id IN
                 (SELECT id FROM told WHERE last < ?1 ORDER BY last LIMIT ?2)",
        )?
        .execute((to_millis(now - KEPT), GO_FOR_EACH))?;
    Ok(())
}

impl Store {
    /// Calls `each` with the delays that are asked for, oldest first.
    ///
    /// # Errors
    /// Those of reading, and those of `each`.
    pub fn delays<E: From<crate::db::Error>>(
        &self,
        filter: &DelayFilter,
        mut each: impl FnMut(DelayRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let wrong = |cause: rusqlite::Error| E::from(cause.into());
        let doors = self.doors_asked_for(filter).map_err(wrong)?;
        let mut select = self
            .connection
            .prepare_cached(
                "SELECT first, relay.name, delays FROM told JOIN relay ON relay.id = told.relay
                 WHERE last >= ?1 AND first < ?2 AND (?3 IS NULL OR relay.name = ?3)
                 ORDER BY first",
            )
            .map_err(wrong)?;
        let (from, until) = (to_millis(filter.from), to_millis(filter.until));
        let relay = filter.relay.as_ref().map(DeviceName::as_str);
        let mut rows = select.query((from, until, relay)).map_err(wrong)?;
        let mut waiting = BinaryHeap::new();
        loop {
            let row = rows.next().map_err(wrong)?;
            let told = row.map(Told::read).transpose().map_err(wrong)?;
            // Neither this row nor one that follows has any from before its first.
            let before = told.as_ref().map_or(until, |told| told.first);
            while let Some(next) = pop_before(&mut waiting, before) {
                if let Some(door) = doors.get(&next.door) {
                    each(next.named(door))?;
                }
            }
            let Some(told) = told else {
                return Ok(());
            };
            let asked_for = told
                .each()
                .filter(|delay| (from..until).contains(&delay.at));
            waiting.extend(asked_for.map(Reverse));
        }
    }

    /// The names of the doors that are asked for.
    fn doors_asked_for(&self, filter: &DelayFilter) -> rusqlite::Result<HashMap<i64, String>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT id, name FROM door WHERE ?1 IS NULL OR name = ?1")?;
        let door = filter.door.as_ref().map(DeviceName::as_str);
        select.query_map([door], |row| row.try_into())?.collect()
    }
}

/// A row as it is stored.
struct Told {
    /// None of its delays is from before then.
    first: i64,
    relay: Rc<str>,
    /// The door of each, how many milliseconds after `first` it was, and its microseconds.
    delays: Vec<(i64, i64, u32)>,
}

impl Told {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first: row.get(0)?,
            relay: row.get(1)?,
            delays: parsed(row, 2)?,
        })
    }

    fn each(self) -> impl Iterator<Item = Waiting> {
        let Self { first, relay, .. } = self;
        self.delays
            .into_iter()
            .map(move |(door, after, us)| Waiting {
                at: first.saturating_add(after),
                door,
                us,
                relay: Rc::clone(&relay),
            })
    }
}

/// A delay that is not given away yet, as a row to come may have an older one. Ordered by time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    at: i64,
    door: i64,
    us: u32,
    relay: Rc<str>,
}

impl Waiting {
    fn named(self, door: &str) -> DelayRow {
        DelayRow {
            at: from_millis(self.at),
            door: door.to_owned(),
            relay: self.relay.to_string(),
            us: self.us,
        }
    }
}

/// The oldest one, if it is from before that time.
fn pop_before(waiting: &mut BinaryHeap<Reverse<Waiting>>, before: i64) -> Option<Waiting> {
    let oldest = waiting.peek_mut().filter(|oldest| oldest.0.at < before)?;
    Some(PeekMut::pop(oldest).0)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::db::Entry;
    use crate::db::schema::{Central, Kind};

    fn name(name: &str) -> DeviceName {
        name.parse().unwrap()
    }

    fn at(millis: i64) -> DateTime<Utc> {
        from_millis(1_800_000_000_000 + millis)
    }

    /// A database that knows two doors and a relay.
    fn store(folder: &tempfile::TempDir) -> Store {
        let path = folder.path().join("t.db");
        let mut store = Store::open_as_central(&path, chrono_tz::UTC).unwrap().store;
        let devices = [
            Entry::Door(name("lab")),
            Entry::Door(name("gate")),
            Entry::Relay(name("site")),
        ];
        store.admit(devices.iter(), at(0)).unwrap();
        store
    }

    /// Has the relay tell of doors, milliseconds and microseconds, at that time.
    fn tell(store: &mut Store, told: &[(&str, i64, u32)], now: DateTime<Utc>) {
        let delays = told.iter().map(|&(door, millis, us)| ToldDelay {
            door: name(door),
            at: at(millis),
            us,
        });
        let told = Entry::Delays(ToldDelays {
            relay: name("site"),
            delays: delays.collect(),
        });
        store.admit([&told].into_iter(), now).unwrap();
    }

    /// The delays from that millisecond until before the other.
    fn between(store: &Store, from: i64, until: i64, door: Option<&str>) -> Vec<u32> {
        let filter = DelayFilter {
            from: at(from),
            until: at(until),
            door: door.map(name),
            relay: Some(name("site")),
        };
        let mut found = Vec::new();
        let each = |row: DelayRow| -> Result<()> {
            found.push(row.us);
            Ok(())
        };
        store.delays(&filter, each).unwrap();
        found
    }

    #[test]
    fn what_relays_tell_is_found_by_time_and_door_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        tell(&mut store, &[("lab", 30, 3), ("gate", 10, 1)], at(40));
        tell(&mut store, &[("lab", 20, 2), ("lab", 50, 5)], at(60));
        tell(&mut store, &[("nowhere", 25, 9)], at(60));
        tell(&mut store, &[], at(60));
        assert_eq!(between(&store, 0, 100, None), [1, 2, 3, 5]);
        assert_eq!(between(&store, 20, 50, None), [2, 3]);
        assert_eq!(between(&store, 0, 100, Some("gate")), [1]);
        assert_eq!(between(&store, 51, 100, None), [0; 0]);
    }

    #[test]
    fn delays_go_when_their_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        let day = 24 * 3_600_000;
        tell(&mut store, &[("lab", 0, 1)], at(0));
        tell(&mut store, &[("lab", 2 * day, 2)], at(2 * day));
        tell(&mut store, &[("lab", 91 * day, 3)], at(91 * day));
        assert_eq!(between(&store, 0, 100 * day, None), [2, 3]);
    }

    #[test]
    fn delays_that_older_versions_kept_are_still_there() {
        let connection = Connection::open_in_memory().unwrap();
        let version = Central::MIGRATIONS
            .iter()
            .position(|tables| tables.contains("CREATE TABLE told"))
            .unwrap();
        let run = |tables: &[&str]| {
            for tables in tables {
                connection.execute_batch(tables).unwrap();
            }
        };
        run(&Central::MIGRATIONS[..version]);
        run(&[
            "INSERT INTO door (id, name, since) VALUES (1, 'lab', 0), (2, 'gate', 0);
               INSERT INTO relay (id, name, since) VALUES (1, 'site', 0), (2, 'hall', 0);
               INSERT INTO delay (at, door, relay, us) VALUES
                   (1800000000001, 1, 1, 5), (1800000000001, 2, 1, 6), (1800000009999, 1, 2, 7),
                   (1800000010000, 2, 2, 4294967295), (1800000000000, 1, 1, 8), (0, 1, 1, 9);",
        ]);
        let all = || -> Vec<(i64, i64, i64, i64)> {
            let sql = "SELECT at, door, relay, us FROM delay ORDER BY at, door, relay";
            let mut select = connection.prepare(sql).unwrap();
            let row = |row: &rusqlite::Row<'_>| row.try_into();
            select
                .query_map([], row)
                .unwrap()
                .map(|row| row.unwrap())
                .collect()
        };
        let before = all();
        assert_eq!(before.len(), 6);
        run(&Central::MIGRATIONS[version..]);
        assert_eq!(all(), before);
        let outside = "SELECT count(*) FROM told JOIN json_each(delays)
                       WHERE first + (value ->> 1) NOT BETWEEN first AND last";
        let outside: i64 = connection.query_row(outside, [], |row| row.get(0)).unwrap();
        assert_eq!(outside, 0);
    }
}
