//! The events as reports show them, with names.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Row, named_params};

use crate::db::day_rules::DayRules;
use crate::db::values::{from_millis, to_millis};
use crate::db::{Error, Result, Store};
use crate::domain::access::Verdict;
use crate::domain::calendar::Day;
use crate::domain::door_event::Kind;
use crate::domain::event_filter::{Ending, EventFilter};
use crate::domain::ids::{EmployeeNumber, EventId, TwinkletId};

/// How far outside its day by the rules of now an event may lie that was stored when other rules
/// held.
const OTHER_RULES: TimeDelta = TimeDelta::hours(6);

/// One event, with names, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in the log: larger for one that was stored later.
    pub place: i64,
    /// When it happened, by the central's clock.
    pub at: DateTime<Utc>,
    /// The day it counts for.
    pub day: Day,
    /// The door's name; `None` if the door was unknown.
    pub door: Option<String>,
    /// The relay's name; `None` if it came straight from the door.
    pub relay: Option<String>,
    /// The badge; for what else happened, that of the flash it followed.
    pub twinklet: Option<TwinkletId>,
    /// The employee's number and name; `None` if the badge is nobody's.
    pub employee: Option<(EmployeeNumber, String)>,
    /// What was decided, or what else happened.
    pub what: What,
    /// How many unknown badges it stands for, if it is guessing.
    pub guesses: Option<u32>,
    /// At which other door its badge had been, and how long before, if nobody goes so fast.
    pub hasty: Option<(String, TimeDelta)>,
    /// What cannot be right about its time, as in `clock-unset`; `None`: nothing is known to be wrong.
    pub clock: Option<String>,
    /// Whether an `Open` reached its door.
    pub delivered: bool,
    /// The event's id.
    pub event: EventId,
}

impl EventRow {
    /// What happened, in a few words: `open`, `open, undelivered`, `guessing, 16 badges`,
    /// `open, 3 s after gate`, `open, clock-unset`.
    pub fn in_words(&self) -> String {
        let mut words = self.what.code().to_owned();
        if let Some(guesses) = self.guesses {
            words += &format!(", {guesses} badges");
        }
        if !self.delivered {
            words += ", undelivered";
        }
        if let Some(fault) = &self.clock {
            words += &format!(", {fault}");
        }
        if let Some((door, after)) = &self.hasty {
            words += &format!(", {} s after {door}", after.num_seconds());
        }
        words
    }
}

/// What an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A flash, so decided.
    Flash(Verdict),
    /// Something else at a door.
    Door(Kind),
}

impl What {
    /// The verdict's code, or that of what happened.
    pub fn code(&self) -> &str {
        match self {
            What::Flash(verdict) => verdict.code(),
            What::Door(kind) => kind.code(),
        }
    }
}

