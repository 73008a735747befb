//! The roster in a relay's file: what it knows of badges, and how old that is.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row};

use crate::db::values::{from_millis, to_millis};
use crate::db::{RelayStore, Result};
use crate::domain::ids::{BootId, DeviceName, TwinkletId};
use crate::domain::roster::{Badge, RosterDoor};

/// What is known of a roster as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterHead {
    /// Up to which of the central's changes it knows.
    pub at: u64,
    /// The sum of its badges' digests.
    pub sum: u64,
    /// Where the installation's days begin and end.
    pub zone: String,
    /// The minute after midnight at which they do.
    pub day_starts_at: u32,
    /// When the central last said that it is up to date.
    pub confirmed: Confirmed,
}

/// A moment in the central's time, and on this machine's clock that nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// By the central's clock.
    pub time: DateTime<Utc>,
    /// Since which start of the machine `uptime` counts.
    pub boot: BootId,
    /// How long the machine had been up, in milliseconds; negative for before its start.
    pub uptime: i64,
}

/// A roster that is being put together, beside the one that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft {
    generation: i64,
    /// The sum of its badges' digests so far.
    pub sum: u64,
}

impl RelayStore {
    /// The roster, if there is one.
    ///
    /// # Errors
    /// Those of reading.
    pub fn roster(&self) -> Result<Option<RosterHead>> {
        let mut select = self.connection.prepare_cached(
            "SELECT at, sum, zone, confirmed, boot, uptime, day_starts_at FROM roster",
        )?;
        Ok(select.query_row([], head).optional()?)
    }

    /// The roster to change: the one that holds, or an empty one that is to replace it.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn roster_draft(&mut self, whole: bool) -> Result<Draft> {
        self.write(|transaction| {
            let holds = transaction
                .prepare_cached("SELECT generation, sum FROM roster")?
                .query_row([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
                .optional()?;
            let (generation, sum) = holds.unwrap_or((0, 0));
            // One whose end never came.
            transaction.execute("DELETE FROM badge WHERE generation > ?1", [generation])?;
            Ok(match whole {
                false => Draft {
                    generation,
                    sum: sum.cast_unsigned(),
                },
                true => Draft {
                    generation: generation + 1,
                    sum: 0,
                },
            })
        })
    }

    /// Puts badges into a roster, and takes some away. In the one that holds, that is effective at
    /// once.
    ///
    /// # Errors
    /// Those of writing; then nothing was changed.
    pub fn change_roster(
        &mut self,
        draft: Draft,
        badges: &[Badge],
        gone: &[TwinkletId],
    ) -> Result<Draft> {
        self.write(|transaction| {
            let mut sum = draft.sum;
            let mut take = |id: TwinkletId| -> Result<()> {
                let body = transaction
                    .prepare_cached(
                        "DELETE FROM badge WHERE generation = ?1 AND twinklet = ?2 RETURNING body",
                    )?
                    .query_row((draft.generation, id), |row| row.get(0))
                    .optional()?;
                if let Some(body) = body {
                    sum = sum.wrapping_sub(Badge { id, body }.digest());
                }
                Ok(())
            };
            gone.iter().try_for_each(|id| take(*id))?;
            badges.iter().try_for_each(|badge| take(badge.id))?;
            for badge in badges {
                transaction
                    .prepare_cached(
                        "INSERT INTO badge (generation, twinklet, body) VALUES (?1, ?2, ?3)",
                    )?
                    .execute((draft.generation, badge.id, &badge.body))?;
                sum = sum.wrapping_add(badge.digest());
            }
            transaction
                .prepare_cached("UPDATE roster SET sum = ?2 WHERE generation = ?1")?
                .execute((draft.generation, sum.cast_signed()))?;
            Ok(Draft { sum, ..draft })
        })
    }

    /// Has a roster hold from now on, as the central has just said that it is right.
    ///
    /// # Errors
    /// Those of writing.
    pub fn confirm_roster(
        &mut self,
        draft: Draft,
        head: &RosterHead,
        doors: &[RosterDoor],
    ) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM roster", [])?;
            transaction.execute(
                "INSERT INTO roster (generation, at, sum, zone, confirmed, boot, uptime, day_starts_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                (
                    draft.generation,
                    head.at,
                    draft.sum.cast_signed(),
                    &head.zone,
                    to_millis(head.confirmed.time),
                    head.confirmed.boot,
                    head.confirmed.uptime,
                    head.day_starts_at,
                ),
            )?;
            transaction.execute(
                "DELETE FROM badge WHERE generation <> ?1",
                [draft.generation],
            )?;
            transaction.execute("DELETE FROM roster_door", [])?;
            for door in doors {
                transaction
                    .prepare_cached(
                        "INSERT INTO roster_door (name, id, retired, requires_code)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((&door.name, door.id, door.retired, door.requires_code))?;
            }
            Ok(())
        })
    }

    /// Notes when the roster was last known to be right.
    ///
    /// # Errors
    /// Those of writing.
    pub fn date_roster(&mut self, confirmed: Confirmed) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE roster SET confirmed = ?1, boot = ?2, uptime = ?3",
                (to_millis(confirmed.time), confirmed.boot, confirmed.uptime),
            )?;
            Ok(())
        })
    }

    /// Forgets the roster.
    ///
    /// # Errors
    /// Those of writing.
    pub fn forget_roster(&mut self) -> Result<()> {
        self.write(|transaction| {
            for table in ["roster", "roster_door", "badge"] {
                transaction.execute(&format!("DELETE FROM {table}"), [])?;
            }
            Ok(())
        })
    }

    /// What the roster says of a badge: the list as it came; `None` if it does not know it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn roster_badge(&self, twinklet: TwinkletId) -> Result<Option<Vec<u8>>> {
        let mut select = self.connection.prepare_cached(
            "SELECT body FROM roster JOIN badge USING (generation) WHERE twinklet = ?1",
        )?;
        Ok(select.query_row([twinklet], |row| row.get(0)).optional()?)
    }

    /// What the roster says of a door.
    ///
    /// # Errors
    /// Those of reading.
    pub fn roster_door(&self, name: &DeviceName) -> Result<Option<RosterDoor>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT id, retired, requires_code FROM roster_door WHERE name = ?1")?;
        let door = select.query_row([name], |row| {
            Ok(RosterDoor {
                name: name.clone(),
                id: row.get(0)?,
                retired: row.get(1)?,
                requires_code: row.get(2)?,
            })
        });
        Ok(door.optional()?)
    }

    /// The names of the roster's doors.
    ///
    /// # Errors
    /// Those of reading.
    pub fn roster_doors(&self) -> Result<Vec<DeviceName>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT name FROM roster_door ORDER BY name")?;
        let names = select.query_map([], |row| Ok(row.get::<_, String>(0)?.parse().ok()))?;
        let names: Vec<_> = names.collect::<rusqlite::Result<_>>()?;
        Ok(names.into_iter().flatten().collect())
    }
}

fn head(row: &Row<'_>) -> rusqlite::Result<RosterHead> {
    Ok(RosterHead {
        at: row.get(0)?,
        sum: row.get::<_, i64>(1)?.cast_unsigned(),
        zone: row.get(2)?,
        day_starts_at: row.get(6)?,
        confirmed: Confirmed {
            time: from_millis(row.get(3)?),
            boot: row.get(4)?,
            uptime: row.get(5)?,
        },
    })
}
