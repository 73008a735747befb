//! The identities with which doors may come to a relay, kept for a start without its central.

use std::collections::HashSet;

use rusqlite::OptionalExtension;

use crate::db::{RelayStore, Result};
use crate::domain::fingerprint::Fingerprint;

impl RelayStore {
    /// The identities that the central told last; `None` if it never told any.
    ///
    /// # Errors
    /// Those of reading.
    pub fn kept_roll(&self) -> Result<Option<HashSet<Fingerprint>>> {
        let mut select = self.connection.prepare("SELECT identities FROM roll")?;
        let bytes: Option<Vec<u8>> = select.query_row([], |row| row.get(0)).optional()?;
        let (roll, _) = bytes.as_deref().map(<[u8]>::as_chunks).unzip();
        Ok(roll.map(|roll| roll.iter().copied().map(Fingerprint::from_bytes).collect()))
    }

    /// Keeps what the central tells. What is kept already is not written again.
    ///
    /// # Errors
    /// Those of writing.
    pub fn keep_roll(&mut self, roll: &HashSet<Fingerprint>) -> Result<()> {
        if self.kept_roll()?.as_ref() == Some(roll) {
            return Ok(());
        }
        let bytes: Vec<u8> = roll
            .iter()
            .flat_map(|identity| *identity.as_bytes())
            .collect();
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO roll (id, identities) VALUES (1, ?1)
                 ON CONFLICT (id) DO UPDATE SET identities = excluded.identities",
                [bytes],
            )?;
            Ok(())
        })
    }
}
