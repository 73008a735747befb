//! How long flashes took through relays: figures for whoever looks after the network, in a table of
//! their own, and kept for as long as that is of use.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::at_hand::Devices;
use crate::db::statements::Statements;
use crate::db::values::{from_millis, to_millis};
use crate::db::{Result, Store};
use crate::domain::ids::DeviceName;

/// How long they are kept.
const KEPT: TimeDelta = TimeDelta::days(90);
/// So many old ones go at the most for each that comes: a long outage must not make the next flash
/// wait until all of them are gone.
const GO_FOR_EACH: usize = 2;

/// What a relay told.
#[derive(Debug)]
pub struct ToldDelays {
    /// The relay.
    pub relay: DeviceName,
    /// One for each flash.
    pub delays: Vec<ToldDelay>,
}

/// How long one flash took.
#[derive(Debug)]
pub struct ToldDelay {
    /// The door it came from.
    pub door: DeviceName,
    /// When it was answered.
    pub at: DateTime<Utc>,
    /// In microseconds.
    pub us: u32,
}

/// How long one flash took, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayRow {
    /// When it was answered.
    pub at: DateTime<Utc>,
    /// The door it came from.
    pub door: String,
    /// The relay it came through.
    pub relay: String,
    /// From its arrival at the relay to its answer, in microseconds.
    pub us: u32,
}

/// Which delays somebody asks for.
#[derive(Debug, Clone)]
pub struct DelayFilter {
    /// From then on.
    pub from: DateTime<Utc>,
    /// Until before then.
    pub until: DateTime<Utc>,
    /// Of this door's flashes.
    pub door: Option<DeviceName>,
    /// Of those through this relay.
    pub relay: Option<DeviceName>,
}

/// Stores what a relay told. What it says of doors that nobody knows is dropped.
pub(super) fn store(
    statements: &mut Statements<'_>,
    told: &ToldDelays,
    devices: &mut Devices,
    now: DateTime<Utc>,
) -> Result<()> {
    let connection = statements.connection();
    let Some(relay) = devices.relay(connection, &told.relay)? else {
        return Ok(());
    };
    for ToldDelay { door, at, us } in &told.delays {
        if let Some(door) = devices.door(statements, door)? {
            statements
                .get("INSERT INTO delay (at, door, relay, us) VALUES (?1, ?2, ?3, ?4)")?
                .execute((to_millis(*at), door.id, relay, us))?;
        }
    }
    let most = told.delays.len().saturating_mul(GO_FOR_EACH);
    connection
        .prepare_cached(
            "DELETE FROM delay WHERE id IN
                 (SELECT id FROM delay WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute((
            to_millis(now - KEPT),
            i64::try_from(most).unwrap_or(i64::MAX),
        ))?;
    Ok(())
}

impl Store {
    /// Calls `each` with the delays that are asked for, oldest first.
    ///
    /// # Errors
    /// Those of reading, and those of `each`.
    pub fn delays<E: From<crate::db::Error>>(
        &self,
        filter: &DelayFilter,
        mut each: impl FnMut(DelayRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let wrong = |cause: rusqlite::Error| E::from(cause.into());
        let mut select = self
            .connection
            .prepare_cached(
                "SELECT delay.at, door.name, relay.name, delay.us
                 FROM delay JOIN door ON door.id = delay.door JOIN relay ON relay.id = delay.relay
                 WHERE delay.at >= ?1 AND delay.at < ?2
                   AND (?3 IS NULL OR door.name = ?3) AND (?4 IS NULL OR relay.name = ?4)
                 ORDER BY delay.at",
            )
            .map_err(wrong)?;
        let door = filter.door.as_ref().map(DeviceName::as_str);
        let relay = filter.relay.as_ref().map(DeviceName::as_str);
        let span = (to_millis(filter.from), to_millis(filter.until));
        let mut rows = select.query((span.0, span.1, door, relay)).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let read = || -> rusqlite::Result<_> {
                Ok(DelayRow {
                    at: from_millis(row.get(0)?),
                    door: row.get(1)?,
                    relay: row.get(2)?,
                    us: row.get(3)?,
                })
            };
            each(read().map_err(wrong)?)?;
        }
        Ok(())
    }
}
