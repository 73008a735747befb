//! Days and months: which day an instant belongs to, which days are off, and how people name them.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Months, NaiveDate, Weekday};

mod changes;
mod days;
mod rules;
mod weekly;

pub use days::Days;
pub use rules::{Calendar, Holiday, Off, Rules, department_key};
pub use weekly::{NoWeekday, WeeklyOff};

/// A calendar day, without a timezone.
pub type Day = NaiveDate;

/// The last year in which recurring holidays are known.
pub const LAST_YEAR: i32 = 2199;

/// Why a text names no day or month; says what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Not a month.
    #[error("write a month as 2026-11, 11, nov, this or last")]
    Month,
    /// A year that is more likely a slip.
    #[error("the year {0} is not one from {first} to {last}", first = YEARS.start(), last = YEARS.end())]
    Year(u32),
    /// Not a day.
    #[error("write a day as 2026-11-22, today or yesterday")]
    Day,
    /// Not a weekday.
    #[error("write weekdays as sunday, monday, … or sun, mon, …")]
    Weekday,
}

/// The years that somebody may mean: any other is a slip of the finger, and a day in it would stand
/// in the register for ever.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2199;

/// A weekday by its English name or its first three letters, in any case.
///
/// # Errors
/// [`Unclear::Weekday`] for anything else.
pub fn parse_weekday(text: &str) -> Result<Weekday, Unclear> {
    text.parse().map_err(|_| Unclear::Weekday)
}

/// A month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: Day,
}

impl Month {
    /// The month that a day lies in.
    pub fn of(day: Day) -> Self {
        Self {
            first: day.with_day(1).unwrap_or(day),
        }
    }

    /// Its first day.
    pub fn first(self) -> Day {
        self.first
    }

    /// Its last day.
    pub fn last(self) -> Day {
        let next = self.first.checked_add_months(Months::new(1));
        next.and_then(|day| day.pred_opt()).unwrap_or(Day::MAX)
    }

    /// Its days, first to last: 28 to 31 of them.
    pub fn days(self) -> impl Iterator<Item = Day> + Clone {
        let last = self.last();
        self.first.iter_days().take_while(move |&day| day <= last)
    }
}

impl fmt::Display for Month {
    /// As in "November 2026": the year is always said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.format("%B %Y").fmt(f)
    }
}

/// A month as a user names it. Which one it is may depend on today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthChoice {
    /// `2026-11`.
    Exact(Month),
    /// `11` or `nov`: the latest such month that is not in the future.
    Latest(u32),
    /// `this`.
    This,
    /// `last`.
    Last,
}

impl MonthChoice {
    /// The month that is meant on that day.
    pub fn resolve(self, today: Day) -> Month {
        let this = Month::of(today);
        match self {
            MonthChoice::Exact(month) => month,
            MonthChoice::This => this,
            MonthChoice::Last => Month::of(this.first.pred_opt().unwrap_or(today)),
            MonthChoice::Latest(number) => {
                let year = if number <= today.month() {
                    today.year()
                } else {
                    today.year() - 1
                };
                Day::from_ymd_opt(year, number, 1).map_or(this, Month::of)
            }
        }
    }
}

impl FromStr for MonthChoice {
    type Err = Unclear;

    fn from_str(text: &str) -> Result<Self, Unclear> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("this") {
            return Ok(MonthChoice::This);
        }
        if text.eq_ignore_ascii_case("last") {
            return Ok(MonthChoice::Last);
        }
        if let Ok(month) = text.parse::<chrono::Month>() {
            return Ok(MonthChoice::Latest(month.number_from_month()));
        }
        if let Some((year, month)) = text.split_once('-') {
            let (Some(year), Some(month)) = (digits(year, 4..=4), digits(month, 1..=2)) else {
                return Err(Unclear::Month);
            };
            let first = exact_day(year, month, 1, Unclear::Month)?;
            return Ok(MonthChoice::Exact(Month::of(first)));
        }
        match digits(text, 1..=2) {
            Some(number @ 1..=12) => Ok(MonthChoice::Latest(number)),
            _ => Err(Unclear::Month),
        }
    }
}

/// A day as a user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayChoice {
    /// `2026-11-22`.
    Exact(Day),
    /// `today`.
    Today,
    /// `yesterday`.
    Yesterday,
}

impl DayChoice {
    /// The day that is meant on that day.
    pub fn resolve(self, today: Day) -> Day {
        match self {
            DayChoice::Exact(day) => day,
            DayChoice::Today => today,
            DayChoice::Yesterday => today.pred_opt().unwrap_or(today),
        }
    }
}

impl FromStr for DayChoice {
    type Err = Unclear;

    fn from_str(text: &str) -> Result<Self, Unclear> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("today") {
            return Ok(DayChoice::Today);
        }
        if text.eq_ignore_ascii_case("yesterday") {
            return Ok(DayChoice::Yesterday);
        }
        let mut parts = text.splitn(3, '-');
        let mut part = |length| digits(parts.next()?, length..=length);
        let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
            return Err(Unclear::Day);
        };
        exact_day(year, month, day, Unclear::Day).map(DayChoice::Exact)
    }
}

