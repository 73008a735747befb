//! What the central tells its relays so that they can decide by themselves.

use std::collections::{HashMap, HashSet};

use rusqlite::Transaction;

use crate::db::{Result, Store};
use crate::domain::calendar::Day;
use crate::domain::ids::{DeviceName, EmployeeNumber, TwinkletId};
use crate::domain::roster::{Holding, RosterDoor, day_number};

/// A badge with every time that it was given to somebody, the latest first.
#[derive(Debug)]
pub struct BadgeRead<'a> {
    /// Its id.
    pub id: TwinkletId,
    /// The times, for somebody who may use all doors; and by the employee, for one who may not.
    pub holdings: Vec<(Holding, Option<EmployeeNumber>)>,
    /// Whether it may have changed since the position that was asked about.
    pub changed: bool,
    /// By employee, the doors granted, of all relays.
    pub grants: &'a HashMap<EmployeeNumber, Vec<i64>>,
}

/// What there is to tell at one moment.
#[derive(Debug, Clone)]
pub struct RosterRead {
    /// The number of the last change.
    pub at: u64,
    /// The badges that may have changed, whether they are still there or not.
    pub changed: HashSet<TwinkletId>,
}

impl Store {
    /// What changes whenever a roster may: the number of the last change, the number of doors and
    /// how many of them are out of service.
    ///
    /// # Errors
    /// Those of reading.
    pub fn roster_mark(&self) -> Result<(u64, u64, u64)> {
        let mut select = self.connection.prepare_cached(
            "SELECT coalesce((SELECT max(id) FROM audit), 0), count(*), count(retired) FROM door",
        )?;
        Ok(select.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    }

    /// All doors.
    ///
    /// # Errors
    /// Those of reading.
    pub fn doors_of_rosters(&self) -> Result<Vec<RosterDoor>> {
        let mut select = self.connection.prepare_cached(
            "SELECT name, id, retired IS NOT NULL, requires_code FROM door ORDER BY id",
        )?;
        let doors = select.query_map([], |row| {
            let name: Option<DeviceName> = row.get::<_, String>(0)?.parse().ok();
            let (id, retired, requires_code) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(name.map(|name| RosterDoor {
                name,
                id,
                retired,
                requires_code,
            }))
        })?;
        let doors: Vec<_> = doors.collect::<rusqlite::Result<_>>()?;
        Ok(doors.into_iter().flatten().collect())
    }

    /// Reads everything as of one moment, badge by badge, and which of them may have changed since
    /// that number.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read_roster(
        &mut self,
        since: u64,
        mut each: impl FnMut(BadgeRead<'_>),
    ) -> Result<RosterRead> {
        let transaction = self.connection.transaction()?;
        let at = transaction
            .prepare_cached("SELECT coalesce(max(id), 0) FROM audit")?
            .query_row([], |row| row.get(0))?;
        let changed = changed(&transaction, since)?;
        let grants = grants(&transaction)?;
        let mut select = transaction.prepare_cached(
            "SELECT twinklet, from_day, until_day, left_on, revoked IS NOT NULL,
                 suspended IS NOT NULL, hours, doors_listed, employee.number,
                 EXISTS (SELECT 1 FROM code WHERE code.employee = assignment.employee)
             FROM assignment JOIN employee ON employee.number = assignment.employee
             ORDER BY twinklet, from_day DESC, assignment.id DESC",
        )?;
        let mut rows = select.query([])?;
        let mut open: Option<(TwinkletId, Vec<_>)> = None;
        let mut finish = |done: Option<(TwinkletId, Vec<_>)>| {
            if let Some((id, holdings)) = done {
                each(BadgeRead {
                    id,
                    holdings,
                    changed: changed.contains(&id),
                    grants: &grants,
                });
            }
        };
        while let Some(row) = rows.next()? {
            let id: TwinkletId = row.get(0)?;
            let day = |day: Option<Day>| day.map(day_number);
            let holding = Holding {
                from: day_number(row.get(1)?),
                until: day(row.get(2)?),
                left: day(row.get(3)?),
                revoked: row.get(4)?,
                suspended: row.get(5)?,
                code: row.get(9)?,
                hours: row.get(6)?,
                doors: None,
            };
            let listed: bool = row.get(7)?;
            let employee: EmployeeNumber = row.get(8)?;
            if open.as_ref().is_some_and(|(before, _)| *before != id) {
                finish(open.take());
            }
            let (_, holdings) = open.get_or_insert((id, Vec::new()));
            holdings.push((holding, listed.then_some(employee)));
        }
        finish(open);
        drop(rows);
        drop(select);
        Ok(RosterRead { at, changed })
    }
}

fn changed(transaction: &Transaction<'_>, since: u64) -> Result<HashSet<TwinkletId>> {
    let mut select = transaction.prepare_cached(
        "SELECT DISTINCT twinklet FROM assignment
         WHERE employee IN (SELECT employee FROM audit WHERE id > ?1)",
    )?;
    let changed = select.query_map([since], |row| row.get(0))?;
    Ok(changed.collect::<rusqlite::Result<_>>()?)
}

fn grants(transaction: &Transaction<'_>) -> Result<HashMap<EmployeeNumber, Vec<i64>>> {
    let mut select =
        transaction.prepare_cached("SELECT employee, door FROM door_grant ORDER BY 1, 2")?;
    let mut rows = select.query([])?;
    let mut grants: HashMap<_, Vec<_>> = HashMap::new();
    while let Some(row) = rows.next()? {
        grants.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(grants)
}
