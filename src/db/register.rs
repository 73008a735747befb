//! What registers are derived from.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use crate::db::values::from_millis;
use crate::db::{Result, Store, attendance, correction};
use crate::domain::attendance::{DaysSeen, Person, Unreported};
use crate::domain::calendar::{Day, Month, department_key};
use crate::domain::ids::EmployeeNumber;

/// Who is asked about, and what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Only this employee.
    pub employee: Option<EmployeeNumber>,
    /// Only those of this department, in any case.
    pub department: Option<&'a str>,
    /// When they were seen, too.
    pub times: bool,
}

/// What a month's register is derived from.
#[derive(Debug)]
pub struct Facts {
    /// Those who may have a line, by number.
    pub people: Vec<Person>,
    /// The days of the month on which anybody at all was seen.
    pub anybody: DaysSeen,
    /// The relays that may still hold flashes.
    pub unreported: Vec<Unreported>,
}

impl Store {
    /// What the register of these days, which are of one month, is derived from.
    ///
    /// # Errors
    /// Those of reading.
    pub fn facts(&mut self, first: Day, last: Day, asked: Asked<'_>) -> Result<Facts> {
        // One transaction: all tables are read as of one moment.
        let transaction = self.connection.transaction()?;
        let mut people = people(&transaction, asked)?;
        let at: HashMap<EmployeeNumber, usize> = people
            .iter()
            .zip(0..)
            .map(|(person, at)| (person.number, at))
            .collect();
        attendance::between(
            &transaction,
            first,
            last,
            asked.employee,
            |employee, day, seen| {
                let Some(person) = at.get(&employee).and_then(|&at| people.get_mut(at)) else {
                    return;
                };
                if seen.first.is_some() {
                    person.present.insert(chrono::Datelike::day(&day));
                }
                if asked.times {
                    person.times.insert(day, seen);
                }
            },
        )?;
        correction::between(
            &transaction,
            first,
            last,
            asked.employee,
            |employee, set| {
                if let Some(person) = at.get(&employee).and_then(|&at| people.get_mut(at)) {
                    person.corrections.push(set);
                }
            },
        )?;
        Ok(Facts {
            people,
            anybody: anybody(&transaction, Month::of(first))?,
            unreported: unreported(&transaction)?,
        })
    }
}

/// The relays that may hold flashes of what they decided by themselves, and since when: each time
/// that one says that nothing is left, that moves on.
fn unreported(connection: &Connection) -> Result<Vec<Unreported>> {
    let mut select = connection.prepare_cached(
        "SELECT name, complete_until FROM relay
         WHERE complete_until IS NOT NULL AND retired IS NULL ORDER BY name",
    )?;
    let relays = select.query_map([], |row| {
        Ok(Unreported {
            relay: row.get(0)?,
            since: from_millis(row.get(1)?),
        })
    })?;
    Ok(relays.collect::<rusqlite::Result<_>>()?)
}

fn people(connection: &Connection, asked: Asked<'_>) -> Result<Vec<Person>> {
    let mut select = connection.prepare_cached(
        "SELECT number, name, department, joined, left_on FROM employee
         WHERE (?1 IS NULL OR number = ?1) AND (?1 IS NOT NULL OR NOT off_register)
         ORDER BY number",
    )?;
    let people = select.query_map([asked.employee], |row| {
        Ok(Person {
            number: row.get(0)?,
            name: row.get(1)?,
            department: row.get(2)?,
            joined: row.get(3)?,
            left: row.get(4)?,
            present: DaysSeen::default(),
            corrections: Vec::new(),
            times: BTreeMap::new(),
        })
    })?;
    let mut people: Vec<Person> = people.collect::<rusqlite::Result<_>>()?;
    if let Some(wanted) = asked.department.map(department_key) {
        let department = |person: &Person| person.department.as_deref().map(department_key);
        people.retain(|person| department(person).as_ref() == Some(&wanted));
    }
    Ok(people)
}

/// The days of a month on which anybody was seen: one look into the index for each.
fn anybody(connection: &Connection, month: Month) -> Result<DaysSeen> {
    let mut any = connection.prepare_cached(
        "SELECT 1 FROM counted WHERE day = ?1 UNION ALL SELECT 1 FROM uncounted WHERE day = ?1",
    )?;
    let mut days = DaysSeen::default();
    for (day, number) in month.days().zip(1..) {
        if any.exists([day])? {
            days.insert(number);
        }
    }
    Ok(days)
}
