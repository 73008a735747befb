//! The doors and the relays, each known by its name from its first Hello, and when each was last
//! heard of.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::statements::Statements;
use crate::db::values::{from_millis, to_millis};
use crate::db::{Error, Result, Store};
use crate::domain::access::Door;
use crate::domain::ids::DeviceName;
use crate::domain::near::nearest;
use crate::domain::spool::Kept;

/// So many doors can be named all, where none is near.
const FEW: usize = 5;

/// What a device is, and so which of the two tables it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    /// A door.
    Door,
    /// A site's relay.
    Relay,
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

impl DeviceKind {
    /// As it is stored and shown.
    pub fn code(self) -> &'static str {
        match self {
            DeviceKind::Door => "door",
            DeviceKind::Relay => "relay",
        }
    }

    fn select(self) -> &'static str {
        match self {
            DeviceKind::Door => "SELECT id FROM door WHERE name = ?1",
            DeviceKind::Relay => "SELECT id FROM relay WHERE name = ?1",
        }
    }

    fn insert(self) -> &'static str {
        match self {
            DeviceKind::Door => "INSERT INTO door (name, since) VALUES (?1, ?2)",
            DeviceKind::Relay => "INSERT INTO relay (name, since) VALUES (?1, ?2)",
        }
    }
}

/// A door or a relay, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub kind: DeviceKind,
    /// Its name.
    pub name: String,
    /// When it became known.
    pub since: DateTime<Utc>,
    /// Since when it is connected, as the central last wrote down; `None` if it is not. A central
    /// that was killed writes nothing any more: see [`Store::is_served`].
    pub connected: Option<DateTime<Utc>>,
    /// When it was last heard of, to a few minutes; `None` if never since that is written down.
    pub heard: Option<DateTime<Utc>>,
    /// The relay through which a door last came; `None` if straight, and for a relay.
    pub relay: Option<String>,
    /// How a relay stands with what it keeps; `None` for a door.
    pub kept: Option<Kept>,
    /// Whether it is out of service.
    pub retired: bool,
}

impl Device {
    /// How it stands beside its connection: out of service, or what a relay keeps, as
    /// [`Kept::describe`] says that. Empty if there is nothing to say.
    pub fn keeps(&self, connected: bool, time: impl FnOnce(DateTime<Utc>) -> String) -> String {
        match &self.kept {
            _ if self.retired => "out of service".to_owned(),
            Some(kept) => kept.describe(connected, time),
            None => String::new(),
        }
    }
}

/// What became of a device's connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What it is.
    pub kind: DeviceKind,
    /// Its name.
    pub name: DeviceName,
    /// When.
    pub at: DateTime<Utc>,
    /// What was seen of it.
    pub seen: Seen,
}

/// See [`Sighting`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is connected since then; a door through that relay, or straight.
    Connected(Option<DeviceName>),
    /// It is not connected any more.
    Gone,
    /// A door that never stays connected, one for plain text, has flashed.
    Flashed,
}

impl Store {
    /// All relays and then all doors, by name.
    ///
    /// # Errors
    /// Those of reading.
    pub fn devices(&self) -> Result<Vec<Device>> {
        let mut select = self.connection.prepare_cached(
            "SELECT 1, name, since, connected, heard, NULL, (SELECT alive FROM installation),
                 waiting, offline_for, complete_until, retired IS NOT NULL
             FROM relay
             UNION ALL
             SELECT 0, door.name, door.since, door.connected, door.heard, relay.name,
                 (SELECT alive FROM installation), NULL, NULL, NULL, door.retired IS NOT NULL
             FROM door LEFT JOIN relay ON relay.id = door.relay
             ORDER BY 1 DESC, 2",
        )?;
        let devices = select.query_map([], |row| {
            let connected: Option<i64> = row.get(3)?;
            let (heard, alive): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(6)?);
            // What is connected is heard of all the time, for as long as the central lives.
            let heard = if connected.is_some() {
                heard.max(alive)
            } else {
                heard
            };
            Ok(Device {
                kind: match row.get(0)? {
                    true => DeviceKind::Relay,
                    false => DeviceKind::Door,
                },
                name: row.get(1)?,
                since: from_millis(row.get(2)?),
                connected: connected.map(from_millis),
                heard: heard.map(from_millis),
                relay: row.get(5)?,
                kept: match row.get::<_, Option<u64>>(7)? {
                    Some(waiting) => Some(Kept {
                        waiting,
                        offline_for: row.get::<_, Option<i64>>(8)?.map(TimeDelta::milliseconds),
                        complete_until: row.get::<_, Option<i64>>(9)?.map(from_millis),
                    }),
                    None => None,
                },
                retired: row.get(10)?,
            })
        })?;
        Ok(devices.collect::<rusqlite::Result<_>>()?)
    }

    /// The door of that name.
    ///
    /// # Errors
    /// [`Error::NotFound`] if none is known, with the near names; else those of reading.
    pub fn door(&self, name: &str) -> Result<Device> {
        let (mut doors, others): (Vec<_>, Vec<_>) = self
            .devices()?
            .into_iter()
            .filter(|device| device.kind == DeviceKind::Door)
            .partition(|door| door.name == name);
        doors.pop().ok_or_else(|| {
            let names = || others.iter().map(|door| door.name.as_str());
            let quoted = |names: Vec<&str>, between| {
                let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
                quoted.join(between)
            };
            let near = nearest(name, names());
            Error::NotFound(if others.is_empty() {
                format!(
                    "no door '{name}': no door has ever connected; one is known from its first \
                     connection on, or once it is enrolled"
                )
            } else if !near.is_empty() {
                let near = quoted(near, " or ");
                format!("no door '{name}'; did you mean {near}?")
            } else if others.len() <= FEW {
                let all = quoted(names().collect(), ", ");
                format!(
                    "no door '{name}'; there are {all}; another is known from its first \
                     connection on, or once it is enrolled"
                )
            } else {
                format!("no door '{name}'; 'twinkle report live' shows all")
            })
        })
    }

    /// Takes note that no device is connected: the central has only just started. Those that were
    /// when the last one ended were last heard of when it last wrote that it lived.
    ///
    /// # Errors
    /// Those of writing.
    pub fn nobody_is_connected(&mut self) -> Result<()> {
        self.write(|transaction| {
            for table in ["door", "relay"] {
                let sql = format!(
                    "UPDATE {table} SET connected = NULL,
                         heard = max(heard, coalesce((SELECT alive FROM installation), heard))
                     WHERE connected IS NOT NULL"
                );
                transaction.execute(&sql, [])?;
            }
            Ok(())
        })
    }
}

