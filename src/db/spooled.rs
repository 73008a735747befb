//! What relays kept for the central: stored by event, however often it comes. The verdict that a
//! door acted on is the truth, whatever else is stored already.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::at_hand::Devices;
use crate::db::day_rules::DayRules;
use crate::db::device::{self, DeviceKind, KnownDoor};
use crate::db::statements::Statements;
use crate::db::trial::Moment;
use crate::db::values::{from_millis, to_millis};
use crate::db::{DoorEventEntry, Result, assignment, attendance, door_event, undelivered};
use crate::domain::access::Verdict;
use crate::domain::calendar::Day;
use crate::domain::ids::{DeviceName, EmployeeNumber, EventId, SpoolId};
use crate::domain::spool::{Acted, ClockFault, Entry, What};

mod acted;

use acted::overrule;

/// A relay tells what it keeps.
#[derive(Debug)]
pub struct SpoolFound {
    /// The relay.
    pub relay: DeviceName,
    /// Its file.
    pub spool: SpoolId,
    /// The number of its newest entry.
    pub last: u64,
    /// For how long it decides by itself, in milliseconds; `None`: not at all.
    pub offline_for: Option<u64>,
}

/// Some of a relay's entries, in their order.
#[derive(Debug)]
pub struct Spooled {
    /// The relay.
    pub relay: DeviceName,
    /// Its file.
    pub spool: SpoolId,
    /// The entries.
    pub entries: Vec<Entry>,
    /// Once these are stored, all up to this number are.
    pub to: u64,
    /// The number of its newest entry.
    pub last: u64,
}

/// A number of entries, or a time, as the database has it. None is beyond that: what says so is made
/// up, and stands for its own relay alone.
fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Takes note of what a relay keeps, and returns the number up to which its entries are here.
pub(super) fn found(
    connection: &Connection,
    found: &SpoolFound,
    now: DateTime<Utc>,
) -> Result<u64> {
    let known = connection
        .prepare_cached("SELECT stored FROM relay WHERE name = ?1 AND spool = ?2")?
        .query_row((&found.relay, found.spool), |row| row.get(0))
        .optional()?;
    let stored: u64 = known.unwrap_or(0);
    let waiting = found.last.saturating_sub(stored);
    connection
        .prepare_cached(
            "UPDATE relay SET spool = ?2, stored = ?3, waiting = ?4, offline_for = ?5, retired = NULL,
                 complete_until = CASE
                     WHEN ?4 = 0 THEN iif(?5 IS NULL, NULL, ?6)
                     WHEN ?5 IS NULL THEN complete_until
                     ELSE coalesce(complete_until, since) END
             WHERE name = ?1",
        )?
        .execute((
            &found.relay,
            found.spool,
            bounded(stored),
            bounded(waiting),
            found.offline_for.map(bounded),
            to_millis(now),
        ))?;
    Ok(stored)
}

/// Stores entries.
pub(super) fn store(
    statements: &mut Statements<'_>,
    spooled: &Spooled,
    moment: &Moment,
    rules: &DayRules,
    devices: &mut Devices,
) -> Result<()> {
    let connection = statements.connection();
    let relay = devices.relay(connection, &spooled.relay)?;
    let (now, now_millis) = (moment.now, moment.millis);
    for entry in &spooled.entries {
        let (at, fault) = entry.placed(now_millis);
        let when = Placed {
            at,
            received: now_millis,
            fault: fault.or(moment.doubt),
        };
        match &entry.what {
            What::Flash(acted) => {
                let door = known_door(statements, devices, &acted.door, now)?;
                store_flash(statements, acted, &when, rules, (door, relay))?;
            }
            What::Happened(happened) => {
                known_door(statements, devices, &happened.door, now)?;
                let new = DoorEventEntry {
                    event: happened.event,
                    door: happened.door.clone(),
                    relay: Some(spooled.relay.clone()),
                    kind: happened.kind.clone(),
                    at: from_millis(at),
                    device_at: happened.device_at,
                    about: happened.about,
                };
                door_event::store(connection, &new, rules.general)?;
                flag(connection, happened.event, &when)?;
            }
            What::Undelivered(lost) => undelivered::note(connection, lost.event, now)?,
        }
    }
    connection
        .prepare_cached(
            "UPDATE relay SET stored = max(stored, ?3), waiting = ?4,
                 complete_until = CASE
                     WHEN ?4 = 0 THEN iif(offline_for IS NULL, NULL, ?5)
                     ELSE complete_until END
             WHERE name = ?1 AND spool = ?2",
        )?
        .execute((
            &spooled.relay,
            spooled.spool,
            bounded(spooled.to),
            bounded(spooled.last.saturating_sub(spooled.to)),
            now_millis,
        ))?;
    Ok(())
}

/// When an entry happened.
struct Placed {
    /// UTC milliseconds, in the central's time.
    at: i64,
    /// When it came here.
    received: i64,
    fault: Option<ClockFault>,
}

/// A door, which may have been there only while the central was not.
fn known_door(
    statements: &mut Statements<'_>,
    devices: &mut Devices,
    name: &DeviceName,
    now: DateTime<Utc>,
) -> Result<Option<KnownDoor>> {
    if let Some(door) = devices.door(statements, name)? {
        return Ok(Some(door));
    }
    device::learn(statements.connection(), DeviceKind::Door, name, now)?;
    devices.door(statements, name)
}

fn store_flash(
    statements: &mut Statements<'_>,
    acted: &Acted,
    when: &Placed,
    rules: &DayRules,
    (door, relay): (Option<KnownDoor>, Option<i64>),
) -> Result<()> {
    let id = door.map(|door| door.id);
    let instant = from_millis(when.at);
    let day_of = |department: Option<&str>| rules.day_of(department, instant);
    let holder = assignment::holder(statements, acted.twinklet, day_of, id)?;
    let (employee, day) = match holder {
        Some(holder) => (Some(holder.employee), holder.day),
        None => (None, rules.general.day_of(instant)),
    };
    let new = statements
        .get(
            "INSERT INTO event (uid, kind, at, day, door, relay, twinklet, employee, verdict,
                 device_at, received, clock)
             VALUES (?1, 'flash', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (uid) DO NOTHING",
        )?
        .execute((
            acted.event,
            when.at,
            day,
            id,
            relay,
            acted.twinklet,
            employee,
            acted.verdict,
            acted.device_at,
            when.received,
            when.fault.map(ClockFault::code),
        ))?;
    if new == 0 {
        return overrule(statements, acted, when, door, (employee, day));
    }
    match employee {
        Some(employee) if acted.verdict == Verdict::Open => {
            let is_exit = door.is_some_and(|door| door.is_exit);
            count(statements, acted.event, employee, day, (when.at, is_exit))
        }
        _ => Ok(()),
    }
}

fn flag(connection: &Connection, event: EventId, when: &Placed) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE event SET received = ?2, clock = ?3 WHERE uid = ?1 AND received IS NULL",
        )?
        .execute((event, when.received, when.fault.map(ClockFault::code)))?;
    Ok(())
}

/// Counts an `Open`, unless it is known to have reached no door.
fn count(
    statements: &mut Statements<'_>,
    event: EventId,
    employee: EmployeeNumber,
    day: Day,
    (at, is_exit): (i64, bool),
) -> Result<()> {
    match undelivered::contains(statements, event)? {
        true => Ok(()),
        false => attendance::count_event(statements, event, (employee, day), at, is_exit),
    }
}

#[cfg(test)]
mod tests;
