//! The identities that were given out, and which of them still hold. An identity is never taken
//! from this table: one that has ended must not be taken for one that never was.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::values::to_millis;
use crate::db::{Author, DeviceKind, Error, Result, Store, audit, device};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::DeviceName;
use crate::domain::near::nearest;

/// A device that was enrolled, by one identity of it that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// What it is.
    pub kind: DeviceKind,
    /// Its name.
    pub name: DeviceName,
    /// Its identity; `None` for a door of plain text, which can show none.
    pub fingerprint: Option<Fingerprint>,
    /// The relays through which a door may come.
    pub relays: BTreeSet<DeviceName>,
    /// Whether the identity was used yet.
    pub used: bool,
}

impl Store {
    /// Enrols a device.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the name is enrolled already, [`Error::NotFound`] if one of its relays
    /// is not, with the near names; else those of writing.
    pub fn enroll(&mut self, new: &Enrolled, author: &Author) -> Result<()> {
        let Enrolled {
            kind, name, relays, ..
        } = new;
        self.write(|transaction| {
            check_new(&select(transaction)?, new)?;
            device::learn(transaction, *kind, name, author.at)?;
            add(transaction, new, author.at)?;
            let through: Vec<_> = relays.iter().map(DeviceName::as_str).collect();
            let detail = match through.is_empty() {
                true => format!("{kind} '{name}'"),
                false => format!("{kind} '{name}' through {}", through.join(", ")),
            };
            audit::record(transaction, author, "enroll", None, &detail, &[])
        })
    }

    /// Whether a device can be enrolled.
    ///
    /// # Errors
    /// Those of [`Self::enroll`].
    pub fn may_enroll(&self, new: &Enrolled) -> Result<()> {
        check_new(&select(&self.connection)?, new)
    }

    /// What is known of an enrolled device.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not, with the near names; else those of reading.
    pub fn enrolled(&self, name: &DeviceName) -> Result<Enrolled> {
        named(&select(&self.connection)?, name)
    }

    /// Adds a new identity to an enrolled device; the one it has ends when this one is first used.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the device was disowned meanwhile; else those of writing.
    pub fn rotate(&mut self, new: &Enrolled, author: &Author) -> Result<()> {
        self.write(|transaction| {
            named(&select(transaction)?, &new.name)?;
            add(transaction, new, author.at)?;
            let detail = format!("{} '{}'", new.kind, new.name);
            audit::record(transaction, author, "rotate", None, &detail, &[])
        })
    }

    /// Ends all identities of a device. Returns what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it has none, with the near names; else those of writing.
    pub fn disown(&mut self, name: &DeviceName, author: &Author) -> Result<Enrolled> {
        self.write(|transaction| {
            let enrolled = named(&select(transaction)?, name)?;
            transaction
                .prepare_cached("UPDATE identity SET ended = ?2 WHERE name = ?1 AND ended IS NULL")?
                .execute((name, to_millis(author.at)))?;
            changed(transaction)?;
            let detail = format!("{} '{name}'", enrolled.kind);
            audit::record(transaction, author, "disown", None, &detail, &[])?;
            Ok(enrolled)
        })
    }

    /// Every identity that holds, by name and age.
    ///
    /// # Errors
    /// Those of reading.
    pub fn roll(&self) -> Result<Vec<Enrolled>> {
        select(&self.connection)
    }

