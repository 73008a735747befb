//! Taking in many employees at once: a look at everybody, from which a plan is made and checked as a
//! whole while nobody waits; then the plan in slices too short for a flash to notice, for as long as
//! nobody else changes anything.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::db::assignment::{self, Badge};
use crate::db::audit::{self, Author};
use crate::db::employee::{self, Change, edit};
use crate::db::{Employee, Result, Store, grant};
use crate::domain::calendar::Day;
use crate::domain::ids::EmployeeNumber;

/// How long a slice holds the write lock, and how long it is free before the next: a central that
/// waits for it looks again at least every 100 ms, for a second.
const SLICE: Duration = Duration::from_millis(25);

/// Everybody, as of one moment.
#[derive(Debug, Clone)]
pub struct Everybody {
    /// All employees, by number.
    pub employees: Vec<Employee>,
    /// Each one's badges, in the order of their first days.
    pub badges: HashMap<EmployeeNumber, Vec<Badge>>,
    /// The names of all doors.
    pub doors: Vec<String>,
    /// The last change that was made before.
    as_of: i64,
}

/// What is to become of one employee.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The employee as of now; `None` for a new one.
    pub before: Option<Employee>,
    /// The employee to be. A new one without a number of its own (0) is given one.
    pub after: Employee,
    /// The badges to be given.
    pub given: Vec<Badge>,
    /// The badges to be taken back.
    pub taken: Vec<Badge>,
    /// The badges whose days change: as they are, and as they will be.
    pub moved: Vec<(Badge, Badge)>,
}

impl Store {
    /// Reads everybody, with the badges of that day.
    ///
    /// # Errors
    /// Those of reading.
    pub fn everybody(&mut self, today: Day) -> Result<Everybody> {
        // One transaction: the tables are read as of one moment.
        let transaction = self.connection.transaction()?;
        let employees = employee::select(&transaction, "", [], today)?;
        let mut badges: HashMap<_, Vec<_>> = HashMap::new();
        assignment::each(&transaction, |employee, badge| {
            badges.entry(employee).or_default().push(badge);
        })?;
        Ok(Everybody {
            employees,
            badges,
            doors: grant::names(&transaction)?,
            as_of: last_change(&transaction)?,
        })
    }

    /// Carries out a plan that was made from that look, in slices too short for a flash to notice;
    /// returns the number of each employee. It ends early if somebody else changed something since:
    /// then what is left is to be planned anew. Calls `each` after each employee. That badges do not
    /// overlap is the plan's to see to.
    ///
    /// # Errors
    /// Those of writing, with what was done before.
    pub fn carry_out(
        &mut self,
        plan: &[Planned],
        everybody: &Everybody,
        today: Day,
        author: &Author,
        mut each: impl FnMut(),
    ) -> Result<Vec<EmployeeNumber>> {
        // Whatever can be done before the lock is taken.
        let rows: Vec<_> = plan
            .iter()
            .map(|planned| audit::Row::of(&planned.changes()))
            .collect();
        let mut todo = plan.iter().zip(&rows).peekable();
        let mut as_of = everybody.as_of;
        let mut numbers = Vec::with_capacity(plan.len());
        while todo.peek().is_some() {
            let rehearsing = self.rehearsing;
            let undisturbed = self.write(|transaction| {
                if last_change(transaction)? != as_of {
                    return Ok(false);
                }
                let began = Instant::now();
                while began.elapsed() < SLICE
                    && let Some((planned, row)) = todo.next()
                {
                    let number = carry_out(transaction, planned, today, author)?;
                    row.record(transaction, author, "import", number, "")?;
                    numbers.push(number);
                    each();
                }
                if !rehearsing {
                    as_of = last_change(transaction)?;
                }
                Ok(true)
            })?;
            if !undisturbed {
                break;
            }
            pause(SLICE);
        }
        Ok(numbers)
    }
}

/// Lets whoever waits for the lock have it.
pub(super) fn pause(time: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a command that has nothing else to do meanwhile"
    )]
    std::thread::sleep(time);
}

impl Planned {
    /// What it changes.
    pub fn changes(&self) -> Vec<Change> {
        let mut changes = match &self.before {
            Some(before) => edit::differences(before, &self.after),
            None => edit::values_of(&self.after),
        };
        let doors = |employee: &Employee| employee.doors.clone();
        let before = self.before.as_ref().and_then(doors);
        changes.extend(grant::change(
            before.as_deref(),
            self.after.doors.as_deref(),
        ));
        // A new employee's badge since the first day is written as the office says it.
        let shown = |badge: &Badge| match self.before.is_none() && badge.until.is_none() {
            true => badge.twinklet.to_string(),
            false => badge.to_string(),
        };
        let text = |badges: Vec<String>| (!badges.is_empty()).then(|| badges.join(", "));
        let taken = self
            .taken
            .iter()
            .chain(self.moved.iter().map(|(old, _)| old));
        let given = self
            .given
            .iter()
            .chain(self.moved.iter().map(|(_, new)| new));
        let old = text(taken.map(shown).collect());
        let new = text(given.map(shown).collect());
        if old != new {
            let field = "twinklet";
            changes.push(Change { field, old, new });
        }
        changes
    }
}

fn carry_out(
    connection: &Connection,
    planned: &Planned,
    today: Day,
    author: &Author,
) -> Result<EmployeeNumber> {
    let number = match &planned.before {
        Some(before) => {
            edit::update(connection, &planned.after)?;
            before.number
        }
        None => edit::insert(connection, &planned.after)?,
    };
    let doors = planned.after.doors.as_deref();
    if planned
        .before
        .as_ref()
        .and_then(|before| before.doors.as_deref())
        != doors
    {
        grant::set(connection, number, doors)?;
    }
    for badge in &planned.taken {
        assignment::take_back(connection, badge, today, author)?;
    }
    for (_, badge) in &planned.moved {
        assignment::set_days(connection, badge.id, badge.from, badge.until)?;
    }
    for badge in &planned.given {
        assignment::insert(connection, number, badge)?;
    }
    Ok(number)
}

/// The number of the last change that an administrator made.
fn last_change(connection: &Connection) -> Result<i64> {
    let mut last = connection.prepare_cached("SELECT coalesce(max(id), 0) FROM audit")?;
    Ok(last.query_row([], |row| row.get(0))?)
}
