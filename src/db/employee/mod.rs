//! The employees: who they are, and finding the one who is meant. What is changed about one is in
//! [`edit`].

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::db::statements::Statements;
use crate::db::values::from_millis;
use crate::db::{Error, Result, Store, assignment, grant};
use crate::domain::calendar::Day;
use crate::domain::hours::Hours;
use crate::domain::ids::{EmployeeNumber, EmployeeRef, TwinkletId};
use crate::domain::near::nearest;

mod badges;
pub(super) mod edit;
mod erase;

pub use edit::{Change, Changed, Edit, NewEmployee};

/// An employee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Employee {
    /// The number.
    pub number: EmployeeNumber,
    /// The name, as stored.
    pub name: String,
    /// The department's name, as stored.
    pub department: Option<String>,
    /// The first day of employment.
    pub joined: Day,
    /// The last day of employment, if there is one.
    pub left: Option<Day>,
    /// Since when the employee is suspended, if so.
    pub suspended: Option<DateTime<Utc>>,
    /// Whether there is no line for the employee on the register.
    pub off_register: bool,
    /// When the employee may enter; `None` for at any time.
    pub hours: Option<Hours>,
    /// The names of the doors that the employee may use, in their order; `None` for every door.
    pub doors: Option<Vec<String>>,
    /// The badges that are the employee's on the day asked about, or will be.
    pub twinklets: Vec<TwinkletId>,
}

impl Employee {
    /// An employee without a number yet, who may enter everywhere at any time and has no badge.
    pub fn new(name: &str, joined: Day) -> Self {
        Self {
            number: EmployeeNumber(0),
            name: name.to_owned(),
            department: None,
            joined,
            left: None,
            suspended: None,
            off_register: false,
            hours: None,
            doors: None,
            twinklets: Vec::new(),
        }
    }
}

impl Store {
    /// All employees, by number, with the badges they have on that day.
    ///
    /// # Errors
    /// Those of reading.
    pub fn employees(&self, today: Day) -> Result<Vec<Employee>> {
        all(&self.connection, today)
    }

    /// The one employee who is meant, as of that day.
    ///
    /// # Errors
    /// [`Error::NotFound`] if nobody is meant, with the near names; [`Error::Conflict`] if several
    /// may be; else those of reading.
    pub fn employee(&self, whom: &EmployeeRef, today: Day) -> Result<Employee> {
        find(&self.connection, whom, today)
    }

    /// Whether somebody has that name, in any case.
    ///
    /// # Errors
    /// Those of reading.
    pub fn is_anybody_called(&self, name: &str) -> Result<bool> {
        let names = names(&self.connection)?;
        Ok(called(name, &names).next().is_some())
    }
}

/// See [`Store::employees`].
pub(super) fn all(connection: &Connection, today: Day) -> Result<Vec<Employee>> {
    select(connection, "", [], today)
}

/// The one employee who is meant.
pub(super) fn find(connection: &Connection, whom: &EmployeeRef, today: Day) -> Result<Employee> {
    let (mut found, what) = match whom {
        EmployeeRef::Number(number) => {
            let found = select(connection, "WHERE number = ?1", [number], today)?;
            (found, format!("no employee has number {number}"))
        }
        EmployeeRef::Twinklet(twinklet) => {
            let mut statements = Statements::new(connection);
            let holder = assignment::holder(&mut statements, *twinklet, |_| today, None)?;
            let number = holder.map(|holder| holder.employee);
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
    let names = names(connection)?;
    let mut same = Vec::new();
    for number in called(name, &names) {
        same.extend(select(connection, "WHERE number = ?1", [number], today)?);
    }
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
        (None, _) => Err(Error::NotFound(not_found(name, &names))),
    }
}

/// Everybody's number and name: SQLite knows the capitals of ASCII alone.
fn names(connection: &Connection) -> Result<Vec<(EmployeeNumber, String)>> {
    let mut select = connection.prepare_cached("SELECT number, name FROM employee")?;
    let names = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// Those of that name, in any case.
fn called<'a>(
    name: &str,
    names: &'a [(EmployeeNumber, String)],
) -> impl Iterator<Item = EmployeeNumber> + 'a {
    let wanted = name.trim().to_lowercase();
    let same = names
        .iter()
        .filter(move |(_, name)| name.to_lowercase() == wanted);
    same.map(|(number, _)| *number)
}

/// An employee among others of the same name.
fn describe(employee: &Employee) -> String {
    let twinklets: Vec<_> = employee.twinklets.iter().map(ToString::to_string).collect();
    match twinklets.is_empty() {
        true => format!("{} (no twinklet)", employee.number),
        false => format!("{} (twinklet {})", employee.number, twinklets.join(", ")),
    }
}

fn not_found(name: &str, others: &[(EmployeeNumber, String)]) -> String {
    let near = nearest(name, others.iter().map(|(_, name)| name.as_str()));
    let numbered = |near: &&str| {
        let same = others.iter().filter(|(_, name)| name == near);
        same.map(|(number, _)| format!("'{near}' ({number})"))
            .collect::<Vec<_>>()
    };
    let mut near: Vec<_> = near.iter().flat_map(numbered).collect();
    near.dedup();
    match near.is_empty() {
        true => format!("no employee '{name}'; 'twinkle employee list' shows all"),
        false => format!("no employee '{name}'; did you mean {}?", near.join(" or ")),
    }
}

/// All employees that a filter lets through, with the badges they have on that day.
pub(super) fn select<P: rusqlite::Params>(
    connection: &Connection,
    filter: &'static str,
    parameters: P,
    today: Day,
) -> Result<Vec<Employee>> {
    let sql = format!(
        "SELECT number, name, department, joined, left_on, suspended, off_register, hours,
             doors_listed
         FROM employee {filter} ORDER BY number"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(parameters)?;
    let mut employees = Vec::new();
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        employees.push(Employee {
            number,
            name: row.get(1)?,
            department: row.get(2)?,
            joined: row.get(3)?,
            left: row.get(4)?,
            suspended: row.get::<_, Option<i64>>(5)?.map(from_millis),
            off_register: row.get(6)?,
            hours: row.get(7)?,
            doors: match row.get(8)? {
                true => Some(grant::doors(connection, number)?),
                false => None,
            },
            twinklets: assignment::held(connection, number, today)?,
        });
    }
    Ok(employees)
}
