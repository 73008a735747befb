//! The register of a month, or of some days of one, as of a moment.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::attendance::{Cell, Correction, DaysSeen, HalfDays, Mark, Seen};
use crate::domain::calendar::{Calendar, Day, Month, Off};
use crate::domain::ids::EmployeeNumber;

/// An employee as the register knows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The employee's number.
    pub number: EmployeeNumber,
    /// The name, as stored.
    pub name: String,
    /// The department, as stored.
    pub department: Option<String>,
    /// The first day of employment.
    pub joined: Day,
    /// The last day of employment, if there is one.
    pub left: Option<Day>,
    /// The days of the register's month with an `Open` at a door that is not only an exit.
    pub present: DaysSeen,
    /// What the office set, at most one for a day.
    pub corrections: Vec<Correction>,
    /// When the employee was seen, by days; empty where nobody asked.
    pub times: BTreeMap<Day, Seen>,
}

impl Person {
    fn employed_on(&self, day: Day) -> bool {
        self.joined <= day && self.left.is_none_or(|left| day <= left)
    }
}

/// A relay in offline mode that may still hold flashes: it has not reported since then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreported {
    /// The relay's name.
    pub relay: String,
    /// When it was last heard.
    pub since: DateTime<Utc>,
}

/// What a register is derived from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The first of its days.
    pub first: Day,
    /// The last of its days, in the same month.
    pub last: Day,
    /// The time as of which it is derived.
    pub now: DateTime<Utc>,
    /// The installation's calendar.
    pub calendar: &'a Calendar,
    /// The days of the month on which anybody at all was seen at any door, be it somebody without a
    /// line here.
    pub anybody: DaysSeen,
    /// The relays that may still hold flashes.
    pub unreported: &'a [Unreported],
}

/// One employee's line of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The employee's number.
    pub number: EmployeeNumber,
    /// The name, as stored.
    #[serde(skip)]
    pub name: String,
    /// The department, as stored.
    pub department: Option<String>,
    /// One for each day of the register.
    pub cells: Vec<Cell>,
    /// `TD`, total days: those marked `P`, and half of those marked `HD`.
    pub total_days: HalfDays,
    /// `WO`, work off: the days marked `A`, and half of those marked `HD`.
    pub work_off: HalfDays,
    /// `L`: the days of leave.
    pub leave: u32,
    /// What the office set.
    pub corrections: Vec<Correction>,
    /// When the employee was seen, by days; empty where nobody asked.
    pub times: BTreeMap<Day, Seen>,
}

/// The register of a month, or of some days of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The month.
    pub month: Month,
    /// Its days, with what is true of each for everybody.
    pub days: Vec<DayColumn>,
    /// The employees of those days, in the order given.
    pub rows: Vec<Row>,
    /// Why days that are over are not final.
    pub notes: Vec<Note>,
}

/// One day of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayColumn {
    /// The day.
    pub day: Day,
    /// The installation's holiday on it.
    pub holiday: Option<String>,
    /// Whether it is one of the installation's weekly offs.
    pub weekly_off: bool,
    /// Whether it is still to come.
    pub to_come: bool,
}

/// Why days that are over are not final: somebody who was not seen is marked `a` on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// Nobody at all was seen.
    NobodySeen(Vec<Day>),
    /// A relay in offline mode may still hold flashes.
    Unreported(Unreported, Vec<Day>),
}

/// What a day is to a department, whoever is looked at.
struct Outlook {
    day: Day,
    off: Option<Mark>,
    /// Of who is not seen on a working day of it: the mark.
    unseen: Mark,
    nobody: bool,
    unreported: Vec<usize>,
}

impl Register {
    /// Derives a register. `people` are those who may have a line; who was neither employed nor seen
    /// on any of its days gets none. What was corrected counts while they are employed: a leave that
    /// was entered ahead is none for who has left before it.
    pub fn derive(source: &Source<'_>, people: Vec<Person>) -> Self {
        let mut outlooks: BTreeMap<Option<String>, Vec<Outlook>> = BTreeMap::new();
        let mut why = Why::default();
        let mut rows = Vec::with_capacity(people.len());
        for person in people {
            let outlook = match outlooks.get(&person.department) {
                Some(known) => known,
                None => outlooks
                    .entry(person.department.clone())
                    .or_insert(source.outlook(person.department.as_deref())),
            };
            rows.extend(row(person, outlook, &mut why));
        }
        let calendar = source.calendar;
        let today = calendar.general.days.day_of(source.now);
        let column = |day| {
            let off = calendar.off(None, day);
            DayColumn {
                day,
                holiday: match off {
                    Some(Off::Holiday(name)) => Some(name.to_owned()),
                    _ => None,
                },
                weekly_off: calendar.general.weekly_off.contains(day),
                to_come: day > today,
            }
        };
        Self {
            month: Month::of(source.first),
            days: source.days().map(column).collect(),
            rows,
            notes: why.notes(source.unreported),
        }
    }

