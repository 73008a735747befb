//! The table `[calendar]`: when days begin, and on which nobody is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::NaiveTime;
use serde::Deserialize;

use crate::config::Zone;
use crate::domain::calendar::{Day, Holiday, LAST_YEAR, WeeklyOff};

/// The table `[calendar]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalendarSettings {
    /// The timezone in which days begin and end, as in `Asia/Kolkata`.
    pub timezone: Option<Zone>,
    /// When a day begins.
    pub day_starts_at: Option<TimeOfDay>,
    /// The weekdays on which nobody is expected.
    pub weekly_off: Option<WeekdayList>,
    /// Holidays by day.
    pub holidays: HolidayList,
    /// iCalendar files with more holidays.
    pub holiday_files: Vec<PathBuf>,
    /// What is different in departments, by their names.
    pub departments: BTreeMap<String, DepartmentSettings>,
}

impl CalendarSettings {
    /// Takes the paths of holiday files from this folder on: the one of the configuration.
    pub fn find_files_beside(&mut self, folder: &Path) {
        let departments = self.departments.values_mut();
        let files = departments.flat_map(|department| &mut department.holiday_files);
        for file in files.chain(&mut self.holiday_files) {
            *file = folder.join(&*file);
        }
    }
}

/// The tables `[calendar.departments.NAME]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DepartmentSettings {
    /// As in `[calendar]`; left out: the installation's.
    pub timezone: Option<Zone>,
    /// As in `[calendar]`; left out: the installation's.
    pub day_starts_at: Option<TimeOfDay>,
    /// As in `[calendar]`; left out: the installation's.
    pub weekly_off: Option<WeekdayList>,
    /// Holidays of this department.
    pub holidays: HolidayList,
    /// iCalendar files with more of them.
    pub holiday_files: Vec<PathBuf>,
    /// Whether it has the installation's holidays too; left out: yes.
    pub common_holidays: Option<bool>,
}

/// A time of day, written `06:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeOfDay(pub NaiveTime);

impl FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = NaiveTime::parse_from_str(text.trim(), "%H:%M");
        time.map(Self).map_err(|_| "write a time of day as 06:00")
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Weekly offs: on the command line `sat,sun` or `none`, in the file a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct WeekdayList(pub WeeklyOff);

impl FromStr for WeekdayList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|wrong: <WeeklyOff as FromStr>::Err| wrong.to_string())
    }
}

impl TryFrom<Vec<String>> for WeekdayList {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let names = names.iter().map(String::as_str);
        WeeklyOff::of(names)
            .map(Self)
            .map_err(|wrong| wrong.to_string())
    }
}

/// Holidays: what each is called, by its day `2026-11-08`, its days `2026-12-24/2026-12-26`, or its
/// day of each year `01-26`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct HolidayList(pub BTreeSet<Holiday>);

/// The first year for which a holiday of each year is known.
const FIRST_YEAR: i32 = 2000;
/// The most days of one holiday.
const LONGEST: usize = 366;

impl TryFrom<BTreeMap<String, String>> for HolidayList {
    type Error = String;

    fn try_from(named: BTreeMap<String, String>) -> Result<Self, String> {
        let mut all = BTreeSet::new();
        for (when, name) in named {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            if name.is_empty() {
                return Err(format!("the holiday '{when}' has no name"));
            }
            let days = days(&when).ok_or_else(|| {
                format!(
                    "'{when}': write a holiday's day as 2026-11-08, as 01-26 if it is every year, \
                     or its days as 2026-12-24/2026-12-26"
                )
            })?;
            let holiday = |day| Holiday {
                day,
                name: name.clone(),
            };
            all.extend(days.into_iter().map(holiday));
        }
        Ok(Self(all))
    }
}

fn days(when: &str) -> Option<Vec<Day>> {
    let day = |text: &str| -> Option<Day> {
        let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        plain.then(|| text.parse().ok()).flatten()
    };
    if let Some((first, last)) = when.split_once('/') {
        let (first, last) = (day(first.trim())?, day(last.trim())?);
        let days: Vec<_> = first
            .iter_days()
            .take_while(|&day| day <= last)
            .take(LONGEST + 1)
            .collect();
        return (!days.is_empty() && days.len() <= LONGEST).then_some(days);
    }
    if let Some(day) = day(when.trim()) {
        return Some(vec![day]);
    }
    // The 29th of February is one of a leap year.
    let in_year = |year: i32| day(&format!("{year:04}-{}", when.trim()));
    let days: Vec<_> = (FIRST_YEAR..=LAST_YEAR).filter_map(in_year).collect();
    (!days.is_empty()).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CalendarSettings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_calendar_is_read_with_its_departments() {
        let calendar = read(
            r#"
            timezone = "Asia/Kolkata"
            day_starts_at = "04:30"
            weekly_off = ["sunday", "2nd saturday"]
            holiday_files = ["holidays.ics"]
            [holidays]
            2026-11-08 = "Diwali"
            01-26 = "Republic  Day"
            02-29 = "Leap day"
            "2026-12-24/2026-12-26" = "Christmas"
            [departments.Guards]
            day_starts_at = "06:00"
            weekly_off = []
            common_holidays = false
            "#,
        )
        .unwrap();
        assert_eq!(calendar.day_starts_at, Some("04:30".parse().unwrap()));
        let of_2026: Vec<_> = calendar
            .holidays
            .0
            .iter()
            .filter(|holiday| holiday.day.to_string().starts_with("2026"))
            .map(|holiday| format!("{} {}", holiday.day, holiday.name))
            .collect();
        let expected = [
            "2026-01-26 Republic Day",
            "2026-11-08 Diwali",
            "2026-12-24 Christmas",
            "2026-12-25 Christmas",
            "2026-12-26 Christmas",
        ];
        assert_eq!(of_2026, expected);
        let guards = &calendar.departments["Guards"];
        assert_eq!(guards.weekly_off, Some(WeekdayList(WeeklyOff::NONE)));
        assert_eq!(guards.common_holidays, Some(false));
    }

    #[test]
    fn what_is_no_holiday_is_named() {
        for (text, says) in [
            (
                "holidays = { 2026-02-30 = 'x' }",
                "'2026-02-30': write a holiday's day as",
            ),
            ("holidays = { 13-01 = 'x' }", "'13-01': write"),
            (
                "holidays = { '2026-12-26/2026-12-24' = 'x' }",
                "write a holiday's day",
            ),
            (
                "holidays = { '2026-12-26/2028-12-24' = 'x' }",
                "write a holiday's day",
            ),
            ("holidays = { 2026-11-08 = ' ' }", "has no name"),
            ("day_starts_at = '24:00'", "write a time of day as 06:00"),
            ("weekly_off = ['sonntag']", "'sonntag': write weekdays as"),
            ("departments.x.weekly = []", "unknown field `weekly`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.contains(says) && error.contains("line 1"),
                "{text}: {error}"
            );
        }
    }
}