/// The day that these numbers name, in a year that somebody may mean.
fn exact_day(year: u32, month: u32, day: u32, unclear: Unclear) -> Result<Day, Unclear> {
    let exact = year
        .try_into()
        .ok()
        .and_then(|year| Day::from_ymd_opt(year, month, day))
        .ok_or(unclear)?;
    match YEARS.contains(&year) {
        true => Ok(exact),
        false => Err(Unclear::Year(year)),
    }
}

/// The day of that year, month and day of the month, each in decimal digits, if there is one. Much
/// quicker than to read a format, and asked for with each flash.
pub fn day_of_digits(year: &[u8], month: &[u8], day: &[u8]) -> Option<Day> {
    let number = |digits: &[u8]| {
        let digit = |&byte: &u8| char::from(byte).to_digit(10);
        digits.iter().map(digit).try_fold(0_u32, |number, digit| {
            number.checked_mul(10)?.checked_add(digit?)
        })
    };
    Day::from_ymd_opt(number(year)?.try_into().ok()?, number(month)?, number(day)?)
}

/// A number of so many decimal digits, and nothing else.
fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn digits_name_the_days_that_there_are() {
        for year in ["0000", "1900", "2023", "2024", "9999"] {
            for (month, date) in (0..=13).flat_map(|month| (0..=32).map(move |date| (month, date)))
            {
                let text = format!("{date:02}/{month:02}/{year}");
                let theirs = Day::parse_from_str(&text, "%d/%m/%Y").ok();
                let (month, date) = (format!("{month:02}"), format!("{date:02}"));
                let ours = day_of_digits(year.as_bytes(), month.as_bytes(), date.as_bytes());
                assert_eq!(ours, theirs, "{text}");
            }
        }
        for bad in [&b"2O24"[..], b"+202", b"99999999999", "２".as_bytes()] {
            assert_eq!(day_of_digits(bad, b"01", b"01"), None);
        }
    }

    fn month(text: &str, today: &str) -> String {
        text.parse::<MonthChoice>()
            .unwrap()
            .resolve(day(today))
            .to_string()
    }

    #[test]
    fn months_have_their_real_number_of_days() {
        let days = |text: &str| Month::of(day(text)).days().count();
        assert_eq!(days("2024-02-10"), 29);
        assert_eq!(days("2023-02-10"), 28);
        assert_eq!(days("2026-11-30"), 30);
        assert_eq!(days("2026-12-31"), 31);
        assert_eq!(Month::of(day("2024-02-10")).last(), day("2024-02-29"));
    }

    #[test]
    fn a_month_without_a_year_is_the_latest_not_in_the_future() {
        assert_eq!(month("11", "2026-11-22"), "November 2026");
        assert_eq!(month("nov", "2026-11-01"), "November 2026");
        assert_eq!(month("December", "2026-11-22"), "December 2025");
        assert_eq!(month("1", "2026-01-31"), "January 2026");
        assert_eq!(month("2027-01", "2026-11-22"), "January 2027");
        assert_eq!(month("this", "2026-11-22"), "November 2026");
        assert_eq!(month("last", "2026-01-31"), "December 2025");
    }

    #[test]
    fn what_is_no_month_or_day_is_refused() {
        for bad in [
            "",
            "0",
            "13",
            "2026-13",
            "2026-0",
            "26-11",
            "novem ber",
            "-11",
        ] {
            assert_eq!(bad.parse::<MonthChoice>(), Err(Unclear::Month), "{bad:?}");
        }
        for bad in [
            "",
            "2026-02-30",
            "22-11-2026",
            "2026-1-1",
            "+2026-01-01",
            "tomorrow",
        ] {
            assert_eq!(bad.parse::<DayChoice>(), Err(Unclear::Day), "{bad:?}");
        }
    }

    #[test]
    fn a_year_that_nobody_means_is_a_slip() {
        for (text, year) in [("0206-11", 206), ("1899-12", 1899), ("2206-01", 2206)] {
            assert_eq!(text.parse::<MonthChoice>(), Err(Unclear::Year(year)));
            let day = format!("{text}-01");
            assert_eq!(day.parse::<DayChoice>(), Err(Unclear::Year(year)));
        }
        for text in ["1900-01-01", "2199-12-31"] {
            assert!(text.parse::<DayChoice>().is_ok(), "{text}");
        }
    }

    #[test]
    fn days_are_named_from_today() {
        let resolve = |text: &str| {
            text.parse::<DayChoice>()
                .unwrap()
                .resolve(day("2024-03-01"))
        };
        assert_eq!(resolve("today"), day("2024-03-01"));
        assert_eq!(resolve("yesterday"), day("2024-02-29"));
        assert_eq!(resolve("2024-02-29"), day("2024-02-29"));
    }
}
