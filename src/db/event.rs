//! The log of flashes, and of what else happens at doors: append-only.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::admit::FlashEntry;
use crate::db::statements::Statements;
use crate::db::values::from_millis;
use crate::db::{Result, Store};
use crate::domain::access::Verdict;
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, EventId, TwinkletId};
use crate::domain::spool::ClockFault;

/// An event to be stored, with what was found out about it.
pub(super) struct NewEvent<'a> {
    pub(super) flash: &'a FlashEntry,
    pub(super) at: i64,
    pub(super) day: Day,
    pub(super) door: Option<i64>,
    pub(super) relay: Option<i64>,
    pub(super) employee: Option<EmployeeNumber>,
    pub(super) verdict: Verdict,
    pub(super) doubt: Option<ClockFault>,
}

/// Appends an event. Returns its number in the log, or `None`: an id that is there already is left as
/// it is.
pub(super) fn append(statements: &mut Statements<'_>, new: &NewEvent<'_>) -> Result<Option<i64>> {
    let day = statements.day_text(new.day);
    let rows = statements
        .get(
            "INSERT INTO event
                 (uid, kind, at, day, door, relay, twinklet, employee, verdict, device_at,
                  clock)
             VALUES (?1, 'flash', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (uid) DO NOTHING",
        )?
        .execute((
            new.flash.event,
            new.at,
            day,
            new.door,
            new.relay,
            new.flash.twinklet,
            new.employee,
            new.verdict,
            new.flash.device_at,
            new.doubt.map(ClockFault::code),
        ))?;
    Ok((rows == 1).then(|| statements.connection().last_insert_rowid()))
}

impl Store {
    /// Until when it is known that this database was written: its newest event, or the last word of
    /// a central that it lived.
    ///
    /// # Errors
    /// Those of reading.
    pub fn newest(&self) -> Result<Option<DateTime<Utc>>> {
        let newest: Option<i64> = self.connection.query_row(
            "SELECT max(coalesce(event, alive), coalesce(alive, event))
             FROM (SELECT (SELECT max(at) FROM event) AS event,
                          (SELECT alive FROM installation) AS alive)",
            [],
            |row| row.get(0),
        )?;
        Ok(newest.map(from_millis))
    }

    /// What is wrong from now on with the clock by which entries are stored: they are marked so.
    pub fn doubt_clock(&mut self, doubt: Option<ClockFault>) {
        self.doubt = doubt;
    }
}

/// A stored flash, as far as a resend must be the same.
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

/// A stored flash by its event's id.
pub(super) fn find(connection: &Connection, event: EventId) -> Result<Option<Stored>> {
    let mut find = connection.prepare_cached(
        "SELECT at, door, relay, twinklet, device_at, verdict, employee.name
         FROM event LEFT JOIN employee ON employee.number = event.employee
         WHERE uid = ?1 AND kind = 'flash'",
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
