//! Filling a database with a large site. Straight through SQLite, without flushing: as twinkle
//! itself stores flashes, each on the disk before it is answered, it would take hours.

use std::ops::RangeInclusive;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use rusqlite::{Connection, Statement};
use twinkle::db::Store;

/// Badges have four digits at least, as where nobody is to guess them.
const FIRST_BADGE: u32 = 1_001;
/// How many of a hundred are there on a working day.
const PRESENT: u64 = 93;
/// How many of a thousand flashes are a badge that is nobody's.
const UNKNOWN: u64 = 5;
/// How many of ten thousand `Open`s reach no door.
const UNDELIVERED: u64 = 1;
/// The doors behind one relay.
const DOORS_OF_RELAY: u32 = 10;
/// People come from 07:00 on, and flash for the next eleven hours.
const OPENS_AT: i64 = 7 * 3_600_000;
const OPEN_FOR: u64 = 11 * 3_600_000;

/// How large a site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    /// How many employees.
    pub(crate) employees: u32,
    /// How many doors.
    pub(crate) doors: u32,
    /// How many days of attendance.
    pub(crate) days: u32,
    /// The last of these days.
    pub(crate) until: NaiveDate,
    /// How many events at the most. The oldest days have none if there are too few for all, as
    /// where old events were moved to an archive.
    pub(crate) events: u64,
}

/// What a database was filled with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    /// How many employees were present on how many days, in all.
    pub(crate) presences: u64,
    /// How many events there are.
    pub(crate) events: u64,
}

/// One flash to be stored.
struct Flash {
    /// UTC milliseconds.
    at: i64,
    /// Whose badge it would be; some are read wrongly.
    employee: u32,
}

/// Makes a database and fills it.
///
/// # Errors
/// If there is a file already, or it cannot be written.
pub(crate) fn fill(path: &Path, site: &Site) -> Result<Filled, Box<dyn std::error::Error>> {
    if path.exists() {
        return Err(format!("there is {} already", path.display()).into());
    }
    drop(Store::open_as_central(path, chrono_tz::UTC)?);
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.execute_batch("BEGIN")?;
    let first = site.until - Days::new(u64::from(site.days.saturating_sub(1)));
    people_and_devices(&connection, site, first)?;
    let filled = days(&connection, site, first)?;
    connection.execute_batch(
        "UPDATE installation SET counted_to = (SELECT coalesce(max(id), 0) FROM event); COMMIT",
    )?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(filled)
}

fn people_and_devices(
    connection: &Connection,
    site: &Site,
    first: NaiveDate,
) -> rusqlite::Result<()> {
    let mut relay = connection.prepare("INSERT INTO relay (id, name, since) VALUES (?1, ?2, 0)")?;
    for number in 1..=site.doors.div_ceil(DOORS_OF_RELAY) {
        relay.execute((number, format!("Building {number}")))?;
    }
    let mut door = connection.prepare("INSERT INTO door (id, name, since) VALUES (?1, ?2, 0)")?;
    for number in 1..=site.doors {
        door.execute((number, format!("Door {number}")))?;
    }
    let mut employee =
        connection.prepare("INSERT INTO employee (number, name, joined) VALUES (?1, ?2, ?3)")?;
    let mut assignment = connection
        .prepare("INSERT INTO assignment (twinklet, employee, from_day) VALUES (?1, ?2, ?3)")?;
    for number in 1..=site.employees {
        employee.execute((number, format!("Person {number}"), first.to_string()))?;
        assignment.execute((badge(number), number, first.to_string()))?;
    }
    Ok(())
}

fn badge(employee: u32) -> u32 {
    FIRST_BADGE + employee
}

/// The badges of so many employees.
#[allow(dead_code, reason = "only who flashes them wants to know")]
pub(crate) fn badges(employees: u32) -> RangeInclusive<u64> {
    u64::from(badge(1))..=u64::from(badge(employees))
}

