//! The days on which an employee was present, one row each, as far as they are counted; what is not is
//! in `uncounted`.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::db::statements::Statements;
use crate::db::uncounted::{self, Opens};
use crate::db::values::{from_millis, to_millis};
use crate::db::{Result, Store};
use crate::domain::attendance::Seen;
use crate::domain::calendar::{Day, Days};
use crate::domain::ids::{EmployeeNumber, EventId};

/// Counts some `Open`s of that day. In whichever order they come, the same stands in the end: one at
/// a door that is only an exit is seen, and makes nobody present.
pub(super) fn count(
    statements: &mut Statements<'_>,
    employee: EmployeeNumber,
    day: Day,
    opens: Opens,
) -> Result<()> {
    let day = statements.day_text(day);
    let Opens {
        first,
        last,
        flashes,
        up_to,
    } = opens;
    statements
        .get(
            "INSERT INTO counted (day, employee, first, last, flashes, up_to)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (day, employee) DO UPDATE SET
                 first = min(
                     coalesce(first, excluded.first), coalesce(excluded.first, first)
                 ),
                 last = max(last, excluded.last),
                 flashes = flashes + excluded.flashes,
                 up_to = max(up_to, excluded.up_to)",
        )?
        .execute((day, employee, first, last, flashes, up_to))?;
    Ok(())
}

/// Counts the `Open` of an event that is stored, at that instant (UTC milliseconds). Of that person's
/// day no older one may still be uncounted.
pub(super) fn count_event(
    statements: &mut Statements<'_>,
    event: EventId,
    (employee, day): (EmployeeNumber, Day),
    at: i64,
    is_exit: bool,
) -> Result<()> {
    let number: i64 = statements
        .get("SELECT id FROM event WHERE uid = ?1")?
        .query_row([event], |row| row.get(0))?;
    count(statements, employee, day, Opens::one(number, at, is_exit))
}

/// Takes back one counted `Open`, which is noted as undelivered already; of that person's day none may
/// still be uncounted. Only if it was the first or the last of its day are that day's events looked
/// at, from it to the nearest other one.
pub(super) fn take_back(
    connection: &Connection,
    employee: EmployeeNumber,
    day: Day,
    at: i64,
) -> Result<()> {
    let row = connection
        .prepare_cached(
            "SELECT first, last, flashes FROM counted WHERE day = ?1 AND employee = ?2",
        )?
        .query_row((day, employee), |row| {
            Ok((
                row.get::<_, Option<i64>>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })
        .optional()?;
    let Some((first, last, flashes)) = row else {
        return Ok(());
    };
    let nearest = |sql, from: i64| {
        connection
            .prepare_cached(sql)?
            .query_row(
                named_params! {
                    ":employee": employee,
                    ":day": day,
                    ":from": from,
                    ":to": last,
                },
                |row| row.get(0),
            )
            .optional()
    };
    let first_left: Option<i64> = if Some(at) == first {
        nearest(FIRST, at)?
    } else {
        first
    };
    let last_left: Option<i64> = if at == last {
        // One at an exit may have come before the first.
        nearest(LAST, last - LONGEST_DAY_MS)?
    } else {
        Some(last)
    };
    match last_left {
        Some(last) if flashes > 1 => connection
            .prepare_cached(
                "UPDATE counted SET first = ?3, last = ?4, flashes = ?5
                 WHERE day = ?1 AND employee = ?2",
            )?
            .execute((day, employee, first_left, last, flashes - 1))?,
        _ => connection
            .prepare_cached("DELETE FROM counted WHERE day = ?1 AND employee = ?2")?
            .execute((day, employee))?,
    };
    Ok(())
}

/// No day is longer, also where clocks are set back by a day.
const LONGEST_DAY_MS: i64 = 2 * 24 * 3_600_000;

const FIRST: &str = "
    SELECT at FROM event
    WHERE at BETWEEN :from AND :to AND employee = :employee AND day = :day AND verdict = 'open'
        AND NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.uid = event.uid)
        AND NOT EXISTS (SELECT 1 FROM door WHERE door.id = event.door AND direction = 'out')
    ORDER BY at LIMIT 1";
const LAST: &str = "
    SELECT at FROM event
    WHERE at BETWEEN :from AND :to AND employee = :employee AND day = :day AND verdict = 'open'
        AND NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.uid = event.uid)
    ORDER BY at DESC LIMIT 1";

impl Store {
    /// Those who were present on a day, by number, and when they were first seen.
    ///
    /// # Errors
    /// Those of reading.
    pub fn seen_on(&self, day: Day) -> Result<Vec<(EmployeeNumber, DateTime<Utc>)>> {
        let mut select = self.connection.prepare_cached(
            "SELECT employee, first FROM attendance WHERE day = ?1 AND first IS NOT NULL",
        )?;
        let seen = select.query_map([day], |row| Ok((row.get(0)?, from_millis(row.get(1)?))))?;
        Ok(seen.collect::<rusqlite::Result<_>>()?)
    }
}

/// Calls `each` for every employee and day with a row between those days; for one employee, if one
/// is named.
pub(super) fn between(
    connection: &Connection,
    first: Day,
    last: Day,
    employee: Option<EmployeeNumber>,
    mut each: impl FnMut(EmployeeNumber, Day, Seen),
) -> Result<()> {
    let mut uncounted = uncounted::between(connection, first, last, employee)?;
    let days = first.iter_days().take_while(|&day| day <= last);
    let mut of_day =
        connection.prepare_cached("SELECT employee, first, last FROM counted WHERE day = ?1")?;
    let mut of_one = connection.prepare_cached(
        "SELECT employee, first, last FROM counted WHERE day = ?1 AND employee = ?2",
    )?;
    for day in days {
        let mut rows = match employee {
            Some(employee) => of_one.query((day, employee))?,
            None => of_day.query([day])?,
        };
        while let Some(row) = rows.next()? {
            let employee = row.get(0)?;
            let seen = Seen {
                first: row.get::<_, Option<i64>>(1)?.map(from_millis),
                last: from_millis(row.get(2)?),
            };
            let later = uncounted.remove(&(day, employee));
            each(employee, day, later.map_or(seen, |later| seen.and(later)));
        }
    }
    for ((day, employee), seen) in uncounted {
        each(employee, day, seen);
    }
    Ok(())
}

/// Finds anew when everybody who was let in at a door on a day was first seen, after the door has
/// become an exit, or is one no longer. What is uncounted follows the door by itself.
pub(super) fn recount(connection: &Connection, door: i64, day: Day, days: Days) -> Result<()> {
    // A department may have days of its own, which are not far from these.
    let around = TimeDelta::days(1);
    let (from, to) = (days.start_of(day) - around, days.end_of(day) + around);
    connection
        .prepare_cached(
            "UPDATE counted SET first = seen.first
             FROM (
                 SELECT event.employee AS who, min(iif(direction = 'out', NULL, at)) AS first
                 FROM event LEFT JOIN door ON door.id = event.door
                 WHERE at BETWEEN ?2 AND ?3 AND day = ?4 AND verdict = 'open'
                     AND employee IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.uid = event.uid)
                 GROUP BY who HAVING max(door.id = ?1)
             ) AS seen
             WHERE counted.day = ?4 AND counted.employee = seen.who",
        )?
        .execute((door, to_millis(from), to_millis(to), day))?;
    Ok(())
}
