//! Weekly offs: every Sunday, every second Saturday of a month.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Weekday};

use crate::domain::calendar::{Day, parse_weekday};

/// The weekdays on which nobody is expected, each in every week or in one week of the month.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WeeklyOff(BTreeSet<(u8, Option<u8>)>);

/// Why a text names no weekly off; says what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}': write weekdays as sunday or sun, or as in '2nd saturday'; none for none")]
pub struct NoWeekday(String);

impl Default for WeeklyOff {
    /// Sundays.
    fn default() -> Self {
        Self(BTreeSet::from([(number(Weekday::Sun), None)]))
    }
}

impl WeeklyOff {
    /// No day.
    pub const NONE: Self = Self(BTreeSet::new());

    /// Those that are named, one each.
    ///
    /// # Errors
    /// [`NoWeekday`], with the one that is none.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, NoWeekday> {
        let parse = |name| parse(name).ok_or_else(|| NoWeekday(name.trim().to_owned()));
        names.map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a day is one of them.
    pub fn contains(&self, day: Day) -> bool {
        let weekday = number(day.weekday());
        let week = u8::try_from(day.day0() / 7 + 1).ok();
        self.0.contains(&(weekday, None)) || self.0.contains(&(weekday, week))
    }
}

/// A weekday as a number that sorts them from Monday on.
fn number(weekday: Weekday) -> u8 {
    u8::try_from(weekday.num_days_from_monday()).unwrap_or_default()
}

fn parse(name: &str) -> Option<(u8, Option<u8>)> {
    let (week, name) = match name.trim().split_once(' ') {
        None => (None, name.trim()),
        Some((week, name)) => {
            let known = ["1st", "2nd", "3rd", "4th", "5th"];
            let at = known.iter().position(|k| week.eq_ignore_ascii_case(k))?;
            (Some(u8::try_from(at).ok()? + 1), name.trim_start())
        }
    };
    Some((number(parse_weekday(name).ok()?), week))
}

impl FromStr for WeeklyOff {
    type Err = NoWeekday;

    /// As in `sat,sun`, `sunday, 2nd saturday` or `none`.
    fn from_str(text: &str) -> Result<Self, NoWeekday> {
        match text.trim().eq_ignore_ascii_case("none") {
            true => Ok(Self::NONE),
            false => Self::of(text.split(',')),
        }
    }
}

impl fmt::Display for WeeklyOff {
    /// As in `2nd saturday, sunday`; what [`FromStr`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, (weekday, week)) in self.0.iter().enumerate() {
            let name = [
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ];
            let name = name.get(usize::from(*weekday)).unwrap_or(&"");
            let comma = if index == 0 { "" } else { ", " };
            let week = match week {
                None => "",
                Some(1) => "1st ",
                Some(2) => "2nd ",
                Some(3) => "3rd ",
                Some(4) => "4th ",
                Some(_) => "5th ",
            };
            write!(f, "{comma}{week}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekly_offs_are_read_as_people_write_them_and_written_back() {
        for (text, written) in [
            ("sunday", "sunday"),
            ("Sun , SAT", "saturday, sunday"),
            (
                "sunday, 2nd saturday,4TH Sat",
                "2nd saturday, 4th saturday, sunday",
            ),
            ("none", "none"),
        ] {
            let off: WeeklyOff = text.parse().unwrap();
            assert_eq!(off.to_string(), written);
            assert_eq!(written.parse(), Ok(off));
        }
        for bad in [
            "",
            "sonntag",
            "6th sunday",
            "2nd",
            "second saturday",
            "sun;sat",
        ] {
            assert!(bad.parse::<WeeklyOff>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_week_of_the_month_is_counted_in_weekdays() {
        let off: WeeklyOff = "sun, 2nd sat, 5th sat".parse().unwrap();
        let of = |month: &str| -> Vec<u32> {
            let first: Day = format!("{month}-01").parse().unwrap();
            let days = first
                .iter_days()
                .take_while(|day| day.month() == first.month());
            days.filter(|&day| off.contains(day))
                .map(|day| day.day())
                .collect()
        };
        assert_eq!(of("2024-06"), [2, 8, 9, 16, 23, 29, 30]);
        assert_eq!(of("2024-02"), [4, 10, 11, 18, 25]);
    }
}
