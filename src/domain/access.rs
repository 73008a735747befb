//! Who may enter: [`decide`], one pure function, and the reasons it and others may give.

use std::fmt;

use chrono::NaiveDateTime;

use crate::domain::calendar::Day;
use crate::domain::hours::Hours;

/// The answer to a flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The door unlocks.
    Open,
    /// The door stays as it is.
    DontOpen(Reason),
}

impl Verdict {
    /// The stable text of a verdict on the wire, in the database and in reports: `open`, or the
    /// reason's code.
    pub fn code(self) -> &'static str {
        match self {
            Verdict::Open => OPEN,
            Verdict::DontOpen(reason) => reason.code(),
        }
    }

    /// The verdict of that text. Whatever is not exactly `open` does not open: a code from a newer
    /// version becomes [`Reason::Unrecognised`].
    pub fn from_code(code: &str) -> Self {
        if code == OPEN {
            return Verdict::Open;
        }
        let known = Reason::ALL.iter().find(|reason| reason.code() == code);
        Verdict::DontOpen(known.copied().unwrap_or(Reason::Unrecognised))
    }
}

/// A verdict as its code, for messages and files.
pub mod verdict_code {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Verdict;

    /// Writes the code.
    ///
    /// # Errors
    /// Those of writing.
    pub fn serialize<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(verdict.code())
    }

    /// Reads the code.
    ///
    /// # Errors
    /// Those of reading; every text is a verdict.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Verdict, D::Error> {
        <&str>::deserialize(from).map(Verdict::from_code)
    }
}

/// The code of [`Verdict::Open`].
const OPEN: &str = "open";

/// Declares [`Reason`] with each reason's code and what it means, in one table.
macro_rules! reasons {
    ($($name:ident $code:literal $meaning:literal)*) => {
        /// Why a door does not open.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`: ", $meaning, ".")] $name,)*
        }

        impl Reason {
            /// Every reason, in the order in which [`decide`] would give them.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The stable code, the same on the wire, in the database, in logs and in reports.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$name => $code,)* }
            }

            /// What the code means, as a clause for people.
            pub fn meaning(self) -> &'static str {
                match self { $(Reason::$name => $meaning,)* }
            }
        }
    };
}

reasons! {
    UnknownDoor "unknown-door" "no door of that name is known"
    DoorRetired "door-retired" "the door was taken out of service"
    UnknownTwinklet "unknown-twinklet" "the badge was never given to anybody"
    TwinkletRevoked "twinklet-revoked" "the badge was reported lost or taken back"
    Left "left" "the employee has left"
    Suspended "suspended" "the employee is suspended"
    NotYetValid "not-yet-valid" "the badge's first day is still to come"
    Expired "expired" "the badge's last day is over"
    NotThisDoor "not-this-door" "the employee has no right to this door"
    OutsideHours "outside-hours" "the employee may not enter at this hour"
    CodeMissing "code-missing" "a one-time code is required and none came"
    CodeWrong "code-wrong" "the one-time code is not the right one"
    CodeReused "code-reused" "the one-time code was used before"
    TooManyGuesses "too-many-guesses" "too many wrong attempts; wait"
    ClockUnset "clock-unset" "the central's clock is not set, so no code can be checked"
    EventReused "event-reused" "the event's id was used before for something else"
    TooLate "too-late" "the time for an answer was over"
    CentralUnreachable "central-unreachable" "nobody could be asked"
    StorageFailed "storage-failed" "the entry could not be stored"
    SpoolFull "spool-full" "the relay can keep no more entries"
    Unrecognised "unrecognised" "a reason this version does not know"
}

impl Reason {
    /// Whether the reason says that nobody decided, rather than that somebody refused.
    pub fn is_undecided(self) -> bool {
        matches!(
            self,
            Reason::CentralUnreachable | Reason::StorageFailed | Reason::SpoolFull
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// All that a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The door; `None` if none of that name is known.
    pub door: Option<Door>,
    /// The assignment of the flashed twinklet that holds today, or else the one that began last;
    /// `None` if it was never given to anybody.
    pub assignment: Option<Assignment>,
    /// The day the flash counts for.
    pub today: Day,
    /// The time on the site's wall.
    pub wall: NaiveDateTime,
    /// Whether there is still time for the door to hear the answer.
    pub in_time: bool,
    /// What speaks against the one-time code; `None` too if none is needed. It is looked at last,
    /// so that nobody guesses codes, and none is used up, where nothing opens anyway.
    pub code: Option<Reason>,
}

/// A known door, as far as a decision needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// Whether it is out of service.
    pub retired: bool,
    /// Whether everybody needs a one-time code at it.
    pub requires_code: bool,
}

/// A twinklet given to an employee, as far as a decision needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The first day.
    pub from: Day,
    /// The last day; `None` for one without end.
    pub until: Option<Day>,
    /// Whether the badge was reported lost or taken back.
    pub revoked: bool,
    /// Its employee's last day; `None` for one who stays.
    pub left: Option<Day>,
    /// Whether its employee is suspended.
    pub suspended: bool,
    /// Whether its employee may use the door.
    pub granted: bool,
    /// When its employee may enter; `None` for at any time.
    pub hours: Option<Hours>,
}

