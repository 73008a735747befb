//! When somebody may enter: hours of weekdays, as in `mon-fri 08:00-20:00, sat 09:00-13:00`. They
//! are those of the clock on the site's wall, whatever day a flash counts for.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDateTime, Timelike, Weekday, WeekdaySet};

use crate::domain::calendar::parse_weekday;

/// Why a text is no hours; says what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; write hours as 'mon-fri 08:00-20:00, sat 09:00-13:00'")]
pub struct Unclear {
    problem: String,
}

/// The hours of a week in which entry is allowed. No hours at all allow none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hours(Vec<Window>);

/// The same hours of some weekdays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    /// The weekdays on which it begins.
    days: WeekdaySet,
    /// Its first minute of the day.
    from: u32,
    /// The minute before which it ends, up to [`DAY`]; of the next day where it is not after
    /// `from`.
    until: u32,
}

/// The minutes of a day.
const DAY: u32 = 24 * 60;

impl Hours {
    /// Hours in which nobody may enter.
    pub const NEVER: Hours = Hours(Vec::new());

    /// Whether entry is allowed at that time on the site's wall.
    pub fn allow(&self, wall: NaiveDateTime) -> bool {
        let (day, minute) = (wall.weekday(), wall.hour() * 60 + wall.minute());
        self.0.iter().any(|window| window.contains(day, minute))
    }
}

impl Window {
    fn contains(self, day: Weekday, minute: u32) -> bool {
        let begun = self.days.contains(day) && self.from <= minute;
        let ends_today = self.from < self.until;
        let from_yesterday = !ends_today && self.days.contains(day.pred()) && minute < self.until;
        from_yesterday || begun && (!ends_today || minute < self.until)
    }
}

impl FromStr for Hours {
    type Err = Unclear;

    /// Weekdays without hours have those of the next weekdays: `sat, sun 09:00-13:00`. Hours
    /// without weekdays are those of every day.
    fn from_str(text: &str) -> Result<Self, Unclear> {
        let mut windows = Vec::new();
        let mut waiting = WeekdaySet::EMPTY;
        for part in text.split([',', ';']) {
            let is_days = |word: &&str| word.starts_with(char::is_alphabetic);
            let mut words = part.split_whitespace().peekable();
            if words.peek().is_none() {
                return Err(unclear("something is missing beside a comma"));
            }
            while let Some(word) = words.next_if(is_days) {
                waiting = waiting.union(parse_days(word)?);
            }
            if words.peek().is_none() {
                continue;
            }
            let days = match waiting.is_empty() {
                true => WeekdaySet::ALL,
                false => std::mem::replace(&mut waiting, WeekdaySet::EMPTY),
            };
            for word in words {
                if is_days(&word) {
                    return Err(unclear(&format!("a comma is missing before '{word}'")));
                }
                let (from, until) = parse_times(word)?;
                windows.push(Window { days, from, until });
            }
        }
        if !waiting.is_empty() {
            return Err(unclear("the last days have no hours"));
        }
        Ok(Self(windows))
    }
}

/// `mon`, `mon-fri` or, over the week's end, `fri-mon`.
fn parse_days(word: &str) -> Result<WeekdaySet, Unclear> {
    let weekday =
        |name: &str| parse_weekday(name).map_err(|_| unclear(&format!("'{name}' is no weekday")));
    let Some((first, last)) = word.split_once(['-', '–']) else {
        return Ok(WeekdaySet::single(weekday(word)?));
    };
    let (mut day, last) = (weekday(first)?, weekday(last)?);
    let mut days = WeekdaySet::single(day);
    while day != last {
        day = day.succ();
        days.insert(day);
    }
    Ok(days)
}

/// `08:00-20:00` as minutes.
fn parse_times(word: &str) -> Result<(u32, u32), Unclear> {
    let bad = || unclear(&format!("'{word}' are no hours from 00:00 to 24:00"));
    let (from, until) = word.split_once(['-', '–']).ok_or_else(bad)?;
    let (from, until) = (
        parse_time(from).ok_or_else(bad)?,
        parse_time(until).ok_or_else(bad)?,
    );
    if from == until || from == DAY || until == 0 {
        return Err(unclear(&format!(
            "'{word}' has no length (the whole day is 00:00-24:00)"
        )));
    }
    Ok((from, until))
}

fn parse_time(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let plain = |text: &str, most| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && text.len() <= 2).then(|| text.parse().ok().filter(|&n: &u32| n <= most))?
    };
    let minutes = plain(hour, 24)? * 60 + plain(minute, 59).filter(|_| minute.len() == 2)?;
    (minutes <= DAY).then_some(minutes)
}

fn unclear(problem: &str) -> Unclear {
    let problem = problem.to_owned();
    Unclear { problem }
}

