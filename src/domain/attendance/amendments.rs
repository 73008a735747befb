//! What changed in a month since it was signed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::attendance::{Cell, Mark, Register, Row};
use crate::domain::calendar::{Day, Days};
use crate::domain::ids::EmployeeNumber;

/// A day that is no longer what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// Whose.
    pub number: EmployeeNumber,
    /// The name as it is now.
    pub name: String,
    /// The day.
    pub day: Day,
    /// What was signed.
    pub was: Mark,
    /// What it would be now.
    pub is: Mark,
    /// Why.
    pub cause: String,
}

/// What is different between a register as it was signed at that time and as it is now, each with
/// its cause; times of day are those of these days.
pub fn amendments(
    signed: &Register,
    at: DateTime<Utc>,
    now: &Register,
    days: Days,
) -> Vec<Amendment> {
    let of = |register: &Register| -> BTreeMap<EmployeeNumber, usize> {
        register
            .rows
            .iter()
            .map(|row| row.number)
            .zip(0..)
            .collect()
    };
    let (before, after) = (of(signed), of(now));
    let mut all = Vec::new();
    let mut numbers: Vec<_> = before.keys().chain(after.keys()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let row = |register: &'_ Register, at: Option<&usize>| -> Option<Row> {
            register.rows.get(*at?).cloned()
        };
        let (old, new) = (row(signed, before.get(number)), row(now, after.get(number)));
        for (index, column) in signed.days.iter().enumerate() {
            let cell =
                |row: &Option<Row>| row.as_ref().and_then(|row| row.cells.get(index).copied());
            let mark = |cell: Option<Cell>| cell.map_or(Mark::Blank, |cell| cell.mark);
            let (was, is) = (mark(cell(&old)), mark(cell(&new)));
            if was == is {
                continue;
            }
            let name = new.as_ref().or(old.as_ref()).map(|row| row.name.clone());
            all.push(Amendment {
                number: *number,
                name: name.unwrap_or_default(),
                day: column.day,
                was,
                is,
                cause: cause(column.day, at, (was, is), old.as_ref(), new.as_ref(), days),
            });
        }
    }
    all
}

/// Why a day changed, as far as it can be told from what there is now.
fn cause(
    day: Day,
    signed: DateTime<Utc>,
    (was, is): (Mark, Mark),
    old: Option<&Row>,
    new: Option<&Row>,
    days: Days,
) -> String {
    let set = |row: Option<&Row>| {
        let found = row.and_then(|row| row.corrections.iter().find(|set| set.day == day));
        found.cloned()
    };
    let (Some(_), Some(row)) = (old, new) else {
        let line = if new.is_some() { "a line" } else { "no line" };
        return format!("has {line} on the register now");
    };
    if let Some(set) = set(new).filter(|set| set.at > signed) {
        let on = days.local(set.at).date_naive();
        return format!("{} ({}, {on})", set.reason, set.who);
    }
    if let Some(undone) = set(old).filter(|_| set(new).is_none()) {
        return format!("no longer corrected (was: {})", undone.reason);
    }
    let off = |mark| matches!(mark, Mark::Holiday | Mark::WeeklyOff);
    match (was, is) {
        (_, Mark::Present) => match row.times.get(&day).and_then(|seen| seen.first) {
            Some(first) => format!(
                "a flash of {} came in later",
                days.local(first).format("%H:%M")
            ),
            None => "a flash came in later".to_owned(),
        },
        (Mark::Present, _) => "the flashes of that day count no longer".to_owned(),
        (Mark::Blank, _) | (_, Mark::Blank) => "first or last day of employment changed".to_owned(),
        _ if off(was) || off(is) => "the calendar changed".to_owned(),
        (Mark::AbsentSoFar, _) => "was not final when it was signed".to_owned(),
        (_, Mark::AbsentSoFar) => "is not final again".to_owned(),
        _ => "changed".to_owned(),
    }
}
