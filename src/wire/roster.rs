//! How a relay that may decide by itself is kept up to date about badges.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{DeviceName, TwinkletId};
use crate::domain::roster::{Badge, RosterDoor};

/// See [`crate::wire::Message::Roster`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Up to which of the central's changes the relay knows; 0: nothing.
    pub at: u64,
    /// The relay's doors.
    pub doors: Vec<DeviceName>,
}

/// See [`crate::wire::Message::Badges`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badges {
    /// The number of this message, repeated in the answer.
    pub n: u64,
    /// Whether everything known before is to be forgotten once all of this has come.
    #[serde(rename = "all", default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Badges that are new or changed.
    #[serde(rename = "b")]
    pub badges: Vec<Badge>,
    /// Badges that are none of this relay's any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<TwinkletId>,
}

/// See [`crate::wire::Message::Taken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The number of the message.
    pub n: u64,
}

/// See [`crate::wire::Message::Current`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Up to which of its changes the central has told the relay now.
    pub at: u64,
    /// The sum of the badges' digests.
    pub sum: u64,
    /// The central's clock, UTC milliseconds since 1970.
    pub time: i64,
    /// Where the installation's days begin and end.
    pub zone: String,
    /// The minute after midnight at which they do.
    #[serde(rename = "begins", default)]
    pub day_starts_at: u32,
    /// The relay's doors that are known.
    pub doors: Vec<RosterDoor>,
}