    /// The same, of the days from the first to the last only.
    pub fn cut(&mut self, first: Day, last: Day) {
        let within: Vec<_> = self
            .days
            .iter()
            .map(|column| (first..=last).contains(&column.day))
            .collect();
        let mut kept = within.iter();
        self.days.retain(|_| kept.next() == Some(&true));
        for row in &mut self.rows {
            let mut kept = within.iter();
            row.cells.retain(|_| kept.next() == Some(&true));
            row.corrections
                .retain(|set| (first..=last).contains(&set.day));
            row.add_up();
        }
    }

    /// Whether anybody has leave.
    pub fn has_leave(&self) -> bool {
        self.rows.iter().any(|row| row.leave > 0)
    }
}

impl Source<'_> {
    fn days(&self) -> impl Iterator<Item = Day> + use<> {
        let last = self.last;
        self.first.iter_days().take_while(move |&day| day <= last)
    }

    fn outlook(&self, department: Option<&str>) -> Vec<Outlook> {
        let days = self.calendar.rules(department).days;
        let today = days.day_of(self.now);
        let outlook = |day: Day| {
            let over = day < today;
            let held = |relay: &Unreported| days.end_of(day) > relay.since;
            let unreported: Vec<_> = match over {
                true => (0..)
                    .zip(self.unreported)
                    .filter(|(_, u)| held(u))
                    .map(|(n, _)| n)
                    .collect(),
                false => Vec::new(),
            };
            let nobody = over && !self.anybody.contains(day.day());
            Outlook {
                day,
                off: self.calendar.off(department, day).map(|off| match off {
                    Off::Holiday(_) => Mark::Holiday,
                    Off::Weekly => Mark::WeeklyOff,
                }),
                unseen: match over {
                    true if nobody || !unreported.is_empty() => Mark::AbsentSoFar,
                    true => Mark::Absent,
                    false if day == today => Mark::AbsentSoFar,
                    false => Mark::Blank,
                },
                nobody,
                unreported,
            }
        };
        self.days().map(outlook).collect()
    }
}

fn row(mut person: Person, outlook: &[Outlook], why: &mut Why) -> Option<Row> {
    let mut corrections = std::mem::take(&mut person.corrections);
    corrections.retain(|set| person.employed_on(set.day));
    let mut has_line = false;
    let cells = outlook.iter().map(|on| {
        let set = corrections.iter().find(|set| set.day == on.day);
        let employed = person.employed_on(on.day);
        has_line |= employed;
        let mark = if let Some(set) = set {
            set.mark
        } else if person.present.contains(on.day.day()) {
            has_line = true;
            Mark::Present
        } else if !employed {
            Mark::Blank
        } else if let Some(off) = on.off {
            off
        } else {
            if on.unseen == Mark::AbsentSoFar {
                why.note(on);
            }
            on.unseen
        };
        Cell {
            mark,
            corrected: set.is_some(),
        }
    });
    let cells: Vec<_> = cells.collect();
    has_line.then(|| {
        let mut row = Row {
            number: person.number,
            name: person.name,
            department: person.department,
            cells,
            total_days: HalfDays::NONE,
            work_off: HalfDays::NONE,
            leave: 0,
            corrections,
            times: person.times,
        };
        row.add_up();
        row
    })
}

impl Row {
    /// Derives the totals from the marks.
    fn add_up(&mut self) {
        let marks = || self.cells.iter().map(|cell| cell.mark);
        let leave = marks().filter(|&mark| mark == Mark::Leave).count();
        self.total_days = marks().map(Mark::days_present).sum();
        self.work_off = marks().map(Mark::days_off).sum();
        self.leave = u32::try_from(leave).unwrap_or(u32::MAX);
    }
}

/// Which days are not final, found while the marks are derived.
#[derive(Default)]
struct Why {
    nobody: Vec<Day>,
    unreported: BTreeMap<usize, Vec<Day>>,
}

impl Why {
    fn note(&mut self, on: &Outlook) {
        // There are few days and many employees.
        let add = |days: &mut Vec<Day>| {
            if let Err(at) = days.binary_search(&on.day) {
                days.insert(at, on.day);
            }
        };
        if on.nobody {
            add(&mut self.nobody);
        }
        for relay in &on.unreported {
            add(self.unreported.entry(*relay).or_default());
        }
    }

    fn notes(self, unreported: &[Unreported]) -> Vec<Note> {
        let nobody = (!self.nobody.is_empty()).then_some(Note::NobodySeen(self.nobody));
        let held = self.unreported.into_iter().filter_map(|(relay, days)| {
            Some(Note::Unreported(unreported.get(relay)?.clone(), days))
        });
        nobody.into_iter().chain(held).collect()
    }
}

#[cfg(test)]
mod tests;
