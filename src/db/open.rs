//! Opening a database file: finding out what it is before anything touches it, making a new one,
//! and saying what is wrong in words that help.

use std::fs::{self, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::marker::PhantomData;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use chrono_tz::Tz;
use nix::unistd::{Uid, User};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};
use tracing::info;

use crate::db::backup::beside;
use crate::db::lock::Served;
use crate::db::schema::{self, Kind};
use crate::db::watch::Watch;
use crate::db::writing::Writing;
use crate::db::{Database, Error, Result, Store, installation};

/// How often a change looks, a millisecond apart at the least, whether another program's is done: a
/// disk that others keep busy may have the central's take seconds.
const ADMIN_ATTEMPTS: i32 = 6_000;
/// After how many it says that it waits.
const SAY_AFTER: i32 = 1_000;
/// How long a server waits for an administrator's: the doors that wait with it have little time.
const SERVER_PATIENCE: Duration = Duration::from_millis(1_000);
/// How much of its file a server keeps at hand, KiB: the index of a hundred thousand badges, on a
/// machine with 512 MB.
const SERVER_CACHE_KIB: i32 = 16 * 1024;
/// Readable and writable by the user and the group that run twinkle, and nobody else: it is a list
/// of who was where when.
const FILE_MODE: u32 = 0o660;
/// Why a file cannot be written that SQLite opened.
pub(super) const READ_ONLY: &str = "it is read-only";
/// Prepared statements that are kept: more than there are.
const STATEMENTS: usize = 64;

/// How a server found its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There was none: it is new.
    Created,
    /// It was of an older version, and now is of this program's.
    Migrated,
    /// It was as it should be.
    Current,
}

/// A database, opened by the server it belongs to.
#[derive(Debug)]
pub struct Opened<K> {
    /// The database.
    pub store: Database<K>,
    /// How it was found.
    pub condition: Condition,
}

impl<K: Kind> Database<K> {
    /// Opens a database for its server: makes it if there is none, as `begin` fills it, brings it
    /// up to date if it is older, and keeps others of its kind away from it for as long as the
    /// store lives.
    pub(super) fn open_as_server(
        path: &Path,
        begin: impl FnOnce(&Writing<'_>) -> Result<()>,
    ) -> Result<Opened<K>> {
        let served = Served::claim_again::<K>(path)?;
        refuse_log_alone(path)?;
        let created = create(path)?;
        let connection = connect(path)?;
        connection.busy_timeout(SERVER_PATIENCE)?;
        let found = inspect::<K>(&connection, path)?;
        // SQLite takes such a file without a word, and would fail at the first flash.
        if connection.is_readonly(MAIN_DB)? {
            return Err(denied(path, "written", READ_ONLY));
        }
        connection.pragma_update(None, "cache_size", -SERVER_CACHE_KIB)?;
        if found == 0 {
            connection.pragma_update(None, "page_size", K::PAGE)?;
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        let mut store = Database {
            connection,
            path: path.to_owned(),
            file: identity(path),
            at_hand: None,
            doubt: None,
            watch: Watch::default(),
            rehearsing: false,
            served: None,
            kind: PhantomData,
        };
        store.served = Some(match served {
            Some(served) => served,
            None => Served::claim::<K>(path)?,
        });
        store.write(|transaction| schema::migrate::<K>(transaction, begin))?;
        let mode: String = store
            .connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(denied(
                path,
                "used",
                "its file system does not support write-ahead logs",
            ));
        }
        let condition = match found {
            _ if created => Condition::Created,
            found if found == schema::latest::<K>() => Condition::Current,
            _ => Condition::Migrated,
        };
        Ok(Opened { store, condition })
    }

    /// The database's file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Store {
    /// Opens a database for the central: makes it if there is none, with its days in that timezone,
    /// brings it up to date if it is older, and keeps other centrals away from it for as long as
    /// the store lives.
    ///
    /// # Errors
    /// [`Error::Served`] if another central has it, [`Error::SchemaTooNew`], [`Error::NotOurs`],
    /// [`Error::Denied`], [`Error::Busy`], or SQLite's.
    pub fn open_as_central(path: &Path, timezone: Tz) -> Result<Opened<schema::Central>> {
        Self::open_as_server(path, |transaction| {
            installation::begin(transaction, timezone)
        })
    }

    /// Opens an existing database, to read it and to make an administrator's changes beside a
    /// running central.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::SchemaTooOld`], [`Error::SchemaTooNew`], [`Error::NotOurs`],
    /// [`Error::Denied`], [`Error::Busy`], or SQLite's.
    pub fn open(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(file) if file.is_dir() => return Err(not_ours(path, "a folder")),
            Ok(_) => (),
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return Err(Error::Missing(path.to_owned()));
            }
            Err(cause) => return Err(denied(path, "read", &cause.to_string())),
        }
        let mut connection = connect(path)?;
        connection.busy_handler(Some(wait_for_lock))?;
        let found = inspect::<schema::Central>(&connection, path)?;
        let needed = schema::latest::<schema::Central>();
        if found < needed {
            let path = path.to_owned();
            return Err(Error::SchemaTooOld {
                path,
                found,
                needed,
            });
        }
        Ok(Store {
            connection,
            path: path.to_owned(),
            file: identity(path),
            at_hand: None,
            doubt: None,
            watch: Watch::default(),
            rehearsing: false,
            served: None,
            kind: PhantomData,
        })
    }
}

