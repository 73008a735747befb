//! The events whose `Open` reached no door. They stay in the log and count for nothing.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::values::to_millis;
use crate::db::{Result, attendance};
use crate::domain::ids::EventId;

/// Whether the event is known to be undelivered.
pub(super) fn contains(connection: &Connection, event: EventId) -> Result<bool> {
    let mut find = connection.prepare_cached("SELECT 1 FROM undelivered WHERE uid = ?1")?;
    Ok(find.exists([event])?)
}

/// Takes note that the event is undelivered, and takes back the presence it made. Once is enough:
/// a repetition changes nothing.
pub(super) fn note(connection: &Connection, event: EventId, now: DateTime<Utc>) -> Result<()> {
    let new = connection
        .prepare_cached("INSERT INTO undelivered (uid, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((event, to_millis(now)))?;
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
