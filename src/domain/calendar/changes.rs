//! What differs between two calendars, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::calendar::{Calendar, Day, Holiday, Rules};

impl Calendar {
    /// What is changed by putting a new calendar in the place of this one, a line each.
    pub fn changes(&self, new: &Calendar) -> Vec<String> {
        let mut changes = of_rules(None, Some(&self.general), Some(&new.general));
        let names: BTreeSet<_> = self
            .departments
            .keys()
            .chain(new.departments.keys())
            .collect();
        for name in names {
            let (old, new) = (self.departments.get(name), new.departments.get(name));
            changes.extend(of_rules(Some(name), old, new));
        }
        changes
    }
}

fn of_rules(department: Option<&str>, old: Option<&Rules>, new: Option<&Rules>) -> Vec<String> {
    let of = department
        .map(|name| format!("department {name}: "))
        .unwrap_or_default();
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (None, Some(new)) => {
            let (days, off) = (new.days, &new.weekly_off);
            return vec![format!("{of}days {days}, weekly off {off}, from now on")];
        }
        (_, None) => return vec![format!("{of}as everybody, from now on")],
    };
    let mut changes = Vec::new();
    if old.days != new.days {
        let (old, new) = (old.days, new.days);
        changes.push(format!(
            "{of}days are counted {new} from now on; until now {old}"
        ));
    }
    if old.weekly_off != new.weekly_off {
        let (old, new) = (&old.weekly_off, &new.weekly_off);
        changes.push(format!("{of}weekly off: {new}; was {old}"));
    }
    if old.common_holidays != new.common_holidays {
        let now = if new.common_holidays {
            "kept"
        } else {
            "no longer kept"
        };
        changes.push(format!("{of}the installation's holidays are {now}"));
    }
    for (name, days) in by_name(new.holidays.difference(&old.holidays)) {
        changes.push(format!("{of}holiday added: {name}, {}", listed(&days)));
    }
    for (name, days) in by_name(old.holidays.difference(&new.holidays)) {
        changes.push(format!("{of}holiday removed: {name}, {}", listed(&days)));
    }
    changes
}

fn by_name<'a>(holidays: impl Iterator<Item = &'a Holiday>) -> BTreeMap<&'a str, Vec<Day>> {
    let mut named: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for holiday in holidays {
        named
            .entry(holiday.name.as_str())
            .or_default()
            .push(holiday.day);
    }
    named
}

/// The first few days.
fn listed(days: &[Day]) -> String {
    let shown: Vec<_> = days.iter().take(4).map(Day::to_string).collect();
    match days.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more days", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::{Days, WeeklyOff};
    use chrono_tz::Tz;

    #[test]
    fn every_difference_is_said() {
        let old = Calendar {
            general: Rules {
                days: Days::midnight(Tz::UTC),
                weekly_off: WeeklyOff::default(),
                holidays: BTreeSet::from([Holiday {
                    day: "2026-11-08".parse().unwrap(),
                    name: "Diwali".to_owned(),
                }]),
                common_holidays: true,
            },
            departments: BTreeMap::new(),
        };
        assert_eq!(old.changes(&old), Vec::<String>::new());
        let mut new = old.clone();
        new.departments
            .insert("guards".to_owned(), old.general.clone());
        new.general.days.starts_at = "06:00:00".parse().unwrap();
        new.general.weekly_off = "sat,sun".parse().unwrap();
        new.general.holidays = (1..=6)
            .map(|n| Holiday {
                day: Day::from_ymd_opt(2026, 1, n).unwrap(),
                name: "Snow".to_owned(),
            })
            .collect();
        let expected = [
            "days are counted from 06:00 in UTC from now on; until now in UTC",
            "weekly off: saturday, sunday; was sunday",
            "holiday added: Snow, 2026-01-01, 2026-01-02, 2026-01-03, 2026-01-04 and 2 more days",
            "holiday removed: Diwali, 2026-11-08",
            "department guards: days in UTC, weekly off sunday, from now on",
        ];
        assert_eq!(old.changes(&new), expected);
        let back = new.changes(&old);
        assert_eq!(
            back.last().unwrap(),
            "department guards: as everybody, from now on"
        );
    }
}
