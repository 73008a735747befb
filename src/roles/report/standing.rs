//! How doors and relays stand, in words.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::{Device, DeviceKind, Store};
use crate::domain::calendar::Days;

/// All devices, and whether there is a central that hears them.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) served: bool,
    pub(super) devices: Vec<Device>,
    pub(super) now: DateTime<Utc>,
    pub(super) days: Days,
}

impl Standing {
    /// As the database has it now.
    pub(super) fn of(store: &Store, now: DateTime<Utc>, days: Days) -> anyhow::Result<Self> {
        Ok(Self {
            served: store.is_served()?,
            devices: store.devices()?,
            now,
            days,
        })
    }

    /// The doors.
    pub(super) fn doors(&self) -> impl Iterator<Item = &Device> {
        self.devices
            .iter()
            .filter(|device| device.kind == DeviceKind::Door)
    }

    /// The relay of that name.
    pub(super) fn relay(&self, name: &str) -> Option<&Device> {
        let mut relays = self
            .devices
            .iter()
            .filter(|device| device.kind == DeviceKind::Relay);
        relays.find(|relay| relay.name == name)
    }

    /// Whether the device is connected. Without a central, none is.
    pub(super) fn is_connected(&self, device: &Device) -> bool {
        self.served && device.connected.is_some()
    }

    /// As in `connected since 08:00`, or `last heard 07:55, 25 min ago`.
    pub(super) fn describe(&self, device: &Device) -> String {
        match (device.connected, device.heard) {
            (Some(since), _) if self.served => format!("connected since {}", self.time(since)),
            (_, Some(heard)) => format!("last heard {}, {}", self.time(heard), self.ago(heard)),
            (_, None) => "never connected".to_owned(),
        }
    }

    /// Whether it is out of service, or how a relay stands with what it keeps, as in
    /// `, decides for 12 h`.
    pub(super) fn kept(&self, device: &Device) -> String {
        let kept = device.keeps(self.is_connected(device), |at| self.time(at));
        match kept.is_empty() {
            true => kept,
            false => format!(", {kept}"),
        }
    }

    /// A time of today without its day.
    pub(super) fn time(&self, instant: DateTime<Utc>) -> String {
        let (local, now) = (self.days.local(instant), self.days.local(self.now));
        match local.date_naive() == now.date_naive() {
            true => local.format("%H:%M").to_string(),
            false => local.format("%Y-%m-%d %H:%M").to_string(),
        }
    }

    fn ago(&self, instant: DateTime<Utc>) -> String {
        ago(self.now - instant)
    }
}

/// How long ago, to one unit.
pub(super) fn ago(time: TimeDelta) -> String {
    match (time.num_days(), time.num_hours(), time.num_minutes()) {
        (days, ..) if days > 1 => format!("{days} days ago"),
        (_, hours, _) if hours > 1 => format!("{hours} h ago"),
        (.., minutes) if minutes > 0 => format!("{minutes} min ago"),
        _ => "just now".to_owned(),
    }
}