impl Store {
    /// Calls `each` with the events of a filter, newest last: with the last so many, or with all.
    ///
    /// # Errors
    /// Those of reading, and those of `each`, which end it.
    pub fn events<E: From<Error>>(
        &self,
        filter: &EventFilter,
        last: Option<u32>,
        mut each: impl FnMut(EventRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let order = match last {
            Some(_) => "ORDER BY event.at DESC, event.id DESC LIMIT :limit",
            None => "ORDER BY event.at, event.id LIMIT :limit",
        };
        let sql = format!("{EVENTS} {FILTERED} {order}");
        let mut select = self.connection.prepare_cached(&sql).map_err(Error::from)?;
        let rules = DayRules::read(&self.connection)?;
        let mut rows = select
            .query(named_params! {
                ":since": filter.from.map_or(i64::MIN, |day| to_millis(rules.start_of(day) - OTHER_RULES)),
                ":until": filter.to.map_or(i64::MAX, |day| to_millis(rules.end_of(day) + OTHER_RULES)),
                ":from": filter.from,
                ":to": filter.to,
                ":employee": filter.employee,
                ":twinklet": filter.twinklet,
                ":door": filter.door,
                ":opens": filter.ending.map(|ending| ending != Ending::Refused),
                ":reached": match filter.ending {
                    Some(Ending::Open) => Some(true),
                    Some(Ending::Undelivered) => Some(false),
                    Some(Ending::Refused) | None => None,
                },
                ":reason": filter.reason.map(Verdict::DontOpen),
                ":limit": last.map_or(-1, i64::from),
            })
            .map_err(Error::from)?;
        let mut reversed = Vec::new();
        while let Some(row) = rows.next().map_err(Error::from)? {
            let event = read(row).map_err(Error::from)?;
            match last {
                Some(_) => reversed.push(event),
                None => each(event)?,
            }
        }
        reversed.into_iter().rev().try_for_each(each)
    }

    /// The events that were stored after that place in the log, in the order of the log.
    ///
    /// # Errors
    /// Those of reading.
    pub fn events_since(&self, place: i64) -> Result<Vec<EventRow>> {
        let sql = format!("{EVENTS} WHERE event.id > ?1 ORDER BY event.id");
        let mut select = self.connection.prepare_cached(&sql)?;
        let events = select.query_map([place], read)?;
        Ok(events.collect::<rusqlite::Result<_>>()?)
    }

    /// A number that is another one once somebody else has written to the database. Asking costs
    /// next to nothing.
    ///
    /// # Errors
    /// Those of reading.
    pub fn data_version(&self) -> Result<i64> {
        let mut select = self.connection.prepare_cached("PRAGMA data_version")?;
        Ok(select.query_row([], |row| row.get(0))?)
    }

    /// The last place in the log; 0 while there is nothing in it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn last_place(&self) -> Result<i64> {
        let mut select = self
            .connection
            .prepare_cached("SELECT coalesce(max(id), 0) FROM event")?;
        Ok(select.query_row([], |row| row.get(0))?)
    }
}

const EVENTS: &str = "
    SELECT event.id, event.at, event.day, door.name, relay.name,
        coalesce(event.twinklet, flash.twinklet), employee.number, employee.name, event.verdict,
        NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.uid = event.uid), event.uid,
        event.kind, guessing.count, earlier.name, hasty.after,
        event.clock
    FROM event
        LEFT JOIN event AS flash ON flash.uid = event.about AND flash.door = event.door
        LEFT JOIN guessing ON guessing.event = event.id
        LEFT JOIN hasty ON hasty.event = event.id
        LEFT JOIN door AS earlier ON earlier.id = hasty.door
        LEFT JOIN door ON door.id = event.door
        LEFT JOIN relay ON relay.id = event.relay
        LEFT JOIN employee ON employee.number = coalesce(event.employee, flash.employee)";
/// There is an index on `at` alone, as the schema says: the days are found by it, and the rest by
/// looking at each of their events.
const FILTERED: &str = "
    WHERE event.at BETWEEN :since AND :until
        AND (:from IS NULL OR event.day >= :from)
        AND (:to IS NULL OR event.day <= :to)
        AND (:employee IS NULL OR event.employee = :employee
            OR (event.about IS NOT NULL AND flash.employee = :employee))
        AND (:twinklet IS NULL OR coalesce(event.twinklet, flash.twinklet) = :twinklet)
        AND (:door IS NULL OR event.door = (SELECT id FROM door WHERE name = :door))
        AND (:opens IS NULL OR (event.verdict = 'open') = :opens)
        AND (:reached IS NULL OR :reached
            = NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.uid = event.uid))
        AND (:reason IS NULL OR event.verdict = :reason)";

fn read(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let number: Option<EmployeeNumber> = row.get(6)?;
    let name: Option<String> = row.get(7)?;
    let (earlier, after): (Option<String>, Option<i64>) = (row.get(13)?, row.get(14)?);
    Ok(EventRow {
        place: row.get(0)?,
        at: from_millis(row.get(1)?),
        day: row.get(2)?,
        door: row.get(3)?,
        relay: row.get(4)?,
        twinklet: row.get(5)?,
        employee: number.zip(name),
        what: match row.get(8)? {
            Some(verdict) => What::Flash(verdict),
            None => What::Door(row.get(11)?),
        },
        guesses: row.get(12)?,
        hasty: earlier.zip(after.map(TimeDelta::milliseconds)),
        clock: row.get(15)?,
        delivered: row.get(9)?,
        event: row.get(10)?,
    })
}
