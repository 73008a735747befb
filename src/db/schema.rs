//! The kinds of database, each with its tables as a list of migrations, and how one is brought up to
//! date. A migration that has landed is never edited: a change is a new one at the end.

use rusqlite::Connection;

use crate::db::writing::Writing;
use crate::db::{Result, central_schema, relay_schema};

/// One of our kinds of database.
pub trait Kind {
    /// Marks a SQLite file as one of this kind (`PRAGMA application_id`).
    const APPLICATION_ID: i32;
    /// The tables; see the module.
    const MIGRATIONS: &'static [&'static str];
    /// How large a page of a new file is, bytes. One that is there keeps its own.
    const PAGE: u32;
    /// What serves such a file, for people.
    const SERVER: &'static str;
}

/// The organisation's database.
#[derive(Debug)]
pub struct Central;

impl Kind for Central {
    /// "TWKL".
    const APPLICATION_ID: i32 = 0x5457_4B4C;
    const MIGRATIONS: &'static [&'static str] = central_schema::MIGRATIONS;
    /// Of a flash some short rows are stored, each in another page, and all of those are written and
    /// flushed: with SQLite's usual 4096 SD cards wear more.
    const PAGE: u32 = 1024;
    const SERVER: &'static str = "central";
}

/// A relay's own file.
#[derive(Debug)]
pub struct Relay;

impl Kind for Relay {
    /// "TWRL".
    const APPLICATION_ID: i32 = 0x5457_524C;
    const MIGRATIONS: &'static [&'static str] = relay_schema::MIGRATIONS;
    /// The rows of a busy relay are long: with smaller pages moving them out of the log takes four times
    /// as many reads and writes, on a machine whose central is deciding meanwhile.
    const PAGE: u32 = 4096;
    const SERVER: &'static str = "relay";
}

/// What a SQLite file with that mark is that was expected to be of another kind.
pub(super) fn what_else(application: i64) -> &'static str {
    if application == i64::from(Central::APPLICATION_ID) {
        "a central's database, not a relay's file"
    } else if application == i64::from(Relay::APPLICATION_ID) {
        "a relay's file, not a central's database"
    } else {
        "a SQLite database, but not one of twinkle's"
    }
}

/// The version of a kind that this program reads and writes.
pub(super) fn latest<K: Kind>() -> i64 {
    i64::try_from(K::MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version of a database; 0 for an empty one.
pub(super) fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Brings a database to the latest version; `begin` fills a new one.
pub(super) fn migrate<K: Kind>(
    transaction: &Writing<'_>,
    begin: impl FnOnce(&Writing<'_>) -> Result<()>,
) -> Result<()> {
    let from = version(transaction)?;
    for (to, migration) in (1..).zip(K::MIGRATIONS) {
        if to <= from {
            continue;
        }
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", to)?;
    }
    if from == 0 {
        transaction.pragma_update(None, "application_id", K::APPLICATION_ID)?;
        begin(transaction)?;
    }
    Ok(())
}
