//! The log of flashes: append-only.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::admit::FlashEntry;
use crate::db::values::from_millis;
use crate::db::{Result, Store};
use crate::domain::access::Verdict;
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, EventId, TwinkletId};

/// One event, with names, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// When it happened, by the central's clock.
    pub at: DateTime<Utc>,
    /// The door's name; `None` if the door was unknown.
    pub door: Option<String>,
    /// The relay's name; `None` if it came straight from the door.
    pub relay: Option<String>,
    /// The badge.
    pub twinklet: Option<TwinkletId>,
    /// The employee's number and name; `None` if the badge is nobody's.
    pub employee: Option<(EmployeeNumber, String)>,
    /// What was decided.
    pub verdict: Verdict,
    /// Whether an `Open` reached its door.
    pub delivered: bool,
    /// The event's id.
    pub event: EventId,
}

impl Store {
    /// The last events, newest last.
    ///
    /// # Errors
    /// Those of reading.
    pub fn last_events(&self, count: u32) -> Result<Vec<EventRow>> {
        let mut select = self.connection.prepare_cached(
            "SELECT at, door.name, relay.name, twinklet, event.employee, employee.name, verdict,
                 NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.uid = event.uid), event.uid
             FROM event
                 LEFT JOIN door ON door.id = event.door
                 LEFT JOIN relay ON relay.id = event.relay
                 LEFT JOIN employee ON employee.number = event.employee
             ORDER BY event.id DESC LIMIT ?1",
        )?;
        let events = select.query_map([count], |row| {
            let number: Option<EmployeeNumber> = row.get(4)?;
            let name: Option<String> = row.get(5)?;
            Ok(EventRow {
                at: from_millis(row.get(0)?),
                door: row.get(1)?,
                relay: row.get(2)?,
                twinklet: row.get(3)?,
                employee: number.zip(name),
                verdict: row.get(6)?,
                delivered: row.get(7)?,
                event: row.get(8)?,
            })
        })?;
        let mut events: Vec<_> = events.collect::<rusqlite::Result<_>>()?;
        events.reverse();
        Ok(events)
    }
}

/// An event to be stored, with what was found out about it.
pub(super) struct NewEvent<'a> {
    pub(super) flash: &'a FlashEntry,
    pub(super) at: i64,
    pub(super) day: Day,
    pub(super) door: Option<i64>,
    pub(super) relay: Option<i64>,
    pub(super) employee: Option<EmployeeNumber>,
    pub(super) verdict: Verdict,
}

/// Appends an event. Returns whether it did: an id that is there already is left as it is.
pub(super) fn append(connection: &Connection, new: &NewEvent<'_>) -> Result<bool> {
    let rows = connection
        .prepare_cached(
            "INSERT INTO event
                 (uid, kind, at, day, door, relay, twinklet, employee, verdict, device_at)
             VALUES (?1, 'flash', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (uid) DO NOTHING",
        )?
        .execute((
            new.flash.event,
            new.at,
            new.day,
            new.door,
            new.relay,
            new.flash.twinklet,
            new.employee,
            new.verdict,
            new.flash.device_at,
        ))?;
    Ok(rows == 1)
}

/// A stored event, as far as a resend must be the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) at: i64,
    pub(super) door: Option<i64>,
    pub(super) relay: Option<i64>,
    pub(super) twinklet: Option<TwinkletId>,
    pub(super) device_at: i64,
    pub(super) verdict: Verdict,
    /// The employee's name.
    pub(super) name: Option<String>,
}

/// A stored event by its id.
pub(super) fn find(connection: &Connection, event: EventId) -> Result<Option<Stored>> {
    let mut find = connection.prepare_cached(
        "SELECT at, door, relay, twinklet, device_at, verdict, employee.name
         FROM event LEFT JOIN employee ON employee.number = event.employee WHERE uid = ?1",
    )?;
    let stored = find.query_row([event], |row| {
        Ok(Stored {
            at: row.get(0)?,
            door: row.get(1)?,
            relay: row.get(2)?,
            twinklet: row.get(3)?,
            device_at: row.get(4)?,
            verdict: row.get(5)?,
            name: row.get(6)?,
        })
    });
    Ok(stored.optional()?)
}
