//! Badges that are at a door sooner after another than anybody goes from there: there may be a copy
//! of them.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::Connection;
use tracing::warn;

use crate::db::Result;
use crate::domain::ids::{DeviceName, TwinkletId};

/// In milliseconds: how often at the most the log speaks of it. Every event says it.
const SAY_AGAIN: i64 = 60_000;

/// Where badges of somebody were lately.
#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    /// Nobody goes from door to door in less, in milliseconds; 0: that is not looked at.
    travel_time: i64,
    /// `None`: what is in the log has to be looked at first.
    last: Option<HashMap<TwinkletId, Place>>,
    /// When those that are too long ago were thrown away.
    tidied: i64,
    said: i64,
}

#[derive(Debug)]
struct Place {
    door: i64,
    name: DeviceName,
    at: i64,
}

impl Whereabouts {
    pub(super) fn new(travel_time: Duration) -> Self {
        Self {
            travel_time: i64::try_from(travel_time.as_millis()).unwrap_or(i64::MAX),
            ..Self::default()
        }
    }

    /// Begins a batch of flashes at that time, UTC milliseconds.
    pub(super) fn begin(&mut self, connection: &Connection, now: i64) -> Result<()> {
        if self.travel_time == 0 {
            return Ok(());
        }
        let recent = |at: i64| now.saturating_sub(at) < self.travel_time;
        match &mut self.last {
            Some(last) if !recent(self.tidied) => {
                last.retain(|_, place| recent(place.at));
                self.tidied = now;
            }
            Some(_) => (),
            None => {
                let mut select = connection.prepare_cached(
                    "SELECT twinklet, door, door.name, at FROM event JOIN door ON door.id = door
                     WHERE at > ?1 AND kind = 'flash' AND employee IS NOT NULL ORDER BY at, event.id",
                )?;
                let mut last = HashMap::new();
                let mut rows = select.query([now.saturating_sub(self.travel_time)])?;
                while let Some(row) = rows.next()? {
                    let place = Place {
                        door: row.get(1)?,
                        name: row.get(2)?,
                        at: row.get(3)?,
                    };
                    last.insert(row.get(0)?, place);
                }
                drop(rows);
                (self.last, self.tidied) = (Some(last), now);
            }
        }
        Ok(())
    }

    /// What was noted since the last commit is not in the log: the log knows.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }

    /// Takes note that a badge, whose flash was just stored, is at a door now, and flags that flash
    /// if the badge was at another door too short a time ago.
    pub(super) fn shown(
        &mut self,
        connection: &Connection,
        twinklet: TwinkletId,
        (door, name): (i64, &DeviceName),
        now: i64,
    ) -> Result<()> {
        let Some(last) = &mut self.last else {
            return Ok(());
        };
        let event = connection.last_insert_rowid();
        let place = Place {
            door,
            name: name.clone(),
            at: now,
        };
        let Some(before) = last.insert(twinklet, place) else {
            return Ok(());
        };
        let after = now.saturating_sub(before.at);
        if before.door == door || !(0..self.travel_time).contains(&after) {
            return Ok(());
        }
        connection
            .prepare_cached("INSERT INTO hasty (event, door, after) VALUES (?1, ?2, ?3)")?
            .execute((event, before.door, after))?;
        if !(0..SAY_AGAIN).contains(&now.saturating_sub(self.said)) {
            self.said = now;
            warn!(
                "twinklet {twinklet} is at door '{name}' {} s after door '{}', sooner than \
                 --travel-time: is there a copy of it?",
                after / 1_000,
                before.name
            );
        }
        Ok(())
    }
}
