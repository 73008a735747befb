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
    /// The day as it is for this employee.
    pub(super) day: Day,
}

/// The holder of a twinklet on a day, which may be another one for each department, with what a
/// flash at that door needs; if nobody holds it then, whoever got it last; `None` if nobody ever did.
pub(super) fn holder(
    connection: &Connection,
    twinklet: TwinkletId,
    day_of: impl Fn(Option<&str>) -> Day,
    door: Option<i64>,
) -> Result<Option<Holder>> {
    let mut select = connection.prepare_cached(
        "SELECT employee.number, employee.name, from_day, until_day, revoked IS NOT NULL, left_on,
             suspended IS NOT NULL, hours,
             CASE WHEN doors_listed THEN EXISTS (
                 SELECT 1 FROM door_grant
                 WHERE door_grant.employee = employee.number AND door_grant.door = ?2
             ) ELSE 1 END,
             department
         FROM assignment JOIN employee ON employee.number = assignment.employee
         WHERE twinklet = ?1 ORDER BY from_day DESC, id DESC",
    )?;
    let mut latest = None;
    for holder in select.query_map((twinklet, door), |row| read(row, &day_of))? {
        let holder = holder?;
        // A badge that was taken back may have been given to somebody else on the same day.
        if holder.assignment.in_hand_on(holder.day) {
            return Ok(Some(holder));
        }
        latest.get_or_insert(holder);
    }
    Ok(latest)
}

fn read(row: &Row<'_>, day_of: impl Fn(Option<&str>) -> Day) -> rusqlite::Result<Holder> {
    let assignment = Assignment {
        from: row.get(2)?,
        until: row.get(3)?,
        revoked: row.get(4)?,
        left: row.get(5)?,
        suspended: row.get(6)?,
        hours: row.get(7)?,
        granted: row.get(8)?,
    };
    Ok(Holder {
        employee: row.get(0)?,
        name: row.get(1)?,
        assignment,
        day: day_of(row.get_ref(9)?.as_str_or_null()?),
    })
}

/// The badges that are an employee's on that day, or will be.
pub(super) fn held(
    connection: &Connection,
    employee: EmployeeNumber,
    today: Day,
) -> Result<Vec<TwinkletId>> {
    let mut select = connection.prepare_cached(
        "SELECT twinklet FROM assignment JOIN employee ON employee.number = assignment.employee
         WHERE employee = ?1 AND revoked IS NULL
             AND (until_day IS NULL OR until_day >= ?2) AND (left_on IS NULL OR left_on >= ?2)
         ORDER BY from_day",
    )?;
    let held = select.query_map((employee, today), |row| row.get(0))?;
    Ok(held.collect::<rusqlite::Result<_>>()?)
}

/// Fails if a badge of an employee is somebody else's, or the employee's own twice, on the same day.
///
/// # Errors
/// [`Error::Conflict`], naming the badge and the other one.
pub(super) fn check_overlaps(connection: &Connection, employee: EmployeeNumber) -> Result<()> {
    let overlap = connection
        .prepare_cached(
            "SELECT other.twinklet, holder.number, holder.name, other.from_day
             FROM assignment mine
                 JOIN employee me ON me.number = mine.employee
                 JOIN assignment other ON other.twinklet = mine.twinklet AND other.id <> mine.id
                 JOIN employee holder ON holder.number = other.employee
             WHERE mine.employee = ?1 AND mine.revoked IS NULL AND other.revoked IS NULL
                 AND max(mine.from_day, other.from_day) <= min(
                     coalesce(mine.until_day, '9999'), coalesce(me.left_on, '9999'),
                     coalesce(other.until_day, '9999'), coalesce(holder.left_on, '9999'))
             ORDER BY other.from_day LIMIT 1",
        )?
        .query_row([employee], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let overlap: Option<(TwinkletId, EmployeeNumber, String, Day)> = overlap;
    overlap.map_or(Ok(()), |(twinklet, number, name, since)| {
        Err(taken(twinklet, number, &name, since))
    })
}

fn taken(twinklet: TwinkletId, number: EmployeeNumber, name: &str, since: Day) -> Error {
    Error::Conflict(format!(
        "twinklet {twinklet} belongs to {name} ({number}) since {since}; give another one"
    ))
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
    connection
        .prepare_cached(
            "INSERT INTO assignment (twinklet, employee, from_day) VALUES (?1, ?2, ?3)",
        )?
        .execute((twinklet, employee, from))?;
    check_overlaps(connection, employee)
}
