//! What happens at a door beside flashes: alarms, the exit button, somebody passing. [`Kind`] says
//! what; which sensor tells it, and when, is the door's own business.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Declares [`Kind`] with each kind's code, whether it is an alarm, and what it means, in one table.
macro_rules! kinds {
    ($($name:ident $code:literal $weight:ident $meaning:literal)*) => {
        /// What happened at a door.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = concat!("`", $code, "`: ", $meaning, ".")] $name,)*
            /// A kind that this version does not know, from a newer door: kept as it came, so that
            /// nothing is lost, and no alarm.
            Unrecognised(KindCode),
        }

        impl Kind {
            /// Every kind that this version knows.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The stable code, the same on the wire, in the database, in logs and in reports.
            pub fn code(&self) -> &str {
                match self {
                    $(Kind::$name => $code,)*
                    Kind::Unrecognised(code) => &code.0,
                }
            }

            /// What the code means, as a clause for people.
            pub fn meaning(&self) -> &'static str {
                match self {
                    $(Kind::$name => $meaning,)*
                    Kind::Unrecognised(_) => "an event this version does not know",
                }
            }

            /// Whether somebody should look after it now.
            pub fn is_alarm(&self) -> bool {
                match self {
                    $(Kind::$name => kinds!(@ $weight),)*
                    Kind::Unrecognised(_) => false,
                }
            }
        }
    };
    (@ alarm) => { true };
    (@ note) => { false };
}

kinds! {
    DoorOpened "door-opened" note "the door was opened by somebody it had unlocked for"
    NotOpened "not-opened" note "the door had unlocked, and nobody opened it"
    ExitButton "exit-button" note "the exit button was pressed, and the door unlocked"
    DoorForced "door-forced" alarm "the door was opened while it was locked"
    DoorForcedOver "door-forced-over" note "the forced door is closed again"
    DoorHeld "door-held" alarm "the door has stood open for too long"
    DoorHeldOver "door-held-over" note "the door that stood open is closed again"
    Fire "fire" alarm "the fire alarm is on, and the door unlocked"
    FireOver "fire-over" note "the fire alarm is over"
    Tamper "tamper" alarm "somebody is tampering with the device at the door"
    TamperOver "tamper-over" note "the device at the door is left alone again"
    Guessing "guessing" alarm "one unknown badge after the other was shown at the door"
}

impl Kind {
    /// The kind of that code; `None` for what can be no kind's code.
    pub fn from_code(code: &str) -> Option<Self> {
        let known = Kind::ALL.iter().find(|kind| kind.code() == code);
        known
            .cloned()
            .or_else(|| KindCode::new(code).map(Kind::Unrecognised))
    }

    /// The alarm that this is the end of.
    pub fn ends(&self) -> Option<Kind> {
        match self {
            Kind::DoorForcedOver => Some(Kind::DoorForced),
            Kind::DoorHeldOver => Some(Kind::DoorHeld),
            Kind::FireOver => Some(Kind::Fire),
            Kind::TamperOver => Some(Kind::Tamper),
            Kind::DoorOpened
            | Kind::NotOpened
            | Kind::ExitButton
            | Kind::DoorForced
            | Kind::DoorHeld
            | Kind::Fire
            | Kind::Tamper
            | Kind::Guessing
            | Kind::Unrecognised(_) => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Code;

        impl Visitor<'_> for Code {
            type Value = Kind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the code of what happened at a door")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Kind, E> {
                Kind::from_code(text).ok_or_else(|| E::custom("not the code of a door's event"))
            }
        }

        from.deserialize_str(Code)
    }
}

/// A code that is none of [`Kind::ALL`]: 1 to 32 characters, `a` to `z`, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KindCode(Arc<str>);

impl KindCode {
    /// A flash has its own message and its own checks: no door's event may look like one.
    const FLASH: &str = "flash";

    fn new(code: &str) -> Option<Self> {
        let fits = (1..=32).contains(&code.len())
            && code
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && code != Self::FLASH;
        fits.then(|| Self(code.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_for_one_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()).as_ref(), Some(kind));
            assert!(KindCode::new(kind.code()).is_some(), "{kind}");
        }
        assert!(Kind::ALL.len() > 10);
    }

    #[test]
    fn a_newer_doors_kind_is_kept_and_what_is_no_code_is_none() {
        let newer = Kind::from_code("battery-low").unwrap();
        assert_eq!((newer.code(), newer.is_alarm()), ("battery-low", false));
        for bad in ["", "flash", "Fire", "a b", "a\n", "feu-é", &"x".repeat(33)] {
            assert_eq!(Kind::from_code(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn every_alarm_of_a_sensor_has_an_end_and_nothing_else_has() {
        let alarms = Kind::ALL.iter().filter(|kind| kind.is_alarm());
        let alarms: Vec<_> = alarms.filter(|kind| **kind != Kind::Guessing).collect();
        assert_eq!(alarms.len(), 4);
        for alarm in alarms {
            let ends: Vec<_> = Kind::ALL
                .iter()
                .filter(|kind| kind.ends().as_ref() == Some(alarm))
                .collect();
            assert_eq!(ends.len(), 1, "{alarm}");
            assert_eq!(ends[0].code(), format!("{alarm}-over"));
        }
        let ending = Kind::ALL.iter().filter_map(Kind::ends);
        assert!(ending.into_iter().all(|ended| ended.is_alarm()));
    }
}
