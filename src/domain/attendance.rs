//! What the register shows: a [`Cell`] for each employee and day, derived from who was seen, the
//! calendar, what the office corrected, and the time.

use std::fmt;
use std::iter::Sum;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::calendar::Day;

mod amendments;
mod register;
pub mod sheet;

pub use amendments::{Amendment, amendments};
pub use register::{DayColumn, Note, Person, Register, Row, Source, Unreported};

/// What the register shows for one employee and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&str")]
pub enum Mark {
    /// An `Open` that day, at a door that is not only an exit.
    Present,
    /// A working day that is over, without an `Open`.
    Absent,
    /// As [`Mark::Absent`], but not final: the day is not over, or a relay may still hold flashes of
    /// it, or nobody at all was seen on it, which an outage or an unlisted holiday explains better
    /// than everybody staying away.
    AbsentSoFar,
    /// Half a day present, half absent; by correction only.
    HalfDay,
    /// Leave; by correction only.
    Leave,
    /// A holiday without an `Open`.
    Holiday,
    /// A weekly off without an `Open`.
    WeeklyOff,
    /// Not employed that day, or the day is still to come.
    Blank,
}

impl Mark {
    /// All, in the order of the legend.
    pub const ALL: [Mark; 8] = [
        Mark::Present,
        Mark::Absent,
        Mark::AbsentSoFar,
        Mark::HalfDay,
        Mark::Leave,
        Mark::Holiday,
        Mark::WeeklyOff,
        Mark::Blank,
    ];

    /// The mark as the office writes it; empty for [`Mark::Blank`].
    pub fn symbol(self) -> &'static str {
        match self {
            Mark::Present => "P",
            Mark::Absent => "A",
            Mark::AbsentSoFar => "a",
            Mark::HalfDay => "HD",
            Mark::Leave => "L",
            Mark::Holiday => "H",
            Mark::WeeklyOff => "W",
            Mark::Blank => "",
        }
    }

    /// The mark that is written so.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.symbol() == symbol)
    }

    /// What a day so marked adds to the total of days.
    fn days_present(self) -> HalfDays {
        match self {
            Mark::Present => HalfDays::ONE,
            Mark::HalfDay => HalfDays::HALF,
            _ => HalfDays::NONE,
        }
    }

    /// What a day so marked adds to the work off.
    fn days_off(self) -> HalfDays {
        match self {
            Mark::Absent => HalfDays::ONE,
            Mark::HalfDay => HalfDays::HALF,
            _ => HalfDays::NONE,
        }
    }
}

impl From<Mark> for &'static str {
    fn from(mark: Mark) -> Self {
        mark.symbol()
    }
}

impl TryFrom<String> for Mark {
    type Error = &'static str;

    fn try_from(symbol: String) -> Result<Self, Self::Error> {
        Self::from_symbol(&symbol).ok_or("no mark is written so")
    }
}

/// A number of days, counted in halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct HalfDays(pub u32);

impl HalfDays {
    const NONE: Self = Self(0);
    const HALF: Self = Self(1);
    const ONE: Self = Self(2);

    /// As a number of days.
    pub fn days(self) -> f64 {
        f64::from(self.0) / 2.0
    }
}

impl Sum for HalfDays {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self(all.map(|halves| halves.0).sum())
    }
}

impl fmt::Display for HalfDays {
    /// As in `23` and `22.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.days().to_string())
    }
}

/// One employee's day on the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The mark that counts.
    pub mark: Mark,
    /// Whether the office set it.
    pub corrected: bool,
}

impl fmt::Display for Cell {
    /// As in `P`, or `P*` if the office set it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.corrected {
            true => f.pad(&format!("{}*", self.mark.symbol())),
            false => f.pad(self.mark.symbol()),
        }
    }
}

/// When an employee was seen on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The first `Open` at a door that is not only an exit; `None` if there was none.
    pub first: Option<DateTime<Utc>>,
    /// The last `Open` at any door.
    pub last: DateTime<Utc>,
}

impl Seen {
    /// When they were seen by both.
    pub fn and(self, other: Self) -> Self {
        Self {
            first: [self.first, other.first].into_iter().flatten().min(),
            last: self.last.max(other.last),
        }
    }

    /// How long it was from the first to the last, in whole minutes.
    pub fn minutes(self) -> Option<i64> {
        Some((self.last - self.first?).num_minutes())
    }
}

/// What the office set a day to, in the place of what would be derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The day.
    pub day: Day,
    /// The mark that counts.
    pub mark: Mark,
    /// Why.
    pub reason: String,
    /// Who set it.
    pub who: String,
    /// When it was set.
    pub at: DateTime<Utc>,
}

/// The days of one month on which somebody was seen: bit 0 is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DaysSeen(u32);

impl DaysSeen {
    /// Adds the day of the month, 1 to 31; any other number is left out.
    pub fn insert(&mut self, day_of_month: u32) {
        self.0 |= bit(day_of_month);
    }

    /// Whether the day of the month, 1 to 31, is one of them.
    pub fn contains(self, day_of_month: u32) -> bool {
        self.0 & bit(day_of_month) != 0
    }
}

fn bit(day_of_month: u32) -> u32 {
    day_of_month
        .checked_sub(1)
        .and_then(|shift| 1u32.checked_shl(shift))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found_by_its_symbol() {
        for mark in Mark::ALL {
            assert_eq!(Mark::from_symbol(mark.symbol()), Some(mark));
        }
        assert_eq!(Mark::from_symbol("p"), None);
    }

    #[test]
    fn halves_are_shown_only_where_there_are_some() {
        let total: HalfDays = [Mark::Present, Mark::HalfDay, Mark::Leave, Mark::AbsentSoFar]
            .into_iter()
            .map(Mark::days_present)
            .sum();
        assert_eq!(
            (total.to_string(), HalfDays(46).to_string()),
            ("1.5".into(), "23".into())
        );
    }
}
