//! Which twinklet belongs to whom, from which day until which.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::db::{Error, Result};
use crate::domain::access::Assignment;
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, TwinkletId};

/// An assignment with its employee, as a flash needs them.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) employee: EmployeeNumber,
    pub(super) name: String,
    pub(super) assignment: Assignment,
}

/// The holder of a twinklet on a day; if nobody holds it that day, whoever got it last; `None` if
/// nobody ever did.
pub(super) fn holder(
    connection: &Connection,
    twinklet: TwinkletId,
    day: Day,
) -> Result<Option<Holder>> {
    let mut select = connection.prepare_cached(
        "SELECT employee.number, employee.name, from_day, until_day, suspended IS NOT NULL
         FROM assignment JOIN employee ON employee.number = assignment.employee
         WHERE twinklet = ?1 ORDER BY from_day DESC",
    )?;
    let mut latest = None;
    for holder in select.query_map([twinklet], read)? {
        let holder = holder?;
        if holder.assignment.holds_on(day) {
            return Ok(Some(holder));
        }
        latest.get_or_insert(holder);
    }
    Ok(latest)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Holder> {
    let assignment = Assignment {
        from: row.get(2)?,
        until: row.get(3)?,
        suspended: row.get(4)?,
    };
    Ok(Holder {
        employee: row.get(0)?,
        name: row.get(1)?,
        assignment,
    })
}

/// Gives a twinklet to an employee from a day on, without end.
///
/// # Errors
/// [`Error::Conflict`] if it is somebody's on that day or later.
pub(super) fn give(
    connection: &Connection,
    twinklet: TwinkletId,
    employee: EmployeeNumber,
    from: Day,
) -> Result<()> {
    let taken = connection
        .prepare_cached(
            "SELECT employee.number, employee.name, from_day
             FROM assignment JOIN employee ON employee.number = assignment.employee
             WHERE twinklet = ?1 AND (until_day IS NULL OR until_day >= ?2)
             ORDER BY from_day LIMIT 1",
        )?
        .query_row((twinklet, from), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let taken: Option<(EmployeeNumber, String, Day)> = taken;
    if let Some((number, name, since)) = taken {
        return Err(Error::Conflict(format!(
            "twinklet {twinklet} belongs to {name} ({number}) since {since}; give another one"
        )));
    }
    connection
        .prepare_cached(
            "INSERT INTO assignment (twinklet, employee, from_day) VALUES (?1, ?2, ?3)",
        )?
        .execute((twinklet, employee, from))?;
    Ok(())
}
