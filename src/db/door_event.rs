//! What happened at a door beside flashes, in the same log: stored once, whenever it comes.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::db::Result;
use crate::db::device::{self, DeviceKind};
use crate::db::values::to_millis;
use crate::domain::calendar::Days;
use crate::domain::door_event::Kind;
use crate::domain::ids::{DeviceName, EventId};

/// What happened at a door, as it came to the central.
#[derive(Debug)]
pub struct DoorEventEntry {
    /// The event's id.
    pub event: EventId,
    /// The door's name.
    pub door: DeviceName,
    /// The relay it came through; `None` if straight from the door.
    pub relay: Option<DeviceName>,
    /// What happened.
    pub kind: Kind,
    /// When it happened, by the central's clock.
    pub at: DateTime<Utc>,
    /// When it happened by the door's own clock, UTC milliseconds.
    pub device_at: i64,
    /// The event that it followed.
    pub about: Option<EventId>,
}

/// Appends it to the log. One whose id is there already came before, and is left as it is.
pub(super) fn store(connection: &Connection, new: &DoorEventEntry, days: Days) -> Result<()> {
    let door = device::find(connection, DeviceKind::Door, &new.door)?;
    let relay = match &new.relay {
        Some(name) => device::find(connection, DeviceKind::Relay, name)?,
        None => None,
    };
    connection
        .prepare_cached(
            "INSERT INTO event (uid, kind, at, day, door, relay, device_at, about)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (uid) DO NOTHING",
        )?
        .execute((
            new.event,
            &new.kind,
            to_millis(new.at),
            days.day_of(new.at),
            door,
            relay,
            new.device_at,
            new.about,
        ))?;
    Ok(())
}