impl Assignment {
    /// Whether the assignment holds on that day.
    pub fn holds_on(&self, day: Day) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    /// Whether the badge is in its employee's hands on that day: then nobody else can hold it.
    pub fn in_hand_on(&self, day: Day) -> bool {
        self.holds_on(day) && !self.revoked && self.left.is_none_or(|left| day <= left)
    }
}

/// Decides a flash: the first reason against it, else [`Verdict::Open`].
pub fn decide(facts: &Facts) -> Verdict {
    match objection(facts) {
        Some(reason) => Verdict::DontOpen(reason),
        None => Verdict::Open,
    }
}

fn objection(facts: &Facts) -> Option<Reason> {
    let Some(door) = facts.door else {
        return Some(Reason::UnknownDoor);
    };
    if door.retired {
        return Some(Reason::DoorRetired);
    }
    let Some(assignment) = &facts.assignment else {
        return Some(Reason::UnknownTwinklet);
    };
    let outside = |hours: &Hours| !hours.allow(facts.wall);
    if assignment.revoked {
        Some(Reason::TwinkletRevoked)
    } else if assignment.left.is_some_and(|left| left < facts.today) {
        Some(Reason::Left)
    } else if assignment.suspended {
        Some(Reason::Suspended)
    } else if facts.today < assignment.from {
        Some(Reason::NotYetValid)
    } else if !assignment.holds_on(facts.today) {
        Some(Reason::Expired)
    } else if !assignment.granted {
        Some(Reason::NotThisDoor)
    } else if assignment.hours.as_ref().is_some_and(outside) {
        Some(Reason::OutsideHours)
    } else if let Some(reason) = facts.code {
        Some(reason)
    } else if !facts.in_time {
        Some(Reason::TooLate)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn valid() -> Facts {
        let assignment = Assignment {
            from: day("2024-02-01"),
            until: Some(day("2024-02-29")),
            revoked: false,
            left: Some(day("2024-02-29")),
            suspended: false,
            granted: true,
            hours: Some("08:00-20:00".parse().unwrap()),
        };
        Facts {
            door: Some(Door {
                retired: false,
                requires_code: false,
            }),
            assignment: Some(assignment),
            today: day("2024-02-10"),
            wall: "2024-02-10T09:00:00".parse().unwrap(),
            code: None,
            in_time: true,
        }
    }

    fn with(change: impl FnOnce(&mut Assignment)) -> Facts {
        let mut facts = valid();
        change(facts.assignment.as_mut().unwrap());
        facts
    }

    #[test]
    fn valid_badge_opens_from_its_first_to_its_last_day() {
        for today in ["2024-02-01", "2024-02-10", "2024-02-29"] {
            assert_eq!(
                decide(&Facts {
                    today: day(today),
                    ..valid()
                }),
                Verdict::Open
            );
        }
    }

    #[test]
    fn each_objection_has_its_reason() {
        let cases = [
            (
                Facts {
                    door: None,
                    ..valid()
                },
                Reason::UnknownDoor,
            ),
            (
                Facts {
                    door: Some(Door {
                        retired: true,
                        requires_code: false,
                    }),
                    ..valid()
                },
                Reason::DoorRetired,
            ),
            (
                Facts {
                    assignment: None,
                    ..valid()
                },
                Reason::UnknownTwinklet,
            ),
            (with(|a| a.revoked = true), Reason::TwinkletRevoked),
            (with(|a| a.left = Some(day("2024-02-09"))), Reason::Left),
            (with(|a| a.suspended = true), Reason::Suspended),
            (with(|a| a.from = day("2024-02-11")), Reason::NotYetValid),
            (with(|a| a.until = Some(day("2024-02-09"))), Reason::Expired),
            (with(|a| a.granted = false), Reason::NotThisDoor),
            (with(|a| a.hours = Some(Hours::NEVER)), Reason::OutsideHours),
            (
                Facts {
                    code: Some(Reason::CodeWrong),
                    ..valid()
                },
                Reason::CodeWrong,
            ),
            (
                Facts {
                    in_time: false,
                    ..valid()
                },
                Reason::TooLate,
            ),
        ];
        for (facts, reason) in cases {
            assert_eq!(decide(&facts), Verdict::DontOpen(reason), "{facts:?}");
        }
    }

    #[test]
    fn the_reason_that_weighs_most_is_given() {
        // Lost, and of somebody who left: whoever flashes it found or stole it.
        let facts = with(|a| {
            a.revoked = true;
            a.left = Some(day("2024-02-01"));
            a.hours = Some(Hours::NEVER);
        });
        assert_eq!(decide(&facts), Verdict::DontOpen(Reason::TwinkletRevoked));
        let facts = with(|a| {
            a.granted = false;
            a.hours = Some(Hours::NEVER);
        });
        assert_eq!(decide(&facts), Verdict::DontOpen(Reason::NotThisDoor));
    }

    #[test]
    fn only_the_exact_code_opens() {
        assert_eq!(Verdict::from_code("open"), Verdict::Open);
        for code in [
            "",
            "Open",
            "open ",
            "opened",
            "OPEN",
            "from-a-newer-version",
        ] {
            assert_eq!(
                Verdict::from_code(code),
                Verdict::DontOpen(Reason::Unrecognised)
            );
        }
        for &reason in Reason::ALL {
            assert_eq!(Verdict::from_code(reason.code()), Verdict::DontOpen(reason));
        }
    }
}
