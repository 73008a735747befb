//! Who may enter: [`decide`], one pure function, and the reasons it and others may give.

use std::fmt;

use crate::domain::calendar::Day;

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
    Suspended "suspended" "the employee is suspended"
    NotYetValid "not-yet-valid" "the badge's first day is still to come"
    Expired "expired" "the badge's last day is over"
    NotThisDoor "not-this-door" "the employee has no right to this door"
    OutsideHours "outside-hours" "the employee may not enter at this hour"
    CodeMissing "code-missing" "a one-time code is required and none came"
    CodeWrong "code-wrong" "the one-time code is not the right one"
    CodeReused "code-reused" "the one-time code was used before"
    TooManyGuesses "too-many-guesses" "too many wrong attempts; wait"
    Left "left" "the employee has left"
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Whether a door of that name is known.
    pub door_known: bool,
    /// The assignment of the flashed twinklet that holds today, or else the one that began last;
    /// `None` if it was never given to anybody.
    pub assignment: Option<Assignment>,
    /// The day the flash counts for.
    pub today: Day,
    /// Whether there is still time for the door to hear the answer.
    pub in_time: bool,
}

/// A twinklet given to an employee, as far as a decision needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The first day.
    pub from: Day,
    /// The last day; `None` for one without end.
    pub until: Option<Day>,
    /// Whether its employee is suspended.
    pub suspended: bool,
}

impl Assignment {
    /// Whether the assignment holds on that day.
    pub fn holds_on(&self, day: Day) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
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
    if !facts.door_known {
        return Some(Reason::UnknownDoor);
    }
    let Some(assignment) = facts.assignment else {
        return Some(Reason::UnknownTwinklet);
    };
    if assignment.suspended {
        Some(Reason::Suspended)
    } else if facts.today < assignment.from {
        Some(Reason::NotYetValid)
    } else if !assignment.holds_on(facts.today) {
        Some(Reason::Expired)
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
            suspended: false,
        };
        Facts {
            door_known: true,
            assignment: Some(assignment),
            today: day("2024-02-10"),
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
                    door_known: false,
                    ..valid()
                },
                Reason::UnknownDoor,
            ),
            (
                Facts {
                    assignment: None,
                    ..valid()
                },
                Reason::UnknownTwinklet,
            ),
            (with(|a| a.suspended = true), Reason::Suspended),
            (with(|a| a.from = day("2024-02-11")), Reason::NotYetValid),
            (with(|a| a.until = Some(day("2024-02-09"))), Reason::Expired),
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
