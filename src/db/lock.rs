//! The lock that a server holds on its database, and what it tells: whether one serves it now, and
//! how the last one ended.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;

use crate::db::backup::beside;
use crate::db::open::{create, denied, wait_for_lock};
use crate::db::schema::Kind;
use crate::db::{Database, Error, Result, Store};

/// How often a server tries for its lock, 1 ms apart: [`Store::is_served`] may just be looking.
const CLAIM_ATTEMPTS: i32 = 20;
/// What stands in the lock's file from the beginning of a service to its orderly end.
const SERVING: &[u8] = b"serving\n";

/// A server's hold of its database. The kernel takes it back when the process ends, however it ends;
/// the file beside the database stays.
#[derive(Debug)]
pub(super) struct Served {
    file: File,
    path: PathBuf,
    /// Whether [`SERVING`] stands in it.
    serving: bool,
}

impl Served {
    /// Takes the database for one server.
    pub(super) fn claim<K: Kind>(path: &Path) -> Result<Self> {
        let lock_path = lock_of(path)?;
        create(&lock_path)?;
        let file = OpenOptions::new()
            .write(true)
            .open(&lock_path)
            .map_err(|cause| denied(&lock_path, "written", &cause.to_string()))?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match file.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) if attempts < CLAIM_ATTEMPTS => {
                    wait_for_lock(attempts);
                }
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(Error::Served {
                        path: path.to_owned(),
                        server: K::SERVER,
                    });
                }
                Err(fs::TryLockError::Error(cause)) => {
                    return Err(denied(&lock_path, "locked", &cause.to_string()));
                }
            }
        }
        Ok(Self {
            file,
            path: lock_path,
            serving: false,
        })
    }

    /// Takes the database for one server if one has ever served it, whether it is there or not. To be
    /// asked before it is opened: SQLite throws away the log of a database that it does not find.
    pub(super) fn claim_again<K: Kind>(path: &Path) -> Result<Option<Self>> {
        match lock_of(path) {
            Ok(lock) if lock.exists() => match Self::claim::<K>(path) {
                // Who opens the database says more of what may not be written.
                Err(Error::Denied { .. }) => Ok(None),
                claimed => claimed.map(Some),
            },
            _ => Ok(None),
        }
    }

    /// Writes down that it serves; returns whether that stood there still.
    fn begin(&mut self) -> Result<bool> {
        let cannot = |cause: std::io::Error| denied(&self.path, "written", &cause.to_string());
        let was_cut_off = self.file.metadata().map_err(cannot)?.len() > 0;
        if !was_cut_off {
            let written = self.file.write_all(SERVING);
            written
                .and_then(|()| self.file.sync_all())
                .map_err(cannot)?;
        }
        self.serving = true;
        Ok(was_cut_off)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Who panics has not ended in an orderly way. If it cannot be written, the next one looks
        // the database over once for nothing.
        if self.serving && !thread::panicking() {
            let _written = self.file.set_len(0);
        }
    }
}

impl<K: Kind> Database<K> {
    /// Writes down that the database is being served, until it is dropped; returns whether the last
    /// one that served it was cut off: killed, or by a power cut.
    ///
    /// # Errors
    /// [`Error::Denied`] if that cannot be written.
    pub fn begin_service(&mut self) -> Result<bool> {
        self.served.as_mut().map_or(Ok(false), Served::begin)
    }

    /// What is wrong with the database's file, as SQLite sees it who looks through all of it; empty
    /// if nothing is. That may take minutes.
    ///
    /// # Errors
    /// Those of reading.
    pub fn damage(&self) -> Result<Vec<String>> {
        let check = || {
            let mut check = self.connection.prepare("PRAGMA quick_check(10)")?;
            let lines = check.query_map([], |row| row.get(0))?;
            lines.collect::<rusqlite::Result<Vec<String>>>()
        };
        let lines = check().map_err(|error| self.name(error.into()))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

impl Store {
    /// Whether a central serves the database now.
    ///
    /// # Errors
    /// [`Error::Denied`] if that cannot be found out.
    pub fn is_served(&self) -> Result<bool> {
        let path = lock_of(&self.path)?;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(false),
            Err(cause) => return Err(denied(&path, "read", &cause.to_string())),
        };
        // Given back at once: a central that starts in this moment tries again.
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(cause)) => Err(denied(&path, "locked", &cause.to_string())),
        }
    }
}

/// The file whose lock a server holds.
fn lock_of(path: &Path) -> Result<PathBuf> {
    // By whatever name the database was opened, there is one lock, also while there is none.
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let real = match path.canonicalize() {
        Err(cause) if cause.kind() == ErrorKind::NotFound => folder
            .canonicalize()
            .map(|folder| folder.join(path.file_name().unwrap_or_default())),
        found => found,
    };
    let real = real.map_err(|cause| denied(path, "found", &cause.to_string()))?;
    Ok(beside(&real, ".lock"))
}
