//! Unknown badges, counted for each door: many in a short time are somebody's guesses, and become
//! one event with a count.

use rusqlite::{Connection, OptionalExtension};

use crate::db::{Result, Store};
use crate::domain::calendar::Day;
use crate::domain::door_event::Kind;
use crate::domain::guessing::{self, Guesses};
use crate::domain::ids::EventId;

/// Counts an unknown badge at a door, at that time, UTC milliseconds. What makes it a guess is
/// written down: the first guess as an event at that door, the others in that event's count.
pub(super) fn count(
    connection: &Connection,
    door: i64,
    relay: Option<i64>,
    (now, day): (i64, Day),
    from: u32,
) -> Result<Guesses> {
    let before = connection
        .prepare_cached("SELECT began, last, count, event FROM guess WHERE door = ?1")?
        .query_row([door], |row| {
            let event: Option<i64> = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get::<_, u32>(2)?, event))
        })
        .optional()?;
    let before = before
        .filter(|(began, last, _, event)| guessing::go_on(*began, *last, event.is_some(), now));
    let (began, _, count, event) = before.unwrap_or((now, now, 0, None));
    let guesses = Guesses {
        count: count.saturating_add(1),
        from,
    };
    let event = match event {
        None if guesses.is_guess() => {
            connection
                .prepare_cached(
                    "INSERT INTO event (uid, kind, at, day, door, relay, device_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?3)",
                )?
                .execute((EventId::generate(), Kind::Guessing, now, day, door, relay))?;
            Some(connection.last_insert_rowid())
        }
        event => event,
    };
    connection
        .prepare_cached(
            "INSERT INTO guess (door, began, last, count, event) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (door) DO UPDATE SET began = excluded.began, last = excluded.last,
                 count = excluded.count, event = excluded.event",
        )?
        .execute((door, began, now, guesses.count, event))?;
    if let Some(event) = event {
        connection
            .prepare_cached(
                "INSERT INTO guessing (event, count) VALUES (?1, ?2)
                 ON CONFLICT (event) DO UPDATE SET count = excluded.count",
            )?
            .execute((event, guesses.count))?;
    }
    Ok(guesses)
}

impl Store {
    /// How many guesses the event at that place in the log stands for by now.
    ///
    /// # Errors
    /// Those of reading.
    pub fn guesses(&self, place: i64) -> Result<Option<u32>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT count FROM guessing WHERE event = ?1")?;
        Ok(select.query_row([place], |row| row.get(0)).optional()?)
    }
}
