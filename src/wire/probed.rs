//! The answer to a probe of the way to the central.

use serde::{Deserialize, Serialize};

/// See [`crate::wire::Message::Probed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// The number of the probe.
    pub n: u64,
    /// The round trip from the server that answers to its own upstream, in microseconds, and then
    /// whatever that one measured: nothing from a central.
    #[serde(rename = "us", default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<u32>,
    /// Whether the upstream could not be reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

impl Probed {
    /// The answer of a central, from which nothing goes further.
    pub fn here(n: u64) -> Self {
        Self {
            n,
            hops: Vec::new(),
            lost: false,
        }
    }

    /// The answer while the upstream is away.
    pub fn lost(n: u64) -> Self {
        Self {
            lost: true,
            ..Self::here(n)
        }
    }
}
