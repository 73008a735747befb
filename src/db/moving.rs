//! Moving in from the replaced system: its people, their badges, its flashes and its marks. What is
//! there already is left as it is, so that moving in twice adds nothing.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::db::assignment::{self, Badge};
use crate::db::audit::{self, Author};
use crate::db::device::{self, DeviceKind};
use crate::db::employee::{Change, edit, find};
use crate::db::statements::Statements;
use crate::db::uncounted::Opens;
use crate::db::values::to_millis;
use crate::db::{Employee, NewCorrection, Result, Store, attendance, correction, import};
use crate::domain::attendance::Mark;
use crate::domain::calendar::Day;
use crate::domain::ids::{DeviceName, EmployeeNumber, EmployeeRef, EventId, TwinkletId};
use crate::domain::remark::Remark;

/// How long a slice of flashes holds the write lock, and how long it is free before the next.
const SLICE: Duration = Duration::from_millis(25);

/// Somebody who moves in.
#[derive(Debug, Clone)]
pub struct Mover {
    /// Who that is here already; `None` for somebody new.
    pub known: Option<EmployeeNumber>,
    /// The name, for somebody new.
    pub name: String,
    /// The first day, for somebody new.
    pub joined: Day,
    /// The badges that were that person's; revoked where they are on no list.
    pub badges: Vec<Badge>,
}

/// Somebody who has moved in.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The employee's number.
    pub number: EmployeeNumber,
    /// The badges that were written down.
    pub given: Vec<Badge>,
    /// The badges that are somebody else's here, and whose.
    pub withheld: Vec<String>,
}

/// An old flash.
#[derive(Debug, Clone)]
pub struct OldFlash {
    /// An id that is always the same for the same row of the old log.
    pub event: EventId,
    /// When it was.
    pub at: DateTime<Utc>,
    /// The day it counts for.
    pub day: Day,
    /// Where.
    pub door: Option<DeviceName>,
    /// The badge.
    pub twinklet: TwinkletId,
    /// Whose it was.
    pub employee: EmployeeNumber,
}

/// A day on which somebody was present by a month's sheet.
#[derive(Debug, Clone)]
pub struct OldMark {
    /// Who.
    pub employee: EmployeeNumber,
    /// When.
    pub day: Day,
    /// Where that is written.
    pub reason: Remark,
}

impl Store {
    /// Takes people in with their badges, all of them or nobody.
    ///
    /// # Errors
    /// Those of writing.
    pub fn move_in(&mut self, movers: &[Mover], today: Day, author: &Author) -> Result<Vec<Moved>> {
        self.write(|transaction| {
            movers
                .iter()
                .map(|mover| move_in(transaction, mover, today, author))
                .collect()
        })
    }

    /// Stores old flashes, oldest first, with the presence they make, in slices too short for a new
    /// flash to notice; returns how many were not there yet. Their places in the log lie before all
    /// others. When only trying out, nothing is written.
    ///
    /// # Errors
    /// Those of writing.
    pub fn move_flashes_in(&mut self, flashes: &[OldFlash]) -> Result<usize> {
        let mut new = Vec::new();
        for flash in flashes {
            let mut find = self
                .connection
                .prepare_cached("SELECT 1 FROM event WHERE uid = ?1")?;
            if !find.exists([flash.event])? {
                new.push(flash);
            }
        }
        if self.rehearsing || new.is_empty() {
            return Ok(new.len());
        }
        let mut place: i64 = self.connection.query_row(
            "SELECT min(0, coalesce(min(id), 0)) FROM event",
            [],
            |row| row.get(0),
        )?;
        // The newest first: a flash that comes between two slices takes the place after the last.
        new.reverse();
        self.in_slices(&new, |transaction, flash| {
            place -= 1;
            append(&mut Statements::new(transaction), flash, place)
        })?;
        Ok(new.len())
    }

    /// Corrects those days to present on which nobody was seen and nobody corrected anything; returns
    /// how many there were. Comes after the flashes, which know better. When only trying out, nothing
    /// is written.
    ///
    /// # Errors
    /// Those of writing.
    pub fn move_marks_in(&mut self, marks: &[OldMark], author: &Author) -> Result<usize> {
        let mut new = Vec::new();
        for mark in marks {
            let mut find = self.connection.prepare_cached(
                "SELECT 1 FROM attendance WHERE day = ?1 AND employee = ?2
                 UNION ALL SELECT 1 FROM correction WHERE day = ?1 AND employee = ?2",
            )?;
            if !find.exists((mark.day, mark.employee))? {
                new.push(mark);
            }
        }
        if !self.rehearsing {
            self.in_slices(&new, |transaction, mark| {
                let present = NewCorrection {
                    day: mark.day,
                    mark: Some(Mark::Present),
                    reason: mark.reason.clone(),
                };
                correction::record(transaction, mark.employee, &present, author)
            })?;
        }
        Ok(new.len())
    }

    /// Writes all in slices too short for a flash to notice.
    fn in_slices<T>(
        &mut self,
        all: &[T],
        mut write: impl FnMut(&Connection, &T) -> Result<()>,
    ) -> Result<()> {
        let mut todo = all.iter().peekable();
        while todo.peek().is_some() {
            self.write(|transaction| {
                let began = Instant::now();
                while began.elapsed() < SLICE
                    && let Some(one) = todo.next()
                {
                    write(transaction, one)?;
                }
                Ok(())
            })?;
            import::pause(SLICE);
        }
        Ok(())
    }
}

