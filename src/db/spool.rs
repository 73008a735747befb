//! A relay's entries for its central: appended in order, read in order, kept for a time after the
//! central has acknowledged them.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::open::Opened;
use crate::db::values::to_millis;
use crate::db::{Error, Relay, RelayStore, Result};
use crate::domain::ids::{BootId, InstallationId, SpoolId};
use crate::domain::spool::{Entry, What};

mod pack;

/// How long the central's entries are kept: as old as a backup may be that is restored.
const KEEP_FOR: TimeDelta = TimeDelta::days(30);
/// The most rows that one look for what is kept too long takes away.
const TRIM_AT_ONCE: u32 = 64;

/// An entry that is still to be numbered and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// When it happened, by the relay's clock.
    pub at: DateTime<Utc>,
    /// How long the machine had been up then, in milliseconds.
    pub uptime: u64,
    /// What happened.
    pub what: What,
}

/// How far the entries have come. They are numbered from 1 without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// The number of the oldest that is still here; one more than `last` if none is.
    pub first: u64,
    /// The entries up to this number are the central's.
    pub acknowledged: u64,
    /// The number of the newest; 0 if there never was one.
    pub last: u64,
}

/// Some entries in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whoever has these has all up to this number.
    pub to: u64,
}

impl Backlog {
    /// How many entries wait for the central.
    pub fn waiting(&self) -> u64 {
        self.last.saturating_sub(self.acknowledged)
    }
}

impl RelayStore {
    /// Opens a relay's file: makes it if there is none, brings it up to date if it is older, and
    /// keeps other relays away from it for as long as the store lives.
    ///
    /// # Errors
    /// [`Error::Served`] if another relay has it, [`Error::SchemaTooNew`], [`Error::NotOurs`],
    /// [`Error::Denied`], [`Error::Busy`], or SQLite's.
    pub fn open_as_relay(path: &Path) -> Result<Opened<Relay>> {
        Self::open_as_server(path, |transaction| {
            transaction.execute(
                "INSERT INTO file (id, acknowledged) VALUES (?1, 0)",
                [SpoolId::generate()],
            )?;
            Ok(())
        })
    }

    /// By what the central knows this file's numbers.
    ///
    /// # Errors
    /// Those of reading.
    pub fn spool_id(&self) -> Result<SpoolId> {
        Ok(self
            .connection
            .query_row("SELECT id FROM file", [], |row| row.get(0))?)
    }

    /// The installation whose entries these are; `None` if no central was met yet.
    ///
    /// # Errors
    /// Those of reading.
    pub fn installation(&self) -> Result<Option<InstallationId>> {
        Ok(self
            .connection
            .query_row("SELECT installation FROM file", [], |row| row.get(0))?)
    }

    /// Begins the numbers anew under another id: the central has heard of higher ones, from a newer
    /// copy of this file.
    ///
    /// # Errors
    /// Those of writing.
    pub fn renew_id(&mut self) -> Result<SpoolId> {
        let id = SpoolId::generate();
        self.write(|transaction| {
            transaction.execute("UPDATE file SET id = ?1, acknowledged = 0", [id])?;
            Ok(id)
        })
    }

