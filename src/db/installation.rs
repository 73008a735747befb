//! The one row that says which installation this is.

use crate::db::{Result, Store};
use crate::domain::ids::InstallationId;

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
