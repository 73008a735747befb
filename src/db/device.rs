//! The doors and the relays, each known by its name from its first Hello.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::Result;
use crate::db::values::to_millis;
use crate::domain::ids::DeviceName;

/// Which of the two tables.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Door,
    Relay,
}

impl Kind {
    fn select(self) -> &'static str {
        match self {
            Kind::Door => "SELECT id FROM door WHERE name = ?1",
            Kind::Relay => "SELECT id FROM relay WHERE name = ?1",
        }
    }

    fn insert(self) -> &'static str {
        match self {
            Kind::Door => "INSERT INTO door (name, since) VALUES (?1, ?2)",
            Kind::Relay => "INSERT INTO relay (name, since) VALUES (?1, ?2)",
        }
    }
}

/// The id of a device, if it is known.
pub(super) fn find(connection: &Connection, kind: Kind, name: &DeviceName) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached(kind.select())?;
    Ok(find.query_row([name], |row| row.get(0)).optional()?)
}

/// Takes note of a device. Writes nothing if it is known, so that known devices are taken on a full
/// disk too.
pub(super) fn learn(
    connection: &Connection,
    kind: Kind,
    name: &DeviceName,
    now: DateTime<Utc>,
) -> Result<()> {
    if find(connection, kind, name)?.is_none() {
        let values = (name, to_millis(now));
        connection.prepare_cached(kind.insert())?.execute(values)?;
    }
    Ok(())
}
