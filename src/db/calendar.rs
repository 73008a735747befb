//! The calendar: when days begin, weekly offs and holidays, for the installation and for each
//! department that differs. It lies here, and not only in somebody's configuration, so that each
//! flash and every report have the same.

use std::collections::BTreeMap;

use chrono::{NaiveTime, Timelike};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use crate::db::{Author, Result, Store, audit};
use crate::domain::calendar::{Calendar, Days, Holiday, Rules, department_key};

/// What stands for the installation where a department could be named.
const GENERAL: &str = "";

impl Store {
    /// When the installation's days begin.
    ///
    /// # Errors
    /// Those of reading; also if this program does not know the timezone.
    pub fn days(&self) -> Result<Days> {
        days(&self.connection)
    }

    /// The calendar.
    ///
    /// # Errors
    /// Those of reading; also if this program does not know a timezone of it.
    pub fn calendar(&self) -> Result<Calendar> {
        calendar(&self.connection)
    }

    /// Sets the calendar, for the flashes to come: those that are stored keep their days. Returns
    /// what it changed, in words; what is the same already is not written.
    ///
    /// # Errors
    /// Those of writing.
    pub fn set_calendar(&mut self, new: &Calendar, author: &Author) -> Result<Vec<String>> {
        // Known calendars are taken on a full disk too.
        if calendar(&self.connection)? == *new {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            let changes = calendar(transaction)?.changes(new);
            replace(transaction, new)?;
            for change in &changes {
                audit::record(transaction, author, "calendar", None, change, &[])?;
            }
            Ok(changes)
        })
    }
}

/// See [`Store::days`].
pub(super) fn days(connection: &Connection) -> Result<Days> {
    let mut select = connection.prepare_cached(
        "SELECT department, timezone, day_starts_at FROM calendar_rule WHERE department = ?1",
    )?;
    Ok(select.query_row([GENERAL], read_days)?)
}

/// The days of the departments whose days are not the installation's, by [`department_key`].
pub(super) fn department_days(connection: &Connection) -> Result<BTreeMap<String, Days>> {
    let general = days(connection)?;
    let mut select = connection.prepare_cached(
        "SELECT department, timezone, day_starts_at FROM calendar_rule WHERE department <> ?1",
    )?;
    let rows = select.query_map([GENERAL], |row| Ok((row.get(0)?, read_days(row)?)))?;
    let mut all: BTreeMap<String, Days> = rows.collect::<rusqlite::Result<_>>()?;
    all.retain(|_, days| *days != general);
    Ok(all)
}

fn calendar(connection: &Connection) -> Result<Calendar> {
    let mut select = connection.prepare_cached(
        "SELECT department, timezone, day_starts_at, weekly_off, common_holidays
         FROM calendar_rule",
    )?;
    let rows = select.query_map([], |row| {
        let rules = Rules {
            days: read_days(row)?,
            weekly_off: parse(row, 3)?,
            holidays: Default::default(),
            common_holidays: row.get(4)?,
        };
        Ok((row.get(0)?, rules))
    })?;
    let mut departments: BTreeMap<String, Rules> = rows.collect::<rusqlite::Result<_>>()?;
    let mut select = connection.prepare_cached("SELECT department, day, name FROM holiday")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let department = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if let Some(rules) = departments.get_mut(department) {
            let (day, name) = (row.get(1)?, row.get(2)?);
            rules.holidays.insert(Holiday { day, name });
        }
    }
    let general = departments
        .remove(GENERAL)
        .ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(Calendar {
        general,
        departments,
    })
}

fn replace(connection: &Connection, new: &Calendar) -> Result<()> {
    connection.execute("DELETE FROM holiday", [])?;
    connection.execute("DELETE FROM calendar_rule", [])?;
    let mut insert_rules = connection.prepare_cached(
        "INSERT INTO calendar_rule (department, timezone, day_starts_at, weekly_off, common_holidays)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut insert_holiday = connection
        .prepare_cached("INSERT INTO holiday (day, department, name) VALUES (?1, ?2, ?3)")?;
    let departments = new
        .departments
        .iter()
        .map(|(name, rules)| (department_key(name), rules));
    for (department, rules) in departments.chain([(GENERAL.to_owned(), &new.general)]) {
        insert_rules.execute((
            &department,
            rules.days.timezone.name(),
            rules.days.starts_at.num_seconds_from_midnight() / 60,
            rules.weekly_off.to_string(),
            rules.common_holidays,
        ))?;
        for Holiday { day, name } in &rules.holidays {
            insert_holiday.execute((day, &department, name))?;
        }
    }
    Ok(())
}

/// Reads the columns 1 and 2.
fn read_days(row: &Row<'_>) -> rusqlite::Result<Days> {
    let minutes: u32 = row.get(2)?;
    Ok(Days {
        timezone: parse(row, 1)?,
        starts_at: NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, minutes.into()))?,
    })
}

fn parse<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|cause| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause))
    })
}
