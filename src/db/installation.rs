//! The one row that says which installation this is, and where its days begin and end.

use chrono_tz::Tz;
use rusqlite::Transaction;
use rusqlite::types::Type;

use crate::db::{Result, Store};
use crate::domain::ids::InstallationId;

/// Writes the row into a new database, with its days in that timezone.
pub(super) fn begin(transaction: &Transaction<'_>, timezone: Tz) -> Result<()> {
    transaction.execute(
        "INSERT INTO installation (id, timezone) VALUES (?1, ?2)",
        (InstallationId::generate(), timezone.name()),
    )?;
    Ok(())
}

impl Store {
    /// The installation's id.
    ///
    /// # Errors
    /// Those of reading.
    pub fn installation(&self) -> Result<InstallationId> {
        Ok(self
            .connection
            .query_row("SELECT id FROM installation", [], |row| row.get(0))?)
    }

    /// The timezone in which the installation's days begin and end.
    ///
    /// # Errors
    /// Those of reading; also if this program knows no such timezone.
    pub fn timezone(&self) -> Result<Tz> {
        Ok(self
            .connection
            .query_row("SELECT timezone FROM installation", [], |row| {
                let name = row.get_ref(0)?.as_str()?;
                name.parse().map_err(|cause| {
                    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(cause))
                })
            })?)
    }

    /// Sets that timezone, for the days to come: those of stored flashes stay as they are.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_timezone(&mut self, timezone: Tz) -> Result<()> {
        self.write(|transaction| {
            transaction.execute("UPDATE installation SET timezone = ?1", [timezone.name()])?;
            Ok(())
        })
    }
}
