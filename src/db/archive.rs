//! Old events, moved to a file of their own in slices that no flash notices. What they came to,
//! attendance, stays.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::db::open::{create, denied};
use crate::db::values::to_millis;
use crate::db::{Author, Error, Result, Store, audit, uncounted};
use crate::domain::calendar::Day;

/// Marks a SQLite file as an archive: "TWKA".
const APPLICATION_ID: i32 = 0x5457_4B41;
/// How many events move at once: few enough for a flash behind them to wait a few milliseconds.
const SLICE: usize = 512;
/// How many pages are given back at once.
const PAGES: i64 = 256;
/// For how many times as long as a slice took flashes have the database for themselves.
const REST: u32 = 1;

/// Names instead of numbers, so that it can be read alone; but no person's: who is erased must not
/// live on here.
const TABLES: &str = "
CREATE TABLE installation (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;
CREATE TABLE event (
    uid         BLOB PRIMARY KEY CHECK (length(uid) = 16),
    kind        TEXT NOT NULL,
    at          INTEGER NOT NULL,       -- UTC milliseconds
    day         TEXT NOT NULL,          -- YYYY-MM-DD
    door        TEXT,
    relay       TEXT,
    twinklet    INTEGER,
    employee    INTEGER,                -- the employee's number
    verdict     TEXT,
    device_at   INTEGER NOT NULL,       -- UTC milliseconds
    about       BLOB,
    received    INTEGER,                -- UTC milliseconds
    clock       TEXT,
    undelivered INTEGER,                -- since when, UTC milliseconds; NULL: it was delivered
    overruled   TEXT,                   -- what the central had decided, where the door did otherwise
    guesses     INTEGER,                -- how many unknown badges it stands for
    hasty       INTEGER                 -- so many milliseconds after the badge was at another door
) STRICT;
CREATE INDEX event_at ON event (at);
";

const SELECT: &str = "
SELECT event.uid, event.kind, event.at, event.day, door.name, relay.name, event.twinklet,
    event.employee, event.verdict, event.device_at, event.about, event.received, event.clock,
    undelivered.at, overruled.verdict, guessing.count, hasty.after, event.id
FROM event
    LEFT JOIN door ON door.id = event.door
    LEFT JOIN relay ON relay.id = event.relay
    LEFT JOIN undelivered ON undelivered.uid = event.uid
    LEFT JOIN overruled ON overruled.uid = event.uid
    LEFT JOIN guessing ON guessing.event = event.id
    LEFT JOIN hasty ON hasty.event = event.id
WHERE event.at < ?1 AND event.day < ?2
ORDER BY event.at LIMIT ?3";
/// Of an archived event; behind them comes the number that it has here.
const COLUMNS: usize = 17;
/// All that goes with an event, and then itself; what is about it goes before it.
const DELETE: [(&str, usize); 6] = [
    ("DELETE FROM undelivered WHERE uid = ?1", 0),
    ("DELETE FROM overruled WHERE uid = ?1", 0),
    ("DELETE FROM guessing WHERE event = ?1", COLUMNS),
    ("DELETE FROM hasty WHERE event = ?1", COLUMNS),
    ("UPDATE guess SET event = NULL WHERE event = ?1", COLUMNS),
    ("DELETE FROM event WHERE id = ?1", COLUMNS),
];

/// What moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Archived {
    /// How many events.
    pub events: usize,
    /// How many bytes the database has become smaller.
    pub freed: u64,
    /// Whether the rest of the free space can be given back; else only by making the file anew.
    pub shrinks: bool,
}

impl Store {
    /// Moves all events of the days before that one into the archive, which is made if there is none.
    /// What was interrupted is done again and comes to the same.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the file is no archive of this installation, [`Error::Denied`], or those
    /// of writing either.
    pub fn archive(&mut self, before: Day, to: &Path, author: &Author) -> Result<Archived> {
        let mut archive = self.open_archive(to)?;
        let last = before.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc();
        // Days begin and end where the installation is; this only spares a look at the others.
        let at = to_millis(last).saturating_add(2 * 86_400_000);
        self.write(|transaction| {
            let detail = format!("events before {before} into {}", to.display());
            audit::record(transaction, author, "archive", None, &detail, &[])?;
            transaction.execute(
                "UPDATE installation SET archived = max(coalesce(archived, ''), ?1)",
                [before],
            )?;
            Ok(())
        })?;
        let mut done = Archived::default();
        loop {
            let began = Instant::now();
            let rows = self.oldest(at, before)?;
            if rows.is_empty() {
                break;
            }
            // First there, and only then no longer here: a power cut between the two repeats it.
            keep(&mut archive, &rows)?;
            self.write(|transaction| {
                // What they came to stays, so that must be known before they go.
                uncounted::settle(transaction)?;
                for (sql, column) in DELETE {
                    let mut delete = transaction.prepare_cached(sql)?;
                    for key in rows.iter().filter_map(|row| row.get(column)) {
                        delete.execute([key])?;
                    }
                }
                Ok(())
            })?;
            done.events += rows.len();
            rest(began.elapsed());
        }
        (done.freed, done.shrinks) = self.shrink()?;
        Ok(done)
    }

