//! The names and numbers by which twinkle knows badges, people, devices and events.
//!
//! Each type can only hold a valid value: what came from a user, a wire or a file is checked once,
//! here, and nowhere else.

use std::fmt;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::domain::text::{breaks_a_row, composed, is_invisible};

/// Why a text or number is not the id or name it was meant to be; says what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not a whole number from 1 to 2^53 - 1.
    #[error("a twinklet id is a whole number from 1 to {max}", max = TwinkletId::MAX)]
    TwinkletId,
    /// Not 1 to 64 printable characters.
    #[error(
        "a device's name has 1 to {max} characters, no '@' and no comma, no control or invisible \
         characters and no space at either end",
        max = DeviceName::MAX_CHARS
    )]
    DeviceName,
    /// Empty, or only spaces.
    #[error("the name is empty")]
    NameEmpty,
    /// Over 200 characters.
    #[error("the name has {0} characters; at most {max} are kept", max = PersonName::MAX_CHARS)]
    NameTooLong(usize),
    /// A character that would break a line, or reverse the text around it.
    #[error("the name contains a control character (U+{0:04X})")]
    NameControl(u32),
    /// A character that shows nothing.
    #[error("the name contains an invisible character (U+{0:04X})")]
    NameInvisible(u32),
    /// Digits or signs only.
    #[error("the name has no letter in it")]
    NameWithoutLetter,
    /// Not 1 to 64 printable characters.
    #[error(
        "a department's name has 1 to {max} characters and no control characters",
        max = Department::MAX_CHARS
    )]
    Department,
}

/// The number printed on a twinklet (a badge): 1 to 2^53 - 1, so that every program that keeps
/// numbers as IEEE doubles (spreadsheets, JSON readers, the replaced system's tables) holds it
/// exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct TwinkletId(u64);

impl TwinkletId {
    /// The largest id, 2^53 - 1.
    pub const MAX: u64 = (1 << 53) - 1;

    /// Checks the range.
    ///
    /// # Errors
    /// [`Invalid::TwinkletId`] outside 1 to [`Self::MAX`].
    pub fn new(id: u64) -> Result<Self, Invalid> {
        if (1..=Self::MAX).contains(&id) {
            Ok(Self(id))
        } else {
            Err(Invalid::TwinkletId)
        }
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for TwinkletId {
    type Error = Invalid;

    fn try_from(id: u64) -> Result<Self, Invalid> {
        Self::new(id)
    }
}

impl From<TwinkletId> for u64 {
    fn from(id: TwinkletId) -> u64 {
        id.0
    }
}

impl FromStr for TwinkletId {
    type Err = Invalid;

    /// Digits only: no sign, no space, no fraction.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        // u64's own parser takes a leading '+', which no badge and no old script writes.
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Invalid::TwinkletId);
        }
        Self::new(text.parse().map_err(|_| Invalid::TwinkletId)?)
    }
}

impl fmt::Display for TwinkletId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An employee's number: given by the database, stable, never used again for another person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmployeeNumber(pub i64);

impl fmt::Display for EmployeeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a user says which employee is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmployeeRef {
    /// By number. A name has a letter in it, so digits alone are always a number.
    Number(EmployeeNumber),
    /// By name, in any case.
    Name(String),
    /// By the badge that is the employee's.
    Twinklet(TwinkletId),
}

impl FromStr for EmployeeRef {
    type Err = Invalid;

    /// A number or a name; never a badge, which has a flag of its own.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.trim().parse() {
            Ok(number) => Ok(EmployeeRef::Number(EmployeeNumber(number))),
            Err(_) if text.trim().is_empty() => Err(Invalid::NameEmpty),
            Err(_) => Ok(EmployeeRef::Name(composed(text.trim()).into_owned())),
        }
    }
}

/// A person's name: Unicode in composed form (NFC), trimmed, 1 to 200 characters with at least one
/// letter among them, and nothing that breaks a line, turns the direction of the text after it or
/// cannot be seen: what looks the same is the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

impl PersonName {
    /// The most characters (Unicode scalar values) that a name may have.
    pub const MAX_CHARS: usize = 200;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = composed(text.trim());
        if name.is_empty() {
            return Err(Invalid::NameEmpty);
        }
        if let Some(bad) = name.chars().find(|&c| breaks_a_row(c)) {
            return Err(Invalid::NameControl(bad.into()));
        }
        if let Some(bad) = name.chars().find(|&c| is_invisible(c)) {
            return Err(Invalid::NameInvisible(bad.into()));
        }
        let chars = name.chars().count();
        if chars > Self::MAX_CHARS {
            return Err(Invalid::NameTooLong(chars));
        }
        if !name.chars().any(char::is_alphabetic) {
            return Err(Invalid::NameWithoutLetter);
        }
        Ok(Self(name.into_owned()))
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A department's name: Unicode, trimmed, 1 to 64 characters, nothing that breaks a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Department(String);

impl Department {
    /// The most characters that a department's name may have.
    pub const MAX_CHARS: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Department {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = composed(text.trim());
        let fits = !name.is_empty()
            && name.chars().count() <= Self::MAX_CHARS
            && !name.chars().any(|c| breaks_a_row(c) || is_invisible(c));
        match fits {
            true => Ok(Self(name.into_owned())),
            false => Err(Invalid::Department),
        }
    }
}

impl fmt::Display for Department {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of a door, a relay or a central. Cheap to clone and to compare, as one is carried by every
/// flash: up to 23 bytes are in the value itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct DeviceName(SmolStr);

impl DeviceName {
    /// The most characters that a device's name may have.
    pub const MAX_CHARS: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = &*composed(text);
        let fits = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= Self::MAX_CHARS
            // They part doors from addresses, and rules from one another, in `--accept-plain`.
            && !text.chars().any(|c| matches!(c, '@' | ',') || breaks_a_row(c) || is_invisible(c));
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::DeviceName)
        }
    }
}

impl<'de> Deserialize<'de> for DeviceName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = DeviceName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a device's name")
            }

            /// Straight from the bytes that were read: this runs for every flash.
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DeviceName, E> {
                text.parse().map_err(E::custom)
            }
        }

        from.deserialize_str(Name)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A type of its own over a UUID, kept and sent as its 16 bytes.
macro_rules! uuid_type {
    ($(#[$doc:meta])* $name:ident, $generate:path) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id.
            pub fn generate() -> Self {
                Self($generate())
            }

            /// The id that these 16 bytes are.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes of the id.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_type!(
    /// The id of one flash or alarm: a UUIDv7 (RFC 9562, section 5.7) made by the first twinkle
    /// process that saw it. It grows with time, so that the database's index of it grows at its
    /// end.
    EventId,
    Uuid::now_v7
);

uuid_type!(
    /// The random id of one installation, made with its database: by it a relay knows its own
    /// central from another organisation's.
    InstallationId,
    Uuid::new_v4
);

uuid_type!(
    /// The random id of one relay's file: by it the central knows whose numbers it is told.
    SpoolId,
    Uuid::new_v4
);

uuid_type!(
    /// The id of one start of the machine, made by its kernel.
    BootId,
    Uuid::new_v4
);

impl FromStr for BootId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.trim().parse().map(Self)
    }
}

#[cfg(test)]
mod tests;
