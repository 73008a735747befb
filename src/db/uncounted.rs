//! The `Open`s that stand in the log and that attendance has not counted yet. Each is another
//! person's, in another page, and to write all of those would be a good part of what storing takes: so
//! they wait for a moment, in which many a person comes again. Nothing is lost by it. Which they are
//! is told by the tables alone, whoever reads attendance looks at them too, and a central that ended
//! in between counts them when it begins anew.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::db::statements::Statements;
use crate::db::values::from_millis;
use crate::db::{Result, attendance};
use crate::domain::attendance::Seen;
use crate::domain::calendar::Day;
use crate::domain::ids::EmployeeNumber;

/// The most people's days that wait. With more of them hardly anybody comes twice.
const MOST: usize = 1_024;
/// So many are counted at least when there are more: then most batches need not.
const TOGETHER: usize = 128;
/// How long one waits while there are batches: whoever counts them has to go through all events
/// since the first.
const WAITS: Duration = Duration::from_secs(1);
/// So many that have waited so long are counted with a batch: no flash is to wait for all.
const AT_ONCE: usize = 16;
/// From so many events on the database is told that all before are counted.
const TOLD_EACH: i64 = 256;

/// A person's day.
type Key = (Day, EmployeeNumber);

/// What waits, as far as this central's own batches have stored it.
#[derive(Debug)]
pub(super) struct Uncounted {
    waiting: HashMap<Key, Waiting>,
    /// All of them, those first that wait longest, each with the number of its first event.
    order: VecDeque<(i64, Key)>,
    /// The number of the last event that was added.
    newest: i64,
    /// Up to which event the database was told that all are counted.
    told: i64,
    /// When the batch began.
    now: Instant,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    opens: Opens,
}

/// Some `Open`s of a person on a day, times as UTC milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opens {
    /// The first at a door that is not only an exit; `None`: there was none.
    pub(super) first: Option<i64>,
    /// The last at any door.
    pub(super) last: i64,
    /// How many.
    pub(super) flashes: i64,
    /// The number of the newest of their events.
    pub(super) up_to: i64,
}

impl Opens {
    /// A single one.
    pub(super) fn one(event: i64, at: i64, is_exit: bool) -> Self {
        Self {
            first: (!is_exit).then_some(at),
            last: at,
            flashes: 1,
            up_to: event,
        }
    }

    fn add(&mut self, more: Self) {
        self.first = [self.first, more.first].into_iter().flatten().min();
        self.last = self.last.max(more.last);
        self.flashes += more.flashes;
        self.up_to = self.up_to.max(more.up_to);
    }
}

impl Uncounted {
    /// Nothing waits: all that did is counted now.
    pub(super) fn settled(connection: &Connection) -> Result<Self> {
        let newest = settle(connection)?;
        Ok(Self {
            waiting: HashMap::new(),
            order: VecDeque::new(),
            newest,
            told: newest,
            now: Instant::now(),
        })
    }

    /// Adds what the batch has just stored.
    pub(super) fn add(&mut self, day: Day, employee: EmployeeNumber, opens: Opens) {
        self.newest = opens.up_to;
        let key = (day, employee);
        match self.waiting.entry(key) {
            Entry::Occupied(there) => there.into_mut().opens.add(opens),
            Entry::Vacant(not_yet) => {
                let since = self.now;
                not_yet.insert(Waiting { since, opens });
                self.order.push_back((opens.up_to, key));
            }
        }
    }

    /// A batch begins: counts some of those that wait longest, if it is time.
    pub(super) fn begin(&mut self, statements: &mut Statements<'_>, now: Instant) -> Result<()> {
        self.now = now;
        if self.waiting.len() > MOST {
            let over = self.waiting.len() - MOST;
            self.count(statements, over.max(TOGETHER))?;
        }
        let long = self.order.iter().take(AT_ONCE).take_while(|(_, key)| {
            let waiting = self.waiting.get(key);
            waiting.is_some_and(|waiting| now.duration_since(waiting.since) >= WAITS)
        });
        let long = long.count();
        self.count(statements, long)?;
        let counted_to = self
            .order
            .front()
            .map_or(self.newest, |(first, _)| first - 1);
        if counted_to - self.told >= TOLD_EACH {
            statements
                .get("UPDATE installation SET counted_to = ?1")?
                .execute([counted_to])?;
            self.told = counted_to;
        }
        Ok(())
    }

    /// Counts all of them: what follows is to find attendance as it is.
    pub(super) fn count_all(&mut self, statements: &mut Statements<'_>) -> Result<()> {
        self.count(statements, self.order.len())
    }

    /// Counts so many of those that wait longest.
    fn count(&mut self, statements: &mut Statements<'_>, how_many: usize) -> Result<()> {
        let mut oldest: Vec<_> = self.order.drain(..how_many).map(|(_, key)| key).collect();
        // Those that lie in one page, one after the other.
        oldest.sort_unstable();
        for key @ (day, employee) in oldest {
            if let Some(Waiting { opens, .. }) = self.waiting.remove(&key) {
                attendance::count(statements, employee, day, opens)?;
            }
        }
        Ok(())
    }
}

/// Counts all that stands in the log and is not counted; returns the number of the newest event.
pub(super) fn settle(connection: &Connection) -> Result<i64> {
    let mut statements = Statements::new(connection);
    let left: Vec<(Day, EmployeeNumber, Opens)> = connection
        .prepare_cached("SELECT day, employee, first, last, flashes, up_to FROM uncounted_day")?
        .query_map([], |row| {
            let opens = Opens {
                first: row.get(2)?,
                last: row.get(3)?,
                flashes: row.get(4)?,
                up_to: row.get(5)?,
            };
            Ok((row.get(0)?, row.get(1)?, opens))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (day, employee, opens) in left {
        attendance::count(&mut statements, employee, day, opens)?;
    }
    let newest: i64 = connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM event")?
        .query_row([], |row| row.get(0))?;
    // Also down, where the newest events were archived: their numbers come again.
    connection
        .prepare_cached("UPDATE installation SET counted_to = ?1 WHERE counted_to <> ?1")?
        .execute([newest])?;
    Ok(newest)
}

/// When people were seen by what is not counted, of those days; one employee, if one is named.
pub(super) fn between(
    connection: &Connection,
    first: Day,
    last: Day,
    employee: Option<EmployeeNumber>,
) -> Result<HashMap<Key, Seen>> {
    let mut select = connection.prepare_cached(
        "SELECT day, employee, first, last FROM uncounted_day
         WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR employee = ?3)",
    )?;
    let seen = select.query_map((first, last, employee), |row| {
        let seen = Seen {
            first: row.get::<_, Option<i64>>(2)?.map(from_millis),
            last: from_millis(row.get(3)?),
        };
        Ok(((row.get(0)?, row.get(1)?), seen))
    })?;
    Ok(seen.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests;