    fn oldest(&self, at: i64, before: Day) -> Result<Vec<Vec<Value>>> {
        let mut select = self.connection.prepare_cached(SELECT)?;
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        let rows = select.query_map((at, before, limit), |row| {
            (0..=COLUMNS).map(|column| row.get(column)).collect()
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn open_archive(&self, path: &Path) -> Result<Connection> {
        let installation = self.installation()?;
        if !path.exists() {
            create(path)?;
        }
        let mut archive =
            Connection::open(path).map_err(|cause| denied(path, "opened", &cause.to_string()))?;
        let conflict = |what: &str| Error::Conflict(format!("{} {what}", path.display()));
        let pragma = |name: &str| -> rusqlite::Result<i64> {
            archive.pragma_query_value(None, name, |row| row.get(0))
        };
        let marks = pragma("application_id").and_then(|id| Ok((id, pragma("schema_version")?)));
        match marks.map_err(|_| conflict("is no SQLite database; name another file"))? {
            (0, 0) => {
                let transaction = archive.transaction()?;
                transaction.execute_batch(TABLES)?;
                transaction.execute("INSERT INTO installation VALUES (?1)", [installation])?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.commit()?;
            }
            (id, _) if id == i64::from(APPLICATION_ID) => {
                let ours = "SELECT count(*) FROM installation WHERE id = ?1";
                let ours: i64 = archive.query_row(ours, [installation], |row| row.get(0))?;
                if ours == 0 {
                    return Err(conflict("is the archive of another installation"));
                }
            }
            _ => return Err(conflict("is no archive of events; name another file")),
        }
        archive.pragma_update(None, "synchronous", "FULL")?;
        Ok(archive)
    }

    /// Gives free pages back to the disk; returns how many bytes, and whether that can be done.
    fn shrink(&self) -> Result<(u64, bool)> {
        let pragma = |name: &str| -> Result<i64> {
            Ok(self
                .connection
                .pragma_query_value(None, name, |row| row.get(0))?)
        };
        // 2: incremental, as every database of ours is made.
        if pragma("auto_vacuum")? != 2 {
            return Ok((0, false));
        }
        let before = pragma("page_count")?;
        while pragma("freelist_count")? > 0 {
            let began = Instant::now();
            let free = format!("PRAGMA incremental_vacuum({PAGES})");
            self.connection.execute_batch(&free)?;
            rest(began.elapsed());
        }
        let pages = before.saturating_sub(pragma("page_count")?);
        let bytes = pages.saturating_mul(pragma("page_size")?);
        Ok((u64::try_from(bytes).unwrap_or(0), true))
    }

    /// The day before which events are archived; `None`: none are.
    ///
    /// # Errors
    /// Those of reading.
    pub fn archived_before(&self) -> Result<Option<Day>> {
        Ok(self
            .connection
            .query_row("SELECT archived FROM installation", [], |row| row.get(0))?)
    }
}

fn keep(archive: &mut Connection, rows: &[Vec<Value>]) -> Result<()> {
    let transaction = archive.transaction()?;
    let places = vec!["?"; COLUMNS].join(", ");
    let sql = format!("INSERT INTO event VALUES ({places}) ON CONFLICT (uid) DO NOTHING");
    let mut insert = transaction.prepare_cached(&sql)?;
    for row in rows {
        insert.execute(params_from_iter(row.iter().take(COLUMNS)))?;
    }
    drop(insert);
    transaction.commit()?;
    Ok(())
}

/// Leaves the database to others for so many times as long as a slice took.
#[expect(
    clippy::disallowed_methods,
    reason = "a command beside the central, which has nothing else to do"
)]
fn rest(took: Duration) {
    std::thread::sleep(took * REST);
}