    /// The devices that have no identity any more.
    ///
    /// # Errors
    /// Those of reading.
    pub fn disowned(&self) -> Result<BTreeSet<DeviceName>> {
        let mut select = self.connection.prepare_cached(
            "SELECT name FROM identity GROUP BY name HAVING count(*) = count(ended)",
        )?;
        let names = select.query_map([], |row| row.get(0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    }

    /// A number that changes whenever [`Self::roll`] does. Cheap to ask.
    ///
    /// # Errors
    /// Those of reading.
    pub fn roll_version(&self) -> Result<i64> {
        let mut select = self
            .connection
            .prepare_cached("SELECT identities FROM installation")?;
        Ok(select.query_row([], |row| row.get(0))?)
    }
}

/// Takes note that an identity is used. With its first use those end that its device had before.
pub(super) fn used(
    connection: &Connection,
    fingerprint: &Fingerprint,
    now: DateTime<Utc>,
) -> Result<()> {
    let first = connection
        .prepare_cached(
            "UPDATE identity SET used = ?2
             WHERE fingerprint = ?1 AND used IS NULL AND ended IS NULL RETURNING id, name",
        )?
        .query_row((fingerprint, to_millis(now)), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let Some((id, name)) = first else {
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE identity SET ended = ?3 WHERE name = ?1 AND id < ?2 AND ended IS NULL",
        )?
        .execute((name, id, to_millis(now)))?;
    changed(connection)
}

fn add(connection: &Connection, new: &Enrolled, now: DateTime<Utc>) -> Result<()> {
    connection.execute(
        "INSERT INTO identity (role, name, fingerprint, since) VALUES (?1, ?2, ?3, ?4)",
        (new.kind, &new.name, new.fingerprint, to_millis(now)),
    )?;
    let id = connection.last_insert_rowid();
    for relay in &new.relays {
        connection.execute(
            "INSERT INTO identity_relay (identity, relay) VALUES (?1, ?2)",
            (id, relay),
        )?;
    }
    changed(connection)
}

/// Tells the running central, which looks at this number; see [`Store::roll_version`].
fn changed(connection: &Connection) -> Result<()> {
    connection.execute("UPDATE installation SET identities = identities + 1", [])?;
    Ok(())
}

/// The device's newest identity.
fn named(known: &[Enrolled], name: &DeviceName) -> Result<Enrolled> {
    let found = known.iter().rev().find(|enrolled| enrolled.name == *name);
    found.cloned().ok_or_else(|| {
        let names = known.iter().map(|enrolled| enrolled.name.as_str());
        Error::NotFound(not_enrolled("device", name, names))
    })
}

fn check_new(known: &[Enrolled], new: &Enrolled) -> Result<()> {
    let name = &new.name;
    if let Some(other) = known.iter().find(|other| other.name == *name) {
        return Err(Error::Conflict(format!(
            "{} '{name}' is enrolled already: 'twinkle central rotate' makes a new identity for \
             it, 'disown' ends the one it has",
            other.kind
        )));
    }
    new.relays
        .iter()
        .try_for_each(|relay| check_relay(known, relay))
}

fn check_relay(known: &[Enrolled], name: &DeviceName) -> Result<()> {
    let mut relays = known.iter().filter(|other| other.kind == DeviceKind::Relay);
    match relays.clone().any(|relay| relay.name == *name) {
        true => Ok(()),
        false => {
            let names = relays.by_ref().map(|relay| relay.name.as_str());
            Err(Error::NotFound(not_enrolled("relay", name, names)))
        }
    }
}

fn not_enrolled<'a>(what: &str, name: &DeviceName, names: impl Iterator<Item = &'a str>) -> String {
    let mut near = nearest(name.as_str(), names);
    near.dedup();
    match near.is_empty() {
        true => format!("no {what} '{name}' is enrolled; 'twinkle central devices' shows all"),
        false => format!(
            "no {what} '{name}' is enrolled; did you mean '{}'?",
            near.join("' or '")
        ),
    }
}

fn select(connection: &Connection) -> Result<Vec<Enrolled>> {
    let mut relays =
        connection.prepare_cached("SELECT relay FROM identity_relay WHERE identity = ?1")?;
    let mut select = connection.prepare_cached(
        "SELECT id, role, name, fingerprint, used IS NOT NULL FROM identity
         WHERE ended IS NULL ORDER BY name, id",
    )?;
    let enrolled = select.query_map([], |row| {
        let id: i64 = row.get(0)?;
        let relays = relays.query_map([id], |row| row.get(0))?;
        Ok(Enrolled {
            kind: row.get(1)?,
            name: row.get(2)?,
            fingerprint: row.get(3)?,
            relays: relays.collect::<rusqlite::Result<_>>()?,
            used: row.get(4)?,
        })
    })?;
    Ok(enrolled.collect::<rusqlite::Result<_>>()?)
}
