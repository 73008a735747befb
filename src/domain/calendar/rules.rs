//! The calendar of an installation: its days, and the days on which nobody is expected, with what
//! is different in a department.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::calendar::{Day, Days, WeeklyOff};

/// A holiday.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holiday {
    /// The day.
    pub day: Day,
    /// What it is called.
    pub name: String,
}

/// The days of an installation or of one department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// When its days begin.
    pub days: Days,
    /// Its weekly offs.
    pub weekly_off: WeeklyOff,
    /// Its own holidays.
    pub holidays: BTreeSet<Holiday>,
    /// Whether it has the installation's holidays too.
    pub common_holidays: bool,
}

/// Why nobody is expected on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off<'a> {
    /// A holiday of that name.
    Holiday(&'a str),
    /// A weekly off.
    Weekly,
}

/// The calendar of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// What holds where no department says otherwise.
    pub general: Rules,
    /// What holds in departments, by [`department_key`].
    pub departments: BTreeMap<String, Rules>,
}

/// A department's name as its rules are found by: in any case, they are the same.
pub fn department_key(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Calendar {
    /// The rules of a department; the installation's for one that has none of its own, and for who
    /// is in none.
    pub fn rules(&self, department: Option<&str>) -> &Rules {
        let known = |name: &str| self.departments.get(&department_key(name));
        match department {
            Some(name) if !self.departments.is_empty() => known(name).unwrap_or(&self.general),
            _ => &self.general,
        }
    }

    /// Why nobody of a department is expected on a day, if so. A holiday that falls on a weekly off
    /// is a holiday.
    pub fn off(&self, department: Option<&str>, day: Day) -> Option<Off<'_>> {
        let rules = self.rules(department);
        let general = rules.common_holidays.then_some(&self.general.holidays);
        let holiday = [Some(&rules.holidays), general]
            .into_iter()
            .flatten()
            .find_map(|holidays| on(holidays, day));
        let weekly = || rules.weekly_off.contains(day).then_some(Off::Weekly);
        holiday.map(Off::Holiday).or_else(weekly)
    }
}

/// The name of the holiday on a day.
fn on(holidays: &BTreeSet<Holiday>, day: Day) -> Option<&str> {
    let first = Holiday {
        day,
        name: String::new(),
    };
    let found = holidays.range(first..).next();
    found
        .filter(|holiday| holiday.day == day)
        .map(|holiday| holiday.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn holidays(all: &[(&str, &str)]) -> BTreeSet<Holiday> {
        let holiday = |&(day, name): &(&str, &str)| Holiday {
            day: day.parse().unwrap(),
            name: name.to_owned(),
        };
        all.iter().map(holiday).collect()
    }

    #[test]
    fn departments_have_their_own_offs_and_others_the_common_ones() {
        let general = Rules {
            days: Days::midnight(Tz::UTC),
            weekly_off: WeeklyOff::default(),
            holidays: holidays(&[("2024-02-04", "Founder's day"), ("2024-02-06", "Spring")]),
            common_holidays: true,
        };
        let guards = Rules {
            weekly_off: "tue".parse().unwrap(),
            holidays: holidays(&[("2024-02-07", "Guards' day")]),
            common_holidays: false,
            ..general.clone()
        };
        let calendar = Calendar {
            general,
            departments: BTreeMap::from([("guards".to_owned(), guards)]),
        };
        let off = |department, day: &str| calendar.off(department, day.parse().unwrap());
        assert_eq!(off(None, "2024-02-04"), Some(Off::Holiday("Founder's day")));
        assert_eq!(
            off(Some("Optics"), "2024-02-06"),
            Some(Off::Holiday("Spring"))
        );
        assert_eq!(off(None, "2024-02-11"), Some(Off::Weekly));
        assert_eq!(off(None, "2024-02-07"), None);
        assert_eq!(off(Some("Guards"), "2024-02-04"), None);
        assert_eq!(off(Some(" GUARDS "), "2024-02-06"), Some(Off::Weekly));
        assert_eq!(
            off(Some("Guards"), "2024-02-07"),
            Some(Off::Holiday("Guards' day"))
        );
    }
}