impl fmt::Display for Hours {
    /// As [`FromStr`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, window) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(", ")?;
            }
            let (from, until) = (window.from, window.until);
            if window.days != WeekdaySet::ALL {
                write_days(window.days, f)?;
            }
            write!(
                f,
                "{:02}:{:02}-{:02}:{:02}",
                from / 60,
                from % 60,
                until / 60,
                until % 60
            )?;
        }
        Ok(())
    }
}

/// The weekdays in runs, as in `mon-wed sat `.
fn write_days(days: WeekdaySet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let begins = |day: &Weekday| !days.contains(day.pred());
    for first in days.iter(Weekday::Mon).filter(begins) {
        let mut last = first;
        while days.contains(last.succ()) {
            last = last.succ();
        }
        let name = |day: Weekday| day.to_string().to_lowercase();
        match first == last {
            true => write!(f, "{} ", name(first))?,
            false => write!(f, "{}-{} ", name(first), name(last))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(hours: &str, wall: &str) -> bool {
        let hours: Hours = hours.parse().unwrap();
        let shown: Hours = hours.to_string().parse().unwrap();
        assert_eq!(shown, hours, "as it is written it is read");
        hours.allow(wall.parse().unwrap())
    }

    // 2024-02-05 is a Monday.
    #[test]
    fn hours_hold_on_their_weekdays_from_the_first_minute_to_before_the_last() {
        let office = "mon-fri 08:00-20:00, sat 09:00-13:00";
        for (wall, allowed) in [
            ("2024-02-05T07:59:59", false),
            ("2024-02-05T08:00:00", true),
            ("2024-02-09T19:59:59", true),
            ("2024-02-09T20:00:00", false),
            ("2024-02-10T08:30:00", false),
            ("2024-02-10T12:59:00", true),
            ("2024-02-11T10:00:00", false),
        ] {
            assert_eq!(allow(office, wall), allowed, "{wall}");
        }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        for (wall, allowed) in [
            ("2024-02-09T21:59:00", false),
            ("2024-02-09T22:00:00", true),
            ("2024-02-10T05:59:00", true),
            ("2024-02-10T06:00:00", false),
            ("2024-02-10T22:00:00", false),
            ("2024-02-09T03:00:00", false),
        ] {
            assert_eq!(allow("fri 22:00-06:00", wall), allowed, "{wall}");
        }
        // Sunday's last hours are Monday's first.
        assert!(allow("sun 22:00-06:00", "2024-02-05T01:00:00"));
    }

    #[test]
    fn days_may_be_listed_wrap_around_the_week_or_be_left_out() {
        assert!(allow("sat, sun 09:00-13:00", "2024-02-10T10:00:00"));
        assert!(allow("sat, sun 09:00-13:00", "2024-02-11T10:00:00"));
        assert!(!allow("sat, sun 09:00-13:00", "2024-02-05T10:00:00"));
        assert!(allow("fri-mon 09:00-13:00", "2024-02-05T10:00:00"));
        assert!(!allow("fri-mon 09:00-13:00", "2024-02-06T10:00:00"));
        assert!(allow("09:00-24:00", "2024-02-06T23:59:59"));
        assert!(allow("mon 08:00-12:00 13:00-17:00", "2024-02-05T13:00:00"));
        assert!(!allow("mon 08:00-12:00 13:00-17:00", "2024-02-05T12:30:00"));
        let shown = |text: &str| text.parse::<Hours>().unwrap().to_string();
        assert_eq!(shown("Monday–friday 8:00–20:00"), "mon-fri 08:00-20:00");
        assert_eq!(shown("sun, sat, mon 0:00-24:00"), "sat-mon 00:00-24:00");
        assert_eq!(shown("mon-sun 09:00-17:00"), "09:00-17:00");
    }

    #[test]
    fn no_hours_allow_nothing() {
        assert!(!Hours::NEVER.allow("2024-02-05T10:00:00".parse().unwrap()));
    }

    #[test]
    fn what_is_no_hours_says_what_is_wrong() {
        for (text, says) in [
            ("", "something is missing"),
            ("mon-fri 08:00-20:00,", "something is missing"),
            ("mon-fri", "the last days have no hours"),
            ("mon-fry 08:00-20:00", "'fry' is no weekday"),
            ("mon 08:00", "'08:00' are no hours"),
            ("mon 08:00-25:00", "no hours from 00:00 to 24:00"),
            ("mon 08:00-24:01", "no hours from 00:00 to 24:00"),
            ("mon 08:60-09:00", "no hours"),
            ("mon +8:00-09:00", "no hours"),
            ("mon 8:0-09:00", "no hours"),
            ("mon 08:00-08:00", "has no length"),
            ("mon 24:00-08:00", "has no length"),
            (
                "mon 08:00-12:00 tue 09:00-10:00",
                "a comma is missing before 'tue'",
            ),
        ] {
            let error = text.parse::<Hours>().unwrap_err().to_string();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
