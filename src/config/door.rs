//! The tables of `twinkle.toml` for a door.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::Span;
use crate::domain::ids::DeviceName;
use crate::hw::gpio::LineSpec;
use crate::wire::address::Addresses;

/// The table `[door]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoorSettings {
    /// The door's name.
    pub name: Option<DeviceName>,
    /// Where the relay, or the central, listens, `HOST:PORT`; alternatives, the preferred first.
    pub relay: Option<Addresses>,
    /// Where flashes come from.
    pub from: Option<String>,
    /// What unlocks.
    pub lock: Option<String>,
    /// Whether the lock's line is low when it has power.
    pub active_low: Option<bool>,
    /// Whether power locks, rather than unlocks.
    pub fail_safe: Option<bool>,
    /// How long the lock stays open.
    pub open_for: Option<Span>,
    /// How long the relay may take to answer.
    pub deadline: Option<Span>,
    /// The identity's file.
    pub identity: Option<PathBuf>,
    /// Whether addresses off this machine are used without protection.
    pub insecure: Option<bool>,
    /// What it senses.
    pub inputs: InputSettings,
    /// What it shows.
    pub outputs: OutputSettings,
}

/// The table `[door.inputs]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputSettings {
    /// Whether the door is open.
    pub contact: Option<LineSpec>,
    /// Whether somebody wants out.
    pub exit_button: Option<LineSpec>,
    /// Whether the fire alarm is on.
    pub fire: Option<LineSpec>,
    /// Whether the device's case is open.
    pub tamper: Option<LineSpec>,
    /// How long the door may stand open.
    pub held_after: Option<Span>,
}

/// The table `[door.outputs]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSettings {
    /// A green lamp.
    pub green: Option<LineSpec>,
    /// A red lamp.
    pub red: Option<LineSpec>,
    /// A buzzer.
    pub buzzer: Option<LineSpec>,
}