    /// Notes whose entries these are.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_installation(&mut self, installation: InstallationId) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("UPDATE file SET installation = ?1", [installation])?;
            Ok(())
        })
    }

    /// How far the entries have come.
    ///
    /// # Errors
    /// Those of reading.
    pub fn backlog(&self) -> Result<Backlog> {
        backlog(&self.connection)
    }

    /// Appends entries that happened since that start of the machine, first those that the central
    /// decided and then those that it does not know, and returns how far they have come now, once
    /// they are on the disk.
    ///
    /// # Errors
    /// Those of writing; then none was stored.
    pub fn append(&mut self, online: &[Draft], ours: &[Draft], boot: BootId) -> Result<Backlog> {
        let packed = [(true, online), (false, ours)].map(|(online, drafts)| {
            let newest = drafts.last()?;
            let count = u64::try_from(drafts.len()).ok()?;
            let body = pack::entries(drafts).map_err(unfit);
            Some((online, count, to_millis(newest.at), body))
        });
        self.write(|transaction| {
            let mut after = backlog(transaction)?;
            for (online, count, at, body) in packed.into_iter().flatten() {
                after.last = after.last.saturating_add(count);
                transaction
                    .prepare_cached(
                        "INSERT INTO entries (last, count, at, boot, body, online)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute((after.last, count, at, boot, body?, online))?;
            }
            Ok(after)
        })
    }

    /// The entries after that number, oldest first, as many as fit into so many bytes on the wire, and
    /// one at least; of those after `decided_from` only the ones that the central did not decide. Ages
    /// are counted to now, which is told by its start of the machine and the milliseconds since.
    ///
    /// # Errors
    /// Those of reading.
    pub fn entries_after(
        &self,
        number: u64,
        decided_from: u64,
        bytes: usize,
        (boot, uptime): (BootId, u64),
    ) -> Result<Batch> {
        let mut select = self.connection.prepare_cached(
            "SELECT last, count, boot, body FROM entries
             WHERE last > ?1 AND NOT (online AND last > ?2) ORDER BY last",
        )?;
        let mut rows = select.query([number, decided_from])?;
        let mut batch = Batch {
            entries: Vec::new(),
            to: number,
        };
        let mut size = 0;
        while let Some(row) = rows.next()? {
            let (last, count): (u64, u64) = (row.get(0)?, row.get(1)?);
            let since: BootId = row.get(2)?;
            let body = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
            let stored: Vec<Entry> = rmp_serde::from_slice(body).map_err(|e| broken(e.into()))?;
            let before = last.saturating_sub(count);
            let known = usize::try_from(number.saturating_sub(before)).unwrap_or(usize::MAX);
            for (nth, mut entry) in (before + 1..).zip(stored).skip(known) {
                entry.age = entry.age.filter(|_| since == boot);
                entry.age = entry.age.map(|then| uptime.saturating_sub(then));
                // As long as it is on the wire: names of doors may be long, and a frame has its limit.
                size += rmp_serde::to_vec_named(&entry).map_err(unfit)?.len();
                if size > bytes && !batch.entries.is_empty() {
                    return Ok(batch);
                }
                batch.entries.push(entry);
                batch.to = nth;
            }
        }
        // What follows is the central's already.
        batch.to = batch.to.max(self.backlog()?.last);
        Ok(batch)
    }

    /// Notes that the central has the entries up to that number, and no others: fewer than it had
    /// before, if it was restored from a backup.
    ///
    /// # Errors
    /// Those of writing.
    pub fn acknowledge(&mut self, number: u64) -> Result<Backlog> {
        self.write(|transaction| {
            let before = backlog(transaction)?;
            let acknowledged = number.min(before.last);
            if acknowledged != before.acknowledged {
                transaction
                    .prepare_cached("UPDATE file SET acknowledged = ?1")?
                    .execute([acknowledged])?;
            }
            Ok(Backlog {
                acknowledged,
                ..before
            })
        })
    }

    /// Drops some of the oldest entries that the central has, if they are older than 30 days or if
    /// there are more than so many in all; returns whether there may be more of them.
    ///
    /// # Errors
    /// Those of writing.
    pub fn trim(&mut self, now: DateTime<Utc>, limit: u64) -> Result<bool> {
        let before = self.backlog()?;
        let too_many = before.last.saturating_sub(limit);
        let too_old = to_millis(now - KEEP_FOR);
        let dropped = self.write(|transaction| {
            Ok(transaction
                .prepare_cached(
                    "DELETE FROM entries WHERE last IN (
                         SELECT last FROM entries
                         WHERE last <= ?1 AND last < ?4 AND (at < ?2 OR last <= ?3)
                         ORDER BY last LIMIT ?5)",
                )?
                .execute((
                    before.acknowledged,
                    too_old,
                    too_many,
                    before.last,
                    TRIM_AT_ONCE,
                ))?)
        })?;
        Ok(dropped > 0)
    }
}

fn backlog(connection: &Connection) -> Result<Backlog> {
    let acknowledged = connection
        .prepare_cached("SELECT acknowledged FROM file")?
        .query_row([], |row| row.get(0))?;
    let end = |sql| {
        let mut select = connection.prepare_cached(sql)?;
        let end = select.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
        end.optional()
    };
    let oldest: Option<(u64, u64)> = end("SELECT last, count FROM entries ORDER BY last LIMIT 1")?;
    let newest: Option<(u64, u64)> =
        end("SELECT last, count FROM entries ORDER BY last DESC LIMIT 1")?;
    let last = newest.map_or(0, |(last, _)| last);
    Ok(Backlog {
        first: oldest.map_or(last, |(last, count)| last - count) + 1,
        acknowledged,
        last,
    })
}

fn unfit(cause: rmp_serde::encode::Error) -> Error {
    Error::Sqlite(rusqlite::Error::ToSqlConversionFailure(cause.into()))
}

fn broken(cause: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Blob, cause)
}

#[cfg(test)]
mod tests;
