//! What a relay keeps for the central: the entries of its spool.

use serde::{Deserialize, Serialize};

use crate::domain::access::Verdict;
use crate::domain::ids::{DeviceName, EventId, TwinkletId};

/// Something that happened at a relay's doors, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the relay's clock: UTC milliseconds since 1970.
    pub at: i64,
    /// How many milliseconds ago, by a clock that nobody sets; `None` if the machine was started
    /// anew since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// What.
    #[serde(rename = "w")]
    pub what: What,
}

/// The most bytes that an entry takes on the wire or in a file: two ids, a name, a code, some
/// numbers and the names of their fields.
pub const MAX_ENTRY: usize = 512;

/// What an [`Entry`] tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A flash was answered.
    Flash(Acted),
    /// An `Open` for this event reached no door: it counts for nothing.
    Undelivered(Lost),
}

/// A flash, and the verdict that its door acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// The event's id.
    #[serde(rename = "ev")]
    pub event: EventId,
    /// The door at which it was read.
    pub door: DeviceName,
    /// The badge.
    #[serde(rename = "id")]
    pub twinklet: TwinkletId,
    /// When the device read it, by its own clock: UTC milliseconds since 1970.
    #[serde(rename = "dat")]
    pub device_at: i64,
    /// What the door was told.
    #[serde(rename = "v", with = "crate::domain::access::verdict_code")]
    pub verdict: Verdict,
}

/// See [`What::Undelivered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The event's id.
    #[serde(rename = "ev")]
    pub event: EventId,
}