fn move_in(connection: &Connection, mover: &Mover, today: Day, author: &Author) -> Result<Moved> {
    let (number, mut changes) = match mover.known {
        Some(number) => (number, Vec::new()),
        None => {
            let new = Employee::new(&mover.name, mover.joined);
            (edit::insert(connection, &new)?, edit::values_of(&new))
        }
    };
    let had = assignment::of_employee(connection, number)?;
    let (mut given, mut withheld) = (Vec::new(), Vec::new());
    for badge in &mover.badges {
        if had.iter().any(|old| old.twinklet == badge.twinklet) {
            continue;
        }
        if badge.revoked.is_none()
            && let Some(holder) = other_holder(connection, badge, number, today)?
        {
            withheld.push(format!(
                "twinklet {} is {}'s ({})",
                badge.twinklet, holder.name, holder.number
            ));
            continue;
        }
        assignment::insert(connection, number, badge)?;
        if badge.revoked.is_some() {
            let id = connection.last_insert_rowid();
            assignment::set_revoked(connection, id, badge.revoked)?;
        }
        given.push(*badge);
    }
    if !given.is_empty() {
        let shown = given.iter().map(|badge| match badge.revoked {
            Some(_) => format!("{badge}, revoked"),
            None => badge.to_string(),
        });
        changes.push(Change {
            field: "twinklet",
            old: None,
            new: Some(shown.collect::<Vec<_>>().join("; ")),
        });
    }
    if !changes.is_empty() {
        let detail = "from the replaced system";
        audit::record(connection, author, "import", number, detail, &changes)?;
    }
    Ok(Moved {
        number,
        given,
        withheld,
    })
}

/// Somebody else who has the badge on one of its days.
fn other_holder(
    connection: &Connection,
    badge: &Badge,
    number: EmployeeNumber,
    today: Day,
) -> Result<Option<Employee>> {
    for (owner, held) in assignment::of_twinklet(connection, badge.twinklet)? {
        if owner == number || held.revoked.is_some() {
            continue;
        }
        let owner = find(connection, &EmployeeRef::Number(owner), today)?;
        let until = [held.until, owner.left].into_iter().flatten().min();
        let before = until.is_some_and(|until| until < badge.from);
        let after = badge.until.is_some_and(|until| until < held.from);
        if !before && !after {
            return Ok(Some(owner));
        }
    }
    Ok(None)
}

fn append(statements: &mut Statements<'_>, flash: &OldFlash, place: i64) -> Result<()> {
    let connection = statements.connection();
    let door = match &flash.door {
        Some(name) => {
            device::learn(connection, DeviceKind::Door, name, flash.at)?;
            device::find(connection, DeviceKind::Door, name)?
        }
        None => None,
    };
    let at = to_millis(flash.at);
    let stored = statements
        .get(
            "INSERT INTO event
                 (id, uid, kind, at, day, door, twinklet, employee, verdict, device_at)
             VALUES (?1, ?2, 'imported', ?3, ?4, ?5, ?6, ?7, 'open', ?3)
             ON CONFLICT (uid) DO NOTHING",
        )?
        .execute((
            place,
            flash.event,
            at,
            flash.day,
            door,
            flash.twinklet,
            flash.employee,
        ))?;
    if stored == 1 {
        let opens = Opens::one(place, at, false);
        attendance::count(statements, flash.employee, flash.day, opens)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::NewEmployee;

    #[test]
    fn while_old_flashes_move_in_the_place_after_the_last_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let opened = Store::open_as_central(&path, chrono_tz::UTC).unwrap();
        let mut store = opened.store;
        let now: DateTime<Utc> = "2024-02-12T09:00:00Z".parse().unwrap();
        let twinklet = TwinkletId::new(7).unwrap();
        let who = "test".to_owned();
        let new = NewEmployee {
            name: "Asha".parse().unwrap(),
            twinklet,
            joined: "2020-01-01".parse().unwrap(),
            department: None,
            hours: None,
        };
        let employee = store.add_employee(&new, &Author { who, at: now }).unwrap();
        // Which a flash that comes meanwhile takes.
        store
            .connection
            .execute_batch(
                "CREATE TEMP TRIGGER taken AFTER INSERT ON event
                 WHEN (SELECT max(id) FROM event) <> -1
                 BEGIN SELECT raise(ABORT, 'a place in the middle is the last'); END",
            )
            .unwrap();
        let flash = |hours| OldFlash {
            event: EventId::generate(),
            at: now + chrono::TimeDelta::hours(hours),
            day: "2024-02-12".parse().unwrap(),
            door: None,
            twinklet,
            employee,
        };
        let flashes: Vec<_> = (0..3).map(flash).collect();
        assert_eq!(store.move_flashes_in(&flashes).unwrap(), 3);
        let in_order = "SELECT count(*) FROM event AS one JOIN event AS two
                        ON one.id < two.id AND one.at < two.at";
        let ordered: i64 = store
            .connection
            .query_row(in_order, [], |row| row.get(0))
            .unwrap();
        assert_eq!(ordered, 3);
    }
}
