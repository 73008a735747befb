//! What a relay says beside its doors' requests, and what the central says back: the entries that
//! it kept while the central was away.

use serde::{Deserialize, Serialize};

use crate::domain::ids::SpoolId;
use crate::domain::spool::Entry;
use crate::wire::delays::Delays;
use crate::wire::roster::{Roster, Taken};

/// See [`crate::wire::Message::Spool`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spool {
    /// The relay's file; entries of different files are numbered each from 1.
    pub id: SpoolId,
    /// The number of its newest entry; 0 if there is none.
    pub last: u64,
    /// For how many milliseconds the relay decides by itself when it is cut off; absent: not at all.
    #[serde(rename = "off", default, skip_serializing_if = "Option::is_none")]
    pub offline_for: Option<u64>,
}

/// See [`crate::wire::Message::Entries`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// The relay's file.
    pub id: SpoolId,
    /// Once these are stored, the central has all entries up to this number.
    pub to: u64,
    /// The number of the relay's newest entry.
    pub last: u64,
    /// The entries, oldest first; none, if only the number is to be noted.
    #[serde(rename = "e")]
    pub entries: Vec<Entry>,
}

impl Entries {
    /// How many places it takes in the window of its connection: one also without entries, as it
    /// waits to be stored as well.
    pub fn places(&self) -> usize {
        self.entries.len().max(1)
    }
}

/// See [`crate::wire::Message::Stored`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The central has all entries up to this number.
    pub to: u64,
}

/// What only a relay says, and no door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayWord {
    /// Asks which entries of its file are stored.
    Spool(Spool),
    /// Some of them.
    Entries(Entries),
    /// Wants to be told of badges.
    Roster(Roster),
    /// Has stored some of them.
    Taken(Taken),
    /// How long flashes took.
    Delays(Delays),
}