/// The attendance of every day, and the events of those that still have some.
fn days(connection: &Connection, site: &Site, first: NaiveDate) -> rusqlite::Result<Filled> {
    let mut event = connection.prepare(
        "INSERT INTO event
             (uid, kind, at, day, door, relay, twinklet, employee, verdict, device_at)
         VALUES (?1, 'flash', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?2)",
    )?;
    let mut undelivered =
        connection.prepare("INSERT INTO undelivered (uid, at) VALUES (?1, ?2)")?;
    let mut attendance = connection.prepare(
        "INSERT INTO counted (day, employee, first, last, flashes) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let days: Vec<_> = first
        .iter_days()
        .take_while(|day| *day <= site.until)
        .filter(|day| day.weekday() != Weekday::Sun)
        .collect();
    let mut chance = Chance(1);
    let likely = u64::from(site.employees) * days.len() as u64 * PRESENT / 100;
    // Every presence has the same number of flashes, and some one more, to come to the number.
    let full = site.events.max(likely);
    let mut filled = Filled {
        presences: 0,
        events: 0,
    };
    let skipped = full - site.events;
    let mut to_skip = skipped;
    for (nth, day) in (1..).zip(&days) {
        let day_text = day.to_string();
        let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        let due = full * nth / days.len() as u64;
        let present: Vec<_> = (1..=site.employees)
            .filter(|_| chance.below(100) < PRESENT)
            .collect();
        let done = skipped - to_skip + filled.events;
        let flashes_of_day = due.saturating_sub(done).max(present.len() as u64);
        let mut flashes = Vec::new();
        for (place, &employee) in (0..).zip(&present) {
            let spread = present.len() as u64;
            let count = flashes_of_day / spread + u64::from(place < flashes_of_day % spread);
            let mut times: Vec<_> = (0..count.max(1))
                .map(|_| midnight + OPENS_AT + chance.below(OPEN_FOR).cast_signed())
                .collect();
            times.sort_unstable();
            if let (Some(begin), Some(end)) = (times.first(), times.last()) {
                attendance.execute((&day_text, employee, begin, end, times.len().cast_signed()))?;
                filled.presences += 1;
            }
            flashes.extend(times.into_iter().map(|at| Flash { at, employee }));
        }
        flashes.sort_unstable_by_key(|flash| flash.at);
        for flash in flashes {
            if to_skip > 0 {
                to_skip -= 1;
                continue;
            }
            store(
                &mut event,
                &mut undelivered,
                &mut chance,
                site,
                &day_text,
                &flash,
            )?;
            filled.events += 1;
        }
    }
    Ok(filled)
}

fn store(
    event: &mut Statement<'_>,
    undelivered: &mut Statement<'_>,
    chance: &mut Chance,
    site: &Site,
    day: &str,
    flash: &Flash,
) -> rusqlite::Result<()> {
    let door = u32::try_from(chance.below(u64::from(site.doors.max(1)))).unwrap_or(0) + 1;
    let known = chance.below(1_000) >= UNKNOWN;
    let mut random = [0; 10];
    let number = chance.next().to_be_bytes();
    random
        .iter_mut()
        .zip(number)
        .for_each(|(to, from)| *to = from);
    let at = flash.at.cast_unsigned();
    let uid = uuid::Builder::from_unix_timestamp_millis(at, &random).into_uuid();
    event.execute((
        uid.as_bytes().as_slice(),
        flash.at,
        day,
        door,
        (door - 1) / DOORS_OF_RELAY + 1,
        if known { badge(flash.employee) } else { door },
        known.then_some(flash.employee),
        if known { "open" } else { "unknown-twinklet" },
    ))?;
    if known && chance.below(10_000) < UNDELIVERED {
        undelivered.execute((uid.as_bytes().as_slice(), flash.at))?;
    }
    Ok(())
}

/// Numbers that look random, and are the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below that one.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
