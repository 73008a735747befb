//! What the office set in the register, in the place of what would be derived. Append-only: the
//! last correction of a day counts, and one without a mark undoes those before it.

use rusqlite::{Connection, OptionalExtension};

use crate::db::values::{from_millis, to_millis};
use crate::db::{Author, Change, Employee, Error, Result, Store, audit, closing, employee};
use crate::domain::attendance::{Correction, Mark};
use crate::domain::calendar::{Day, Month};
use crate::domain::ids::{EmployeeNumber, EmployeeRef};
use crate::domain::remark::Remark;

/// Whose day is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// One employee's.
    One(EmployeeRef),
    /// That of all who were employed on it and have a line on the register.
    All,
}

/// A correction to be.
#[derive(Debug, Clone)]
pub struct NewCorrection {
    /// The day.
    pub day: Day,
    /// What it is to be; `None`: what is derived.
    pub mark: Option<Mark>,
    /// Why.
    pub reason: Remark,
}

/// What a correction did.
#[derive(Debug)]
pub struct Corrected {
    /// Whose day it set.
    pub employees: Vec<Employee>,
    /// Who signed the month, if it is closed.
    pub signed_by: Option<String>,
}

impl Store {
    /// Sets a day in the register.
    ///
    /// # Errors
    /// [`Error::NotFound`] if nobody is meant; [`Error::Conflict`] if who is was not employed on the
    /// day that is to be set, or there is nothing to undo; else those of writing.
    pub fn correct(
        &mut self,
        whose: &Whose,
        new: &NewCorrection,
        today: Day,
        author: &Author,
    ) -> Result<Corrected> {
        self.write(|transaction| {
            let employees = match whose {
                Whose::One(whom) => vec![checked(transaction, whom, new, today)?],
                Whose::All => all(transaction, new, today)?,
            };
            for employee in &employees {
                record(transaction, employee.number, new, author)?;
            }
            Ok(Corrected {
                employees,
                signed_by: closing::signed_by(transaction, Month::of(new.day))?,
            })
        })
    }
}

/// The one who is meant, if the day can be set.
fn checked(
    connection: &Connection,
    whom: &EmployeeRef,
    new: &NewCorrection,
    today: Day,
) -> Result<Employee> {
    let employee = employee::find(connection, whom, today)?;
    let (name, number, day) = (&employee.name, employee.number, new.day);
    if new.mark.is_none() {
        // Also of a day on which they are no longer employed: it was entered before they left.
        return match last_mark(connection, number, day)? {
            Some(_) => Ok(employee),
            None => Err(Error::Conflict(format!(
                "{name} ({number}) has no correction on {day}"
            ))),
        };
    }
    if employee.joined > day {
        let joined = employee.joined;
        return Err(Error::Conflict(format!(
            "{name} ({number}) joined on {joined}, after {day}"
        )));
    }
    if let Some(left) = employee.left.filter(|&left| left < day) {
        return Err(Error::Conflict(format!(
            "{name} ({number}) left on {left}, before {day}"
        )));
    }
    Ok(employee)
}

/// All whose day can be set.
fn all(connection: &Connection, new: &NewCorrection, today: Day) -> Result<Vec<Employee>> {
    let mut employees = employee::all(connection, today)?;
    employees.retain(|employee| {
        let employed =
            employee.joined <= new.day && employee.left.is_none_or(|left| new.day <= left);
        employed && !employee.off_register
    });
    if new.mark.is_none() {
        let mut corrected = Vec::new();
        for employee in employees {
            if last_mark(connection, employee.number, new.day)?.is_some() {
                corrected.push(employee);
            }
        }
        employees = corrected;
    }
    match employees.is_empty() {
        true => Err(Error::NotFound(format!(
            "there is nobody to mark on {}",
            new.day
        ))),
        false => Ok(employees),
    }
}

/// The mark that is set for a day, if there is one.
fn last_mark(
    connection: &Connection,
    employee: EmployeeNumber,
    day: Day,
) -> Result<Option<String>> {
    let mut select = connection.prepare_cached(
        "SELECT mark FROM correction WHERE day = ?1 AND employee = ?2 ORDER BY id DESC LIMIT 1",
    )?;
    let mark: Option<Option<String>> = select
        .query_row((day, employee), |row| row.get(0))
        .optional()?;
    Ok(mark.flatten())
}

/// Writes a correction down, and who made it.
pub(super) fn record(
    connection: &Connection,
    employee: EmployeeNumber,
    new: &NewCorrection,
    author: &Author,
) -> Result<()> {
    let old = last_mark(connection, employee, new.day)?;
    let mark = new.mark.map(Mark::symbol);
    connection
        .prepare_cached(
            "INSERT INTO correction (at, who, employee, day, mark, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            to_millis(author.at),
            &author.who,
            employee,
            new.day,
            mark,
            new.reason.as_str(),
        ))?;
    let change = Change {
        field: "mark",
        old: Some(old.unwrap_or_else(|| "auto".to_owned())),
        new: Some(mark.unwrap_or("auto").to_owned()),
    };
    let detail = format!("{}: {}", new.day, new.reason);
    audit::record(connection, author, "mark", employee, &detail, &[change])
}

/// Calls `each` with every correction that counts, of the days from the first to the last, or of
/// one employee's.
pub(super) fn between(
    connection: &Connection,
    first: Day,
    last: Day,
    employee: Option<EmployeeNumber>,
    mut each: impl FnMut(EmployeeNumber, Correction),
) -> Result<()> {
    // With max(), SQLite takes the other columns from the row that has it.
    let mut select = connection.prepare_cached(
        "SELECT employee, day, mark, reason, who, at, max(id) FROM correction
         WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR employee = ?3) GROUP BY day, employee",
    )?;
    let mut rows = select.query((first, last, employee))?;
    while let Some(row) = rows.next()? {
        let mark = row
            .get_ref(2)?
            .as_str_or_null()
            .map_err(rusqlite::Error::from)?;
        let Some(mark) = mark.and_then(Mark::from_symbol) else {
            continue;
        };
        let correction = Correction {
            day: row.get(1)?,
            mark,
            reason: row.get(3)?,
            who: row.get(4)?,
            at: from_millis(row.get(5)?),
        };
        each(row.get(0)?, correction);
    }
    Ok(())
}
