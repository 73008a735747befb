//! The table `[limits]`: how much the servers give to whom.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::config::Span;
use crate::wire::guard::Limits;

/// The shortest silence for which a client may be hung up on: each pings every 10 s, and one ping
/// may be lost.
const LEAST_SILENCE: Duration = Duration::from_secs(15);

/// The table `[limits]`, for `twinkle central` and `twinkle relay`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// The most connections at once.
    pub connections: Option<NonZeroUsize>,
    /// The most connections of one address that have not said yet who they are.
    pub strangers_per_address: Option<NonZeroUsize>,
    /// How long a client may take to say who it is.
    pub greet_within: Option<Span>,
    /// How long a client may be silent.
    #[serde(deserialize_with = "silence")]
    pub silent_after: Option<Span>,
    /// How many requests of a door may wait for an answer.
    pub requests: Option<NonZeroUsize>,
}

impl LimitSettings {
    /// The limits, with the defaults where nothing is said.
    pub fn limits(&self) -> Limits {
        let usual = Limits::default();
        let number = |said: Option<NonZeroUsize>, usual| said.map_or(usual, NonZeroUsize::get);
        let span = |said: Option<Span>, usual| said.map_or(usual, |span| span.0);
        Limits {
            connections: number(self.connections, usual.connections),
            strangers_per_address: number(self.strangers_per_address, usual.strangers_per_address),
            greet_within: span(self.greet_within, usual.greet_within),
            silent_after: span(self.silent_after, usual.silent_after),
            requests: number(self.requests, usual.requests),
        }
    }
}

fn silence<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
    let span = Span::deserialize(from)?;
    match span.0 >= LEAST_SILENCE {
        true => Ok(Some(span)),
        false => Err(serde::de::Error::custom(
            "write at least 15s: who is well says something every 10s",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_usual_and_what_makes_no_sense_is_refused() {
        let read = |text: &str| toml::from_str::<LimitSettings>(text);
        assert_eq!(read("").unwrap().limits(), Limits::default());
        let said = read("connections = 50\nsilent_after = '20s'").unwrap();
        let limits = Limits {
            connections: 50,
            silent_after: Duration::from_secs(20),
            ..Limits::default()
        };
        assert_eq!(said.limits(), limits);
        for (text, says) in [
            ("connections = 0", "nonzero"),
            ("silent_after = '5s'", "at least 15s"),
            ("frames = 1", "unknown field"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
