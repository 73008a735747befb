//! What the view shows, kept in step with the database.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};

use crate::db::{Employee, EventRow, Store};
use crate::domain::calendar::{Calendar, Day, Days};
use crate::domain::ids::EmployeeNumber;
use crate::roles::report::standing::Standing;

/// So many of the newest events are kept.
const KEPT: usize = 1_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) standing: Standing,
    pub(super) calendar: Calendar,
    pub(super) today: Day,
    /// The newest events, newest first.
    pub(super) events: VecDeque<EventRow>,
    /// Those who have been seen today, first come first, with when.
    pub(super) arrived: Vec<(DateTime<Utc>, String)>,
    /// Those who are expected today and have not been seen.
    pub(super) missing: Vec<String>,
    /// The last place in the log that is shown.
    place: i64,
    /// What the database was like when it was last read.
    version: Option<i64>,
}

impl Model {
    /// As of now, with the last events before it.
    pub(super) fn new(
        store: &Store,
        days: Days,
        now: DateTime<Utc>,
        before: u32,
    ) -> anyhow::Result<Self> {
        let place = store.last_place()?;
        let mut model = Self {
            standing: Standing::of(store, now, days)?,
            calendar: store.calendar()?,
            today: days.day_of(now),
            events: VecDeque::new(),
            arrived: Vec::new(),
            missing: Vec::new(),
            place: place.saturating_sub(before.into()),
            version: None,
        };
        model.refresh(store, now)?;
        Ok(model)
    }

    /// Brings the model up to date; returns the events that are new. Costs next to nothing while
    /// nothing was written.
    pub(super) fn refresh(
        &mut self,
        store: &Store,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Vec<EventRow>> {
        let days = self.standing.days;
        let (version, today) = (Some(store.data_version()?), days.day_of(now));
        // A central that was killed has written nothing of it.
        self.standing.now = now;
        self.standing.served = store.is_served()?;
        if self.version == version && self.today == today {
            return Ok(Vec::new());
        }
        (self.version, self.today) = (version, today);
        self.standing.devices = store.devices()?;
        self.calendar = store.calendar()?;
        let new = store.events_since(self.place)?;
        self.place = new.last().map_or(self.place, |event| event.place);
        for event in &new {
            self.events.push_front(event.clone());
        }
        self.events.truncate(KEPT);
        for event in self
            .events
            .iter_mut()
            .filter(|event| event.guesses.is_some())
        {
            event.guesses = store.guesses(event.place)?;
        }
        self.attendance(store)?;
        Ok(new)
    }

    fn attendance(&mut self, store: &Store) -> anyhow::Result<()> {
        let seen: HashMap<EmployeeNumber, DateTime<Utc>> =
            store.seen_on(self.today)?.into_iter().collect();
        let employees = store.employees(self.today)?;
        self.arrived.clear();
        self.missing.clear();
        for employee in employees {
            match seen.get(&employee.number) {
                Some(&first) => self.arrived.push((first, employee.name)),
                None if self.is_expected(&employee) => {
                    self.missing.push(employee.name);
                }
                None => (),
            }
        }
        self.arrived.sort();
        Ok(())
    }

    /// Whether the employee has a working day today.
    fn is_expected(&self, employee: &Employee) -> bool {
        let (joined, left) = (employee.joined, employee.left);
        let employed = joined <= self.today && left.is_none_or(|left| left >= self.today);
        let department = employee.department.as_deref();
        employed && !employee.off_register && self.calendar.off(department, self.today).is_none()
    }
}
