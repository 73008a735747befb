//! The events whose `Open` reached no door. They stay in the log and count for nothing.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::statements::Statements;
use crate::db::values::to_millis;
use crate::db::{Result, attendance};
use crate::domain::ids::EventId;

/// Whether the event is known to be undelivered.
pub(super) fn contains(statements: &mut Statements<'_>, event: EventId) -> Result<bool> {
    let find = statements.get("SELECT 1 FROM undelivered WHERE uid = ?1")?;
    Ok(find.exists([event])?)
}

/// What is known of them for one flash after the other: ids grow with time, and hardly any flash is
/// as old as the newest of them.
#[derive(Debug, Default)]
pub(super) struct Undelivered {
    /// The last of them by its id, if that was looked up: `Some(None)` if there is none.
    last: Option<Option<EventId>>,
}

impl Undelivered {
    /// Whether the event is known to be undelivered.
    pub(super) fn contains(
        &mut self,
        statements: &mut Statements<'_>,
        event: EventId,
    ) -> Result<bool> {
        let last = match self.last {
            Some(last) => last,
            None => *self.last.insert(last(statements)?),
        };
        Ok(last >= Some(event) && contains(statements, event)?)
    }

    /// There may be more of them now.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }
}

fn last(statements: &mut Statements<'_>) -> Result<Option<EventId>> {
    let find = statements.get("SELECT max(uid) FROM undelivered")?;
    Ok(find.query_row([], |row| row.get(0))?)
}

/// Takes note that the event is undelivered, and takes back the presence it made. Once is enough:
/// a repetition changes nothing.
pub(super) fn note(connection: &Connection, event: EventId, now: DateTime<Utc>) -> Result<()> {
    let was_presumed = connection
        .prepare_cached("UPDATE undelivered SET presumed = 0 WHERE uid = ?1 AND presumed = 1")?
        .execute([event])?;
    match was_presumed {
        0 => begin(connection, event, now, false),
        _ => Ok(()),
    }
}

/// Takes note that an answer was taken by nobody. Its relay may have decided by itself and let
/// somebody in: where that is known already, it holds, and otherwise until it is known.
pub(super) fn presume(connection: &Connection, event: EventId, now: DateTime<Utc>) -> Result<()> {
    let told = connection
        .prepare_cached("SELECT 1 FROM event WHERE uid = ?1 AND received IS NOT NULL")?
        .exists([event])?;
    match told {
        true => Ok(()),
        false => begin(connection, event, now, true),
    }
}

/// Takes back what was only presumed.
pub(super) fn withdraw(connection: &Connection, event: EventId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM undelivered WHERE uid = ?1 AND presumed = 1")?
        .execute([event])?;
    Ok(())
}

fn begin(
    connection: &Connection,
    event: EventId,
    now: DateTime<Utc>,
    presumed: bool,
) -> Result<()> {
    let new = connection
        .prepare_cached(
            "INSERT INTO undelivered (uid, at, presumed) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((event, to_millis(now), presumed))?;
    if new == 0 {
        return Ok(());
    }
    let counted = connection
        .prepare_cached(
            "SELECT employee, day, at FROM event
             WHERE uid = ?1 AND verdict = 'open' AND employee IS NOT NULL",
        )?
        .query_row([event], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match counted {
        Some((employee, day, at)) => attendance::take_back(connection, employee, day, at),
        None => Ok(()),
    }
}
