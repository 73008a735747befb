//! Messages that only a newer program knows: well formed, of a name that is none of ours.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, IgnoredAny};

use crate::wire::Message;
use crate::wire::codec::only_value;

/// The longest name that a message may have, in bytes.
const LONGEST_NAME: usize = 32;

/// The name of such a message; `None` for one of ours, and for what is no message.
pub(super) fn name_of(content: &[u8]) -> Option<String> {
    let message: BTreeMap<String, BTreeMap<String, IgnoredAny>> = only_value(content).ok()?;
    let mut names = message.into_keys();
    match (names.next(), names.next()) {
        (Some(name), None) if is_name(&name) && !is_ours(&name) => Some(name),
        _ => None,
    }
}

/// Whether a message could have that name: it goes into the log.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

/// Asks [`Message`] itself, so that its names stand in one place.
fn is_ours(name: &str) -> bool {
    let name = StrDeserializer::<Known>::new(name);
    !matches!(Message::deserialize(name), Err(Known(false)))
}

/// What is wrong with a message that is a mere name: not the name, unless this says so.
#[derive(Debug)]
struct Known(bool);

impl Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mere name")
    }
}

impl std::error::Error for Known {}

impl de::Error for Known {
    fn custom<T: Display>(_: T) -> Self {
        Self(true)
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self(false)
    }
}
