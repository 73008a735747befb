//! The write-ahead log, and how it comes into the database (<https://sqlite.org/wal.html>): usually
//! within a commit, which then takes several flushes; for our servers beside or after it.

use crate::db::schema::Kind;
use crate::db::{Database, Result};

/// A log of so many bytes is moved by the commit that finds it so: whoever else is to do that cannot
/// keep up, and the log must not grow without end. It is then written over from its start, and
/// a flush takes less time where the file does not grow.
const TOO_LONG: u32 = 16 << 20;

impl<K: Kind> Database<K> {
    /// No longer moves the log within a commit, unless that grows too long: it is for the caller to do.
    ///
    /// # Errors
    /// SQLite's.
    pub fn leave_log(&self) -> Result<()> {
        let pages = self.pages(TOO_LONG)?;
        self.connection
            .pragma_update(None, "wal_autocheckpoint", pages)?;
        Ok(())
    }

    /// How many pages of the log are still to be moved. Asking costs next to nothing.
    ///
    /// # Errors
    /// [`crate::db::Error::Busy`] while it is being moved, or SQLite's.
    pub fn log_length(&self) -> Result<u32> {
        // Of `main` alone: the place for temporary tables, if it is in use, makes it an error.
        let mut look = self
            .connection
            .prepare_cached("PRAGMA main.wal_checkpoint(NOOP)")?;
        let (log, moved) = look.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
        let (log, moved): (i64, i64) = (log, moved);
        Ok(u32::try_from(log - moved).unwrap_or_default())
    }

    /// How many of this database's pages so many bytes are.
    ///
    /// # Errors
    /// SQLite's.
    pub fn pages(&self, bytes: u32) -> Result<u32> {
        let size: u32 = self
            .connection
            .query_row("PRAGMA page_size", [], |row| row.get(0))?;
        Ok(bytes / size)
    }

    /// Moves what the log holds into the database; neither waits for a writer, nor does one wait for
    /// it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn move_log(&self) -> Result<()> {
        let mut checkpoint = self
            .connection
            .prepare_cached("PRAGMA main.wal_checkpoint(PASSIVE)")?;
        Ok(checkpoint.query_row([], |_| Ok(()))?)
    }
}
