//! What a door acted on, where the central has stored something else.

use rusqlite::{Connection, OptionalExtension};

use super::Placed;
use crate::db::device::KnownDoor;
use crate::db::statements::Statements;
use crate::db::{Result, attendance, undelivered};
use crate::domain::access::Verdict;
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, EventId, TwinkletId};
use crate::domain::spool::{Acted, ClockFault};

/// What of a stored flash may have to change.
struct Stored {
    door: Option<i64>,
    twinklet: Option<TwinkletId>,
    verdict: Verdict,
    presence: Presence,
    /// Whether a relay's entry has told of it already.
    told: bool,
}

/// What an `Open` counts as, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Presence {
    employee: Option<EmployeeNumber>,
    day: Day,
    at: i64,
}

/// How long after its commit it may turn out that nobody was left to hear an answer, milliseconds.
const UNHEARD_WITHIN: i64 = 60_000;

/// Its door has acted on an `Open`: that nobody heard the central's is no matter then, whether that
/// was found out already or will be.
fn confirm(connection: &Connection, event: EventId, when: &Placed) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE event SET received = ?2 WHERE uid = ?1 AND received IS NULL AND at > ?3",
        )?
        .execute((event, when.received, when.received - UNHEARD_WITHIN))?;
    undelivered::withdraw(connection, event)
}

/// Has a flash that is stored already say what its door acted on, and the register with it. Where
/// its relay decided too, the central did so only when nobody waited any more: it counts as of when
/// the door acted, as if the central had never heard of it before.
pub(super) fn overrule(
    statements: &mut Statements<'_>,
    acted: &Acted,
    when: &Placed,
    door: Option<KnownDoor>,
    (holder, day): (Option<EmployeeNumber>, Day),
) -> Result<()> {
    let connection = statements.connection();
    let id = door.map(|door| door.id);
    let stored = connection
        .prepare_cached(
            "SELECT door, twinklet, employee, verdict, at, day, received IS NOT NULL FROM event
             WHERE uid = ?1 AND kind = 'flash'",
        )?
        .query_row([acted.event], |row| {
            Ok(Stored {
                door: row.get(0)?,
                twinklet: row.get(1)?,
                verdict: row.get(3)?,
                presence: Presence {
                    employee: row.get(2)?,
                    at: row.get(4)?,
                    day: row.get(5)?,
                },
                told: row.get(6)?,
            })
        })
        .optional()?;
    // Another event that bears the same id is none of this one's business.
    let Some(stored) = stored.filter(|stored| {
        stored.twinklet == Some(acted.twinklet)
            && stored.door.is_none_or(|stored| Some(stored) == id)
    }) else {
        return Ok(());
    };
    let mut counts = |verdict| -> Result<bool> {
        Ok(verdict == Verdict::Open && !undelivered::contains(statements, acted.event)?)
    };
    let counted = counts(stored.verdict)?;
    if acted.verdict == Verdict::Open {
        confirm(connection, acted.event, when)?;
    }
    let was = stored.presence;
    let late = acted.own && !stored.told;
    let is = match late {
        true => Presence {
            employee: holder.or(was.employee),
            day,
            at: when.at,
        },
        false => Presence {
            employee: was.employee.or(holder),
            ..was
        },
    };
    if late || stored.verdict != acted.verdict {
        connection
            .prepare_cached(
                "UPDATE event SET verdict = ?2, employee = ?3, door = ?4, day = ?5, at = ?6,
                     received = iif(?7, ?8, received), clock = iif(?7, ?9, clock)
                 WHERE uid = ?1",
            )?
            .execute((
                acted.event,
                acted.verdict,
                is.employee,
                id,
                is.day,
                is.at,
                late,
                when.received,
                when.fault.map(ClockFault::code),
            ))?;
    }
    if stored.verdict != acted.verdict {
        connection
            .prepare_cached(
                "INSERT INTO overruled (uid, at, verdict) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO NOTHING",
            )?
            .execute((acted.event, when.received, stored.verdict))?;
    }
    let counts = counts(acted.verdict)?;
    let moved = late && is != was;
    if let (Some(employee), true) = (was.employee, counted && (moved || !counts)) {
        attendance::take_back(connection, employee, was.day, was.at)?;
    }
    match is.employee {
        Some(employee) if counts && (moved || !counted) => {
            let is_exit = door.is_some_and(|door| door.is_exit);
            attendance::count_event(statements, acted.event, (employee, is.day), is.at, is_exit)
        }
        _ => Ok(()),
    }
}
