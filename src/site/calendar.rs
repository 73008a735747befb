//! The calendar that the configuration and the command line ask for.

use std::fs;
use std::path::{Path, PathBuf};

use tracing::info;

use crate::config::{DepartmentSettings, HolidayList};
use crate::domain::calendar::{Calendar, Rules, department_key};
use crate::ics;
use crate::site::Site;

/// A holiday file that cannot be used; says why.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("cannot read the holidays in {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// It is not as it should be.
    #[error("the holidays in {}: {cause}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: ics::Error,
    },
}

impl Site {
    /// The calendar as it is to be, if this is the one there is: where nothing is said, that stays.
    ///
    /// # Errors
    /// [`Unusable`]: then no part of it should be used, since nobody would miss a holiday.
    pub fn calendar(&self, before: &Calendar) -> Result<Calendar, Unusable> {
        let mut general = before.general.clone();
        if let Some(settings) = &self.calendar {
            general.days.starts_at = settings
                .day_starts_at
                .map(|time| time.0)
                .unwrap_or_default();
            general.weekly_off = settings.weekly_off.clone().unwrap_or_default().0;
        }
        // A timezone is not forgotten because it is left out.
        if let Some(zone) = self.timezone.or_else(|| self.calendar.as_ref()?.timezone) {
            general.days.timezone = zone.0;
        }
        if let Some(weekly_off) = &self.weekly_off {
            general.weekly_off = weekly_off.0.clone();
        }
        let Some(settings) = &self.calendar else {
            let departments = before.departments.clone();
            return Ok(Calendar {
                general,
                departments,
            });
        };
        let departments = settings.departments.iter().map(|(name, department)| {
            Ok((department_key(name), of_department(department, &general)?))
        });
        Ok(Calendar {
            departments: departments.collect::<Result<_, _>>()?,
            general: with_holidays(general, &settings.holidays, &settings.holiday_files)?,
        })
    }

    /// Whether the configuration or the command line say anything about the calendar.
    pub fn says_calendar(&self) -> bool {
        self.calendar.is_some() || self.timezone.is_some() || self.weekly_off.is_some()
    }
}

fn of_department(settings: &DepartmentSettings, general: &Rules) -> Result<Rules, Unusable> {
    let mut rules = general.clone();
    if let Some(zone) = settings.timezone {
        rules.days.timezone = zone.0;
    }
    if let Some(time) = settings.day_starts_at {
        rules.days.starts_at = time.0;
    }
    if let Some(weekly_off) = &settings.weekly_off {
        rules.weekly_off = weekly_off.0.clone();
    }
    rules.common_holidays = settings.common_holidays.unwrap_or(true);
    with_holidays(rules, &settings.holidays, &settings.holiday_files)
}

fn with_holidays(
    mut rules: Rules,
    listed: &HolidayList,
    files: &[PathBuf],
) -> Result<Rules, Unusable> {
    rules.holidays = listed.0.clone();
    for file in files {
        rules.holidays.extend(read(file)?.holidays);
    }
    Ok(rules)
}

fn read(file: &Path) -> Result<ics::Found, Unusable> {
    let path = || file.to_owned();
    let text = fs::read_to_string(file).map_err(|cause| Unusable::Unreadable {
        path: path(),
        cause,
    })?;
    let found = ics::read(&text).map_err(|cause| Unusable::Wrong {
        path: path(),
        cause,
    })?;
    if found.passed_over > 0 {
        let (path, count) = (file.display(), found.passed_over);
        info!("{path}: {count} events are no all-day events, or cancelled; passed over");
    }
    Ok(found)
}
