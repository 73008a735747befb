//! The rules by which the central tells a flash's day.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::db::{Result, calendar};
use crate::domain::calendar::{Day, Days, department_key};

/// When days begin.
#[derive(Debug)]
pub(super) struct DayRules {
    /// The installation's.
    pub(super) general: Days,
    departments: BTreeMap<String, Days>,
}

impl DayRules {
    /// The rules as they are in this transaction.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        Ok(Self {
            general: calendar::days(connection)?,
            departments: calendar::department_days(connection)?,
        })
    }

    /// When a day begins for those for whom it begins first.
    pub(super) fn start_of(&self, day: Day) -> DateTime<Utc> {
        let starts = self.departments.values().map(|days| days.start_of(day));
        starts.fold(self.general.start_of(day), DateTime::min)
    }

    /// When a day is over for everybody.
    pub(super) fn end_of(&self, day: Day) -> DateTime<Utc> {
        let ends = self.departments.values().map(|days| days.end_of(day));
        ends.fold(self.general.end_of(day), DateTime::max)
    }

    /// The day that an instant belongs to for who is in that department.
    pub(super) fn day_of(&self, department: Option<&str>, instant: DateTime<Utc>) -> Day {
        let days = self.differing(department).unwrap_or(&self.general);
        days.day_of(instant)
    }

    /// When days begin for who is in that department, if not as for everybody.
    pub(super) fn differing(&self, department: Option<&str>) -> Option<&Days> {
        let named = department.filter(|_| !self.departments.is_empty());
        named.and_then(|name| self.departments.get(&department_key(name)))
    }
}
