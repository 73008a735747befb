//! The one row that says which installation this is.

use chrono_tz::Tz;

use crate::db::writing::Writing;
use crate::db::{Result, Store};
use crate::domain::ids::InstallationId;

/// Writes the row into a new database, with its days in that timezone.
pub(super) fn begin(transaction: &Writing<'_>, timezone: Tz) -> Result<()> {
    let id = InstallationId::generate();
    transaction.execute("INSERT INTO installation (id) VALUES (?1)", [id])?;
    transaction.execute(
        "INSERT INTO calendar_rule VALUES ('', ?1, 0, 'sunday', 1)",
        [timezone.name()],
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
}