/// The id of a device, if it is known.
pub(super) fn find(
    connection: &Connection,
    kind: DeviceKind,
    name: &DeviceName,
) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached(kind.select())?;
    Ok(find.query_row([name], |row| row.get(0)).optional()?)
}

/// A door that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownDoor {
    pub(super) id: i64,
    /// Whether it is only an exit.
    pub(super) is_exit: bool,
    /// What a decision needs of it.
    pub(super) facts: Door,
}

/// A door by its name.
pub(super) fn door(
    statements: &mut Statements<'_>,
    name: &DeviceName,
) -> Result<Option<KnownDoor>> {
    let find = statements.get(
        "SELECT id, direction = 'out', retired IS NOT NULL, requires_code FROM door
         WHERE name = ?1",
    )?;
    let door = find.query_row([name], |row| {
        Ok(KnownDoor {
            id: row.get(0)?,
            is_exit: row.get(1)?,
            facts: Door {
                retired: row.get(2)?,
                requires_code: row.get(3)?,
            },
        })
    });
    Ok(door.optional()?)
}

/// Takes note of a device. Writes nothing if it is known, so that known devices are taken on a full
/// disk too.
pub(super) fn learn(
    connection: &Connection,
    kind: DeviceKind,
    name: &DeviceName,
    now: DateTime<Utc>,
) -> Result<()> {
    if find(connection, kind, name)?.is_none() {
        let values = (name, to_millis(now));
        connection.prepare_cached(kind.insert())?.execute(values)?;
    }
    Ok(())
}

/// Takes note of what was seen of devices, and that the central lives.
pub(super) fn note(
    connection: &Connection,
    sightings: &[Sighting],
    now: DateTime<Utc>,
) -> Result<()> {
    for Sighting {
        kind,
        name,
        at,
        seen,
    } in sightings
    {
        let at = to_millis(*at);
        match (kind, seen) {
            (DeviceKind::Door, Seen::Connected(relay)) => connection
                .prepare_cached(
                    "UPDATE door SET connected = ?2, heard = ?2,
                         relay = (SELECT id FROM relay WHERE name = ?3)
                     WHERE name = ?1",
                )?
                .execute((name, at, relay))?,
            (DeviceKind::Relay, Seen::Connected(_)) => connection
                .prepare_cached("UPDATE relay SET connected = ?2, heard = ?2 WHERE name = ?1")?
                .execute((name, at))?,
            (DeviceKind::Door, Seen::Gone) => connection
                .prepare_cached("UPDATE door SET connected = NULL, heard = ?2 WHERE name = ?1")?
                .execute((name, at))?,
            (DeviceKind::Relay, Seen::Gone) => connection
                .prepare_cached("UPDATE relay SET connected = NULL, heard = ?2 WHERE name = ?1")?
                .execute((name, at))?,
            (_, Seen::Flashed) => connection
                .prepare_cached("UPDATE door SET heard = ?2 WHERE name = ?1")?
                .execute((name, at))?,
        };
    }
    connection
        .prepare_cached("UPDATE installation SET alive = ?1")?
        .execute([to_millis(now)])?;
    Ok(())
}
