//! Copies of the whole database: made while a central serves it, looked through before they are
//! called good, and put in its place again.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::db::open::{create, denied, inspect};
use crate::db::schema::Central;
use crate::db::values::from_millis;
use crate::db::{Error, Result, Store};

/// All pages in one step: with a write-ahead log the central writes meanwhile, and a copy in several
/// steps would begin anew after each of its writes.
const PAGES: i32 = i32::MAX;
/// How long to wait before trying again, where another program has locked the file.
const PAUSE: Duration = Duration::from_millis(20);

/// What a file is that SQLite cannot read to its end.
const DAMAGED: &str = "a damaged database";

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// How many employees.
    pub employees: i64,
    /// How many events.
    pub events: i64,
    /// When the newest of them happened.
    pub newest: Option<DateTime<Utc>>,
    /// How many devices have an identity that holds.
    pub identities: i64,
    /// How many employees need one-time codes.
    pub codes: i64,
}

impl Store {
    /// Copies the database as it is at one moment into a new file, and looks the copy through.
    ///
    /// # Errors
    /// [`Error::Conflict`] if there is such a file, [`Error::NotOurs`] if the copy is damaged,
    /// [`Error::Denied`], or SQLite's. Then no such file is left.
    pub fn back_up(&self, to: &Path) -> Result<Contents> {
        into_place(to, to, |half_done| {
            let mut copy = Connection::open(half_done)?;
            let backup = Backup::new(&self.connection, &mut copy)?;
            backup.run_to_completion(PAGES, PAUSE, None)?;
            drop(backup);
            // One file, without a log beside it.
            copy.pragma_update(None, "journal_mode", "DELETE")?;
            Ok(())
        })
    }

    /// Puts a backup where there is no database, after looking it through.
    ///
    /// # Errors
    /// As [`Store::back_up`], also if a log is beside either file; [`Error::Missing`] if there is
    /// no backup.
    pub fn restore(from: &Path, to: &Path) -> Result<Contents> {
        if !from.exists() {
            return Err(Error::Missing(from.to_owned()));
        }
        // A served database is not whole without its log.
        let log = beside(from, "-wal");
        if log.exists() {
            return Err(Error::Conflict(format!(
                "{} is beside it: a database in use; 'twinkle central backup' copies one",
                log.display()
            )));
        }
        into_place(to, from, |half_done| {
            let copied = fs::copy(from, half_done);
            copied.map_err(|cause| denied(from, "copied", &cause.to_string()))?;
            Ok(())
        })
    }
}

/// The file of the same name with something after it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Has a file made beside its place, looks it through, and moves it there; what is found wrong with
/// it is said of that file.
fn into_place(to: &Path, of: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<Contents> {
    // A log left beside a former database would be played into the new one.
    let places = ["", "-wal", "-journal"].map(|suffix| beside(to, suffix));
    if let Some(there) = places.iter().find(|place| place.exists()) {
        return Err(Error::Conflict(format!(
            "there is a file {}; move it away, or name another place",
            there.display()
        )));
    }
    let half_done = beside(to, ".part");
    match fs::remove_file(&half_done) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            return Err(denied(&half_done, "removed", &cause.to_string()));
        }
        _ => (),
    }
    create(&half_done)?;
    let contents = make(&half_done).and_then(|()| {
        look_through(&half_done).map_err(|cause| match cause {
            Error::NotOurs { what, .. } => Error::NotOurs {
                path: of.to_owned(),
                what,
            },
            Error::SchemaTooNew { found, needed, .. } => Error::SchemaTooNew {
                path: of.to_owned(),
                found,
                needed,
            },
            Error::Damaged(_) => Error::NotOurs {
                path: of.to_owned(),
                what: DAMAGED.to_owned(),
            },
            cause => cause,
        })
    });
    let moved = contents.and_then(|contents| {
        let synced = File::open(&half_done)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&half_done, to))
            .and_then(
                |()| match to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    Some(folder) => File::open(folder)?.sync_all(),
                    None => Ok(()),
                },
            );
        synced.map_err(|cause| denied(to, "made", &cause.to_string()))?;
        Ok(contents)
    });
    if moved.is_err() {
        // What is left of it is of no use.
        let _gone = fs::remove_file(&half_done);
    }
    moved
}

/// Reads every page, and says what is there.
fn look_through(path: &Path) -> Result<Contents> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    inspect::<Central>(&connection, path)?;
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::NotOurs {
            path: path.to_owned(),
            what: DAMAGED.to_owned(),
        });
    }
    let identities = count(
        &connection,
        "identity",
        "ended IS NULL AND fingerprint IS NOT NULL",
    )?;
    let codes = count(&connection, "code", "true")?;
    Ok(connection.query_row(
        "SELECT (SELECT count(*) FROM employee), count(*), max(at) FROM event",
        [],
        |row| {
            let newest: Option<i64> = row.get(2)?;
            Ok(Contents {
                employees: row.get(0)?,
                events: row.get(1)?,
                newest: newest.map(from_millis),
                identities,
                codes,
            })
        },
    )?)
}

/// How many rows of a table are such; none if an older version wrote the file, without that table.
fn count(connection: &Connection, table: &str, which: &str) -> Result<i64> {
    let there: bool = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = ?1",
        [table],
        |row| row.get(0),
    )?;
    if !there {
        return Ok(0);
    }
    let sql = format!("SELECT count(*) FROM {table} WHERE {which}");
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}