/// Fails if there is no database, but the log of one: that may hold what was stored last, and would be
/// thrown away if a new database was made.
fn refuse_log_alone(path: &Path) -> Result<()> {
    let log = beside(path, "-wal");
    if path.exists() || fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
        return Ok(());
    }
    let (path, log) = (path.display(), log.display());
    Err(Error::Conflict(format!(
        "{path} is gone, but its log {log} is there: put {path} back, or move the log away to begin a \
         new one"
    )))
}

/// Makes an empty file with the right mode if there is none; returns whether it did.
pub(super) fn create(path: &Path) -> Result<bool> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
    {
        Ok(file) => {
            // The mask of the user's shell must not lock the group out.
            file.set_permissions(Permissions::from_mode(FILE_MODE))
                .map_err(|cause| denied(path, "made", &cause.to_string()))?;
            Ok(true)
        }
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => match path.is_dir() {
            true => Err(not_ours(path, "a folder")),
            false => Ok(false),
        },
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path).display();
            Err(denied(
                path,
                "made",
                &format!("there is no folder {folder}"),
            ))
        }
        Err(cause) => Err(denied(path, "made", &cause.to_string())),
    }
}

/// Which file a path leads to: its device and number there; `None` if it leads nowhere.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

fn connect(path: &Path) -> Result<Connection> {
    // Never CREATE: a file that vanished meanwhile must not come back empty.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| explain(e, path))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else SQLite plans a kept statement anew whenever what is bound to it might let a partial index
    // do: once a flash, for most of what a flash costs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Finds out, without writing, whether the file is ours and of which version; then sets what holds
/// for each connection. 0 is an empty file.
pub(super) fn inspect<K: Kind>(connection: &Connection, path: &Path) -> Result<i64> {
    let number = |sql| {
        connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|e| explain(e, path))
    };
    let version: i64 = number("PRAGMA user_version")?;
    let application: i64 = number("PRAGMA application_id")?;
    let tables: i64 = number("SELECT count(*) FROM sqlite_schema")?;
    if application != i64::from(K::APPLICATION_ID) && tables > 0 {
        return Err(not_ours(path, schema::what_else(application)));
    }
    let needed = schema::latest::<K>();
    if version > needed {
        let path = path.to_owned();
        return Err(Error::SchemaTooNew {
            path,
            found: version,
            needed,
        });
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A name that was changed or erased must not stay readable in what is free of a page.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(version)
}

/// Waits for a lock in short steps: the central, when busy, leaves gaps of less than a millisecond
/// between its transactions, and SQLite's own waiting, in steps of up to 100 ms, would miss them.
pub(super) fn wait_for_lock(attempts: i32) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "SQLite has no other way to wait for a lock"
    )]
    std::thread::sleep(Duration::from_millis(1));
    if attempts == SAY_AFTER {
        info!("another program is writing to the database: waiting for it");
    }
    attempts < ADMIN_ATTEMPTS
}

/// A failure to open or first read the file, as one that says what to do.
fn explain(error: rusqlite::Error, path: &Path) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_ours(path, "no SQLite database"),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => denied(
            path,
            "opened",
            match path.exists() {
                true => "permission denied, or its folder may not be written",
                false => "it leads to a file that is not there",
            },
        ),
        Some(ErrorCode::ReadOnly) => denied(path, "used", READ_ONLY),
        Some(ErrorCode::DatabaseCorrupt) => Error::Damaged(path.to_owned()),
        _ => error.into(),
    }
}

fn not_ours(path: &Path, what: &'static str) -> Error {
    Error::NotOurs {
        path: path.to_owned(),
        what: what.to_owned(),
    }
}

/// Says what is in the way and, where another user owns the place, how to be that user.
pub(super) fn denied(path: &Path, needed: &'static str, why: &str) -> Error {
    let folder = || path.parent().and_then(|folder| fs::metadata(folder).ok());
    let owner = fs::metadata(path)
        .ok()
        .or_else(folder)
        .map(|file| Uid::from_raw(file.uid()));
    let why = match owner {
        Some(owner) if owner != Uid::effective() => match User::from_uid(owner) {
            Ok(Some(user)) => format!("{why}; try as its owner: sudo -u {} twinkle …", user.name),
            _ => format!("{why}; it belongs to user {owner}"),
        },
        _ => why.to_owned(),
    };
    Error::Denied {
        path: path.to_owned(),
        needed,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_is_built_as_the_build_is_configured() {
        let connection = Connection::open_in_memory().unwrap();
        let mut select = connection.prepare("PRAGMA compile_options").unwrap();
        let options = select.query_map([], |row| row.get(0)).unwrap();
        let options: Vec<String> = options.collect::<rusqlite::Result<_>>().unwrap();
        // That commits use fdatasync is no option that SQLite tells; it stands beside this one.
        let told = "OMIT_LOAD_EXTENSION".to_owned();
        assert!(
            options.contains(&told),
            "see .cargo/config.toml: {options:?}"
        );
        assert!(!options.iter().any(|option| option.contains("FTS")));
    }
}
