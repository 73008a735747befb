//! Which twinklet belongs to whom, from which day until which.

use std::fmt;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::db::audit::Author;
use crate::db::statements::Statements;
use crate::db::values::{StoredDay, from_millis, to_millis};
use crate::db::{Error, Result};
use crate::domain::access::Assignment;
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, TwinkletId};

/// A badge in an employee's hands for some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// The assignment's own number.
    pub(super) id: i64,
    /// The badge.
    pub twinklet: TwinkletId,
    /// The first day.
    pub from: Day,
    /// The last day; `None` for one without end.
    pub until: Option<Day>,
    /// Since when it is lost or taken back, if so.
    pub revoked: Option<DateTime<Utc>>,
}

impl Badge {
    /// A badge to be given for these days.
    pub fn new(twinklet: TwinkletId, from: Day, until: Option<Day>) -> Self {
        Self {
            id: 0,
            twinklet,
            from,
            until,
            revoked: None,
        }
    }

    /// The same on other days.
    pub fn with_days(self, from: Day, until: Option<Day>) -> Self {
        Self {
            from,
            until,
            ..self
        }
    }

    /// Whether it has any day at all.
    ///
    /// # Errors
    /// [`Error::Conflict`] if not.
    pub(super) fn check(&self) -> Result<()> {
        match self.until.is_some_and(|until| until < self.from) {
            true => Err(Error::Conflict(format!(
                "twinklet {self}: the last day is before the first"
            ))),
            false => Ok(()),
        }
    }

    /// Whether its last day is over.
    pub fn is_over(&self, today: Day) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    /// Whether it is lost, rather than taken back: then it would still be the employee's.
    pub fn is_lost(&self, today: Day) -> bool {
        self.revoked.is_some() && self.until.is_none_or(|until| until > today)
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.twinklet, self.from)?;
        self.until
            .map_or(Ok(()), |until| write!(f, " until {until}"))
    }
}

/// An assignment with its employee, as a flash needs them.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) employee: EmployeeNumber,
    pub(super) name: String,
    pub(super) assignment: Assignment,
    /// The day as it is for this employee.
    pub(super) day: Day,
    /// Whether the employee needs one-time codes.
    pub(super) has_code: bool,
}

/// The holder of a twinklet on a day, which may be another one for each department, with what a
/// flash at that door needs; if nobody holds it then, whoever got it last; `None` if nobody ever did.
pub(super) fn holder(
    statements: &mut Statements<'_>,
    twinklet: TwinkletId,
    day_of: impl Fn(Option<&str>) -> Day,
    door: Option<i64>,
) -> Result<Option<Holder>> {
    let select = statements.get(
        "SELECT employee.number, employee.name, from_day, until_day, revoked IS NOT NULL, left_on,
             suspended IS NOT NULL, hours,
             CASE WHEN doors_listed THEN EXISTS (
                 SELECT 1 FROM door_grant
                 WHERE door_grant.employee = employee.number AND door_grant.door = ?2
             ) ELSE 1 END,
             department,
             EXISTS (SELECT 1 FROM code WHERE code.employee = employee.number)
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
    let day = |column| {
        let day: Option<StoredDay> = row.get(column)?;
        Ok::<_, rusqlite::Error>(day.map(|day| day.0))
    };
    let assignment = Assignment {
        from: row.get::<_, StoredDay>(2)?.0,
        until: day(3)?,
        revoked: row.get(4)?,
        left: day(5)?,
        suspended: row.get(6)?,
        hours: row.get(7)?,
        granted: row.get(8)?,
    };
    Ok(Holder {
        employee: row.get(0)?,
        name: row.get(1)?,
        assignment,
        day: day_of(row.get_ref(9)?.as_str_or_null()?),
        has_code: row.get(10)?,
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

/// Gives a twinklet to an employee for some days.
///
/// # Errors
/// [`Error::Conflict`] if it is somebody's on one of them.
pub(super) fn give(connection: &Connection, employee: EmployeeNumber, badge: &Badge) -> Result<()> {
    insert(connection, employee, badge)?;
    check_overlaps(connection, employee)
}

/// Adds an assignment, whatever else there is.
///
/// # Errors
/// [`Error::Conflict`] if it ends before it begins.
pub(super) fn insert(
    connection: &Connection,
    employee: EmployeeNumber,
    badge: &Badge,
) -> Result<()> {
    badge.check()?;
    connection
        .prepare_cached(
            "INSERT INTO assignment (twinklet, employee, from_day, until_day)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((badge.twinklet, employee, badge.from, badge.until))?;
    Ok(())
}

/// Changes the days of an assignment.
pub(super) fn set_days(
    connection: &Connection,
    id: i64,
    from: Day,
    until: Option<Day>,
) -> Result<()> {
    connection
        .prepare_cached("UPDATE assignment SET from_day = ?2, until_day = ?3 WHERE id = ?1")?
        .execute((id, from, until))?;
    Ok(())
}

/// Revokes an assignment at that instant, or takes that back.
pub(super) fn set_revoked(
    connection: &Connection,
    id: i64,
    revoked: Option<DateTime<Utc>>,
) -> Result<()> {
    connection
        .prepare_cached("UPDATE assignment SET revoked = ?2 WHERE id = ?1")?
        .execute((id, revoked.map(to_millis)))?;
    Ok(())
}

/// Takes a badge back today: it opens nothing any more, and is free for somebody else.
pub(super) fn take_back(
    connection: &Connection,
    badge: &Badge,
    today: Day,
    author: &Author,
) -> Result<()> {
    set_revoked(connection, badge.id, badge.revoked.or(Some(author.at)))?;
    // One that was still to come keeps its first day, and so its row's sense.
    set_days(
        connection,
        badge.id,
        badge.from,
        Some(badge.from.max(today)),
    )
}

/// Calls `each` with every assignment and its employee, in the order in which they begin.
pub(super) fn each(
    connection: &Connection,
    mut each: impl FnMut(EmployeeNumber, Badge),
) -> Result<()> {
    let mut select = connection.prepare_cached(
        "SELECT id, twinklet, from_day, until_day, revoked, employee FROM assignment
         ORDER BY from_day, id",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        each(row.get(5)?, badge(row)?);
    }
    Ok(())
}

/// Every assignment of a badge, in the order in which they begin, with its employee.
pub(super) fn of_twinklet(
    connection: &Connection,
    twinklet: TwinkletId,
) -> Result<Vec<(EmployeeNumber, Badge)>> {
    let mut select = connection.prepare_cached(
        "SELECT id, twinklet, from_day, until_day, revoked, employee FROM assignment
         WHERE twinklet = ?1 ORDER BY from_day, id",
    )?;
    let all = select.query_map([twinklet], |row| Ok((row.get(5)?, badge(row)?)))?;
    Ok(all.collect::<rusqlite::Result<_>>()?)
}

/// Every assignment of an employee, in the order in which they begin.
pub(super) fn of_employee(connection: &Connection, employee: EmployeeNumber) -> Result<Vec<Badge>> {
    let mut select = connection.prepare_cached(
        "SELECT id, twinklet, from_day, until_day, revoked FROM assignment
         WHERE employee = ?1 ORDER BY from_day, id",
    )?;
    let all = select.query_map([employee], badge)?;
    Ok(all.collect::<rusqlite::Result<_>>()?)
}

fn badge(row: &Row<'_>) -> rusqlite::Result<Badge> {
    Ok(Badge {
        id: row.get(0)?,
        twinklet: row.get(1)?,
        from: row.get(2)?,
        until: row.get(3)?,
        revoked: row.get::<_, Option<i64>>(4)?.map(from_millis),
    })
}
