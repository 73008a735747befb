//! How long flashes took, as a relay tells it now and then.

use serde::{Deserialize, Serialize};

use crate::domain::ids::DeviceName;

/// See [`crate::wire::Message::Delays`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delays {
    /// One for each flash.
    #[serde(rename = "d")]
    pub delays: Vec<Delay>,
}

/// How long one flash took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// The door it came from.
    pub door: DeviceName,
    /// How many milliseconds ago it was answered, by a clock that nobody sets.
    pub age: u64,
    /// From its arrival at the relay to its answer, in microseconds.
    pub us: u32,
}
