//! What a relay keeps for the central: the entries of its spool.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::access::Verdict;
use crate::domain::door_event::Kind;
use crate::domain::ids::{DeviceName, EventId, TwinkletId};
use crate::domain::roster::is_false;

/// The first instant that a clock can show that was ever set, UTC milliseconds: 1 January 2024.
pub const NO_CLOCK_BEFORE: i64 = 1_704_067_200_000;
/// How far ahead of ours another clock may be without being wrong, in milliseconds; and how far ours
/// may be set back.
pub const TOLERANCE: i64 = 300_000;

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
    /// Something else happened at a door.
    Happened(Happened),
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
    /// Whether the relay decided it, in time, where the central did not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own: bool,
}

/// See [`What::Happened`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// The event's id.
    #[serde(rename = "ev")]
    pub event: EventId,
    /// The door at which it happened.
    pub door: DeviceName,
    /// What happened.
    pub kind: Kind,
    /// When it happened, by the door's own clock: UTC milliseconds since 1970.
    #[serde(rename = "dat")]
    pub device_at: i64,
    /// The event that it followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<EventId>,
}

/// See [`What::Undelivered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The event's id.
    #[serde(rename = "ev")]
    pub event: EventId,
}

/// How a relay stands with what it keeps, as its central last heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// How many entries it has that the central does not.
    pub waiting: u64,
    /// For how long it decides by itself; `None`: not at all.
    pub offline_for: Option<TimeDelta>,
    /// Until when all is told that it decided by itself; `None`: it never did.
    pub complete_until: Option<DateTime<Utc>>,
}

impl Kept {
    /// As in `decides for 12 h, 3 events wait, told all until 17:00`; empty if there is nothing to
    /// say. `time` writes an instant. While the relay is connected and nothing waits, it goes
    /// without saying that it has told all.
    pub fn describe(&self, connected: bool, time: impl FnOnce(DateTime<Utc>) -> String) -> String {
        let decides = self.offline_for.map(|period| {
            match (period.num_minutes() % 60, period.num_seconds() % 60) {
                (0, 0) => format!("decides for {} h", period.num_hours()),
                (_, 0) => format!("decides for {} min", period.num_minutes()),
                _ => format!("decides for {} s", period.num_seconds()),
            }
        });
        let waiting = match self.waiting {
            0 => None,
            1 => Some("1 event waits".to_owned()),
            more => Some(format!("{more} events wait")),
        };
        let told = self
            .complete_until
            .filter(|_| !connected || self.waiting > 0)
            .map(|until| format!("told all until {}", time(until)));
        let parts: Vec<_> = [decides, waiting, told].into_iter().flatten().collect();
        parts.join(", ")
    }
}

/// What cannot be right about a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockFault {
    /// The clock that told it had not been set.
    Unset,
    /// The clock that told it was ahead of the central's.
    Ahead,
    /// The central's clock was behind what it had stored already.
    Behind,
}

impl ClockFault {
    /// The stable code, in the database and in reports.
    pub fn code(self) -> &'static str {
        match self {
            ClockFault::Unset => "clock-unset",
            ClockFault::Ahead => "clock-ahead",
            ClockFault::Behind => "clock-behind",
        }
    }
}

impl Entry {
    /// The door at which it happened, where the entry says so.
    pub fn door(&self) -> Option<&DeviceName> {
        match &self.what {
            What::Flash(acted) => Some(&acted.door),
            What::Happened(happened) => Some(&happened.door),
            What::Undelivered(_) => None,
        }
    }

    /// When it happened in the central's time, which is now `now`, in UTC milliseconds; and what is
    /// wrong with what the relay's clock says of it. The age says it, where it is known, else the
    /// relay's clock; where that cannot be right either, it counts as having happened just now.
    pub fn placed(&self, now: i64) -> (i64, Option<ClockFault>) {
        let by_age = self
            .age
            .and_then(|age| now.checked_sub(i64::try_from(age).ok()?))
            .filter(|at| *at >= NO_CLOCK_BEFORE.min(now));
        let (by_clock, fault) = if self.at < NO_CLOCK_BEFORE {
            (now, Some(ClockFault::Unset))
        } else if self.at > now.saturating_add(TOLERANCE) {
            (now, Some(ClockFault::Ahead))
        } else {
            (self.at.min(now), None)
        };
        (by_age.unwrap_or(by_clock), fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn entry(at: i64, age: Option<u64>) -> Entry {
        let what = What::Undelivered(Lost {
            event: EventId::generate(),
        });
        Entry { at, age, what }
    }

    #[test]
    fn an_entry_is_placed_by_its_age_and_else_by_the_relays_clock() {
        let placed = |at, age| entry(at, age).placed(NOW);
        assert_eq!(placed(NOW - 500, Some(700)), (NOW - 700, None));
        assert_eq!(placed(NOW - 500, None), (NOW - 500, None));
        let unset = Some(ClockFault::Unset);
        assert_eq!(placed(5_000, Some(700)), (NOW - 700, unset));
        assert_eq!(placed(5_000, None), (NOW, unset));
        let ahead = Some(ClockFault::Ahead);
        assert_eq!(placed(NOW + 3_600_000, Some(700)), (NOW - 700, ahead));
        assert_eq!(placed(NOW + 3_600_000, None), (NOW, ahead));
        // Clocks are never quite the same.
        assert_eq!(placed(NOW + 1_000, None), (NOW, None));
        // No machine has been up since before 2024.
        assert_eq!(placed(NOW - 500, Some(u64::MAX)), (NOW - 500, None));
        assert_eq!(
            placed(NOW - 500, Some(NOW.cast_unsigned())),
            (NOW - 500, None)
        );
    }
    #[test]
    fn how_a_relay_stands_is_said_in_a_few_words() {
        let kept = Kept {
            waiting: 3,
            offline_for: Some(TimeDelta::hours(12)),
            complete_until: DateTime::from_timestamp_millis(NOW),
        };
        let say = |kept: Kept, connected| kept.describe(connected, |_| "17:00".to_owned());
        let all = "decides for 12 h, 3 events wait, told all until 17:00";
        assert_eq!(say(kept, true), all);
        let idle = Kept { waiting: 0, ..kept };
        assert_eq!(say(idle, true), "decides for 12 h");
        assert_eq!(say(idle, false), "decides for 12 h, told all until 17:00");
        let asks = Kept {
            waiting: 1,
            offline_for: None,
            complete_until: None,
        };
        assert_eq!(say(asks, false), "1 event waits");
        let short = Kept {
            offline_for: Some(TimeDelta::minutes(90)),
            ..idle
        };
        assert_eq!(say(short, true), "decides for 90 min");
    }
}
