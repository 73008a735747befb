//! The employees: adding, finding and suspending them.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::db::audit::{self, Author};
use crate::db::values::{from_millis, to_millis};
use crate::db::{Error, Result, Store, assignment};
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, EmployeeRef, PersonName, TwinkletId};
use crate::domain::near::nearest;

/// An employee to be.
#[derive(Debug, Clone)]
pub struct NewEmployee {
    /// The name.
    pub name: PersonName,
    /// The badge.
    pub twinklet: TwinkletId,
    /// The first day of employment and of the badge.
    pub joined: Day,
}

/// An employee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Employee {
    /// The number.
    pub number: EmployeeNumber,
    /// The name, as stored.
    pub name: String,
    /// The first day of employment.
    pub joined: Day,
    /// Since when the employee is suspended, if so.
    pub suspended: Option<DateTime<Utc>>,
    /// The badges that are the employee's on the day asked about, or will be.
    pub twinklets: Vec<TwinkletId>,
}

impl Store {
    /// Adds an employee with a badge.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the badge is somebody's; else those of writing.
    pub fn add_employee(&mut self, new: &NewEmployee, author: &Author) -> Result<EmployeeNumber> {
        self.write(|transaction| {
            transaction
                .prepare_cached("INSERT INTO employee (name, joined) VALUES (?1, ?2)")?
                .execute((new.name.as_str(), new.joined))?;
            let number = EmployeeNumber(transaction.last_insert_rowid());
            assignment::give(transaction, new.twinklet, number, new.joined)?;
            let detail = format!(
                "{}, twinklet {}, joined {}",
                new.name, new.twinklet, new.joined
            );
            audit::record(transaction, author, "add", number, &detail)?;
            Ok(number)
        })
    }

    /// All employees, by number, with the badges they have on that day.
    ///
    /// # Errors
    /// Those of reading.
    pub fn employees(&self, today: Day) -> Result<Vec<Employee>> {
        select(&self.connection, "", [], today)
    }

    /// Suspends an employee, or lets one in again. Returns the employee as before the change, so
    /// that a caller can tell whether it was one.
    ///
    /// # Errors
    /// [`Error::NotFound`] if nobody is meant, with the near names; [`Error::Conflict`] if several
    /// may be; else those of writing.
    pub fn set_suspended(
        &mut self,
        whom: &EmployeeRef,
        suspended: bool,
        today: Day,
        author: &Author,
    ) -> Result<Employee> {
        self.write(|transaction| {
            let employee = find(transaction, whom, today)?;
            if employee.suspended.is_some() != suspended {
                let since = suspended.then(|| to_millis(author.at));
                transaction
                    .prepare_cached("UPDATE employee SET suspended = ?2 WHERE number = ?1")?
                    .execute((employee.number, since))?;
                let action = if suspended { "suspend" } else { "resume" };
                audit::record(transaction, author, action, employee.number, "")?;
            }
            Ok(employee)
        })
    }
}

/// The one employee who is meant.
fn find(connection: &Connection, whom: &EmployeeRef, today: Day) -> Result<Employee> {
    let (mut found, what) = match whom {
        EmployeeRef::Number(number) => {
            let found = select(connection, "WHERE number = ?1", [number], today)?;
            (found, format!("no employee has number {number}"))
        }
        EmployeeRef::Twinklet(twinklet) => {
            let number = assignment::holder(connection, *twinklet, today)?.map(|h| h.employee);
            let found = select(connection, "WHERE number = ?1", [number], today)?;
            (
                found,
                format!("twinklet {twinklet} was never given to anybody"),
            )
        }
        EmployeeRef::Name(name) => return find_by_name(connection, name, today),
    };
    found.pop().ok_or(Error::NotFound(what))
}

/// The one employee of that name, in any case.
fn find_by_name(connection: &Connection, name: &str, today: Day) -> Result<Employee> {
    let all = select(connection, "", [], today)?;
    let wanted = name.trim().to_lowercase();
    let (mut same, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|employee| employee.name.to_lowercase() == wanted);
    match (same.pop(), same.is_empty()) {
        (Some(employee), true) => Ok(employee),
        (Some(last), false) => {
            same.push(last);
            let names: Vec<_> = same.iter().map(describe).collect();
            let (count, names) = (names.len(), names.join(", "));
            Err(Error::Conflict(format!(
                "{count} employees are called '{name}': {names}; use the number"
            )))
        }
        (None, _) => Err(Error::NotFound(not_found(name, &others))),
    }
}

/// An employee among others of the same name.
fn describe(employee: &Employee) -> String {
    let twinklets: Vec<_> = employee.twinklets.iter().map(ToString::to_string).collect();
    match twinklets.is_empty() {
        true => format!("{} (no twinklet)", employee.number),
        false => format!("{} (twinklet {})", employee.number, twinklets.join(", ")),
    }
}

fn not_found(name: &str, others: &[Employee]) -> String {
    let near = nearest(name, others.iter().map(|employee| employee.name.as_str()));
    let numbered = |near: &&str| {
        let same = others.iter().filter(|employee| employee.name == **near);
        same.map(|employee| format!("'{near}' ({})", employee.number))
            .collect::<Vec<_>>()
    };
    let mut near: Vec<_> = near.iter().flat_map(numbered).collect();
    near.dedup();
    match near.is_empty() {
        true => format!("no employee '{name}'; 'twinkle employee list' shows all"),
        false => format!("no employee '{name}'; did you mean {}?", near.join(" or ")),
    }
}

fn select<P: rusqlite::Params>(
    connection: &Connection,
    filter: &'static str,
    parameters: P,
    today: Day,
) -> Result<Vec<Employee>> {
    let sql =
        format!("SELECT number, name, joined, suspended FROM employee {filter} ORDER BY number");
    let mut select = connection.prepare_cached(&sql)?;
    let mut twinklets = connection.prepare_cached(
        "SELECT twinklet FROM assignment
         WHERE employee = ?1 AND (until_day IS NULL OR until_day >= ?2) ORDER BY from_day",
    )?;
    let employees = select.query_map(parameters, |row| {
        let number = row.get(0)?;
        let held = twinklets.query_map((number, today), |row| row.get(0))?;
        Ok(Employee {
            number,
            name: row.get(1)?,
            joined: row.get(2)?,
            suspended: row.get::<_, Option<i64>>(3)?.map(from_millis),
            twinklets: held.collect::<rusqlite::Result<_>>()?,
        })
    })?;
    Ok(employees.collect::<rusqlite::Result<_>>()?)
}
