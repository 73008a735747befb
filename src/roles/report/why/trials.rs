//! What a flash of an employee's badges would get.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use crate::db::{Device, Employee};
use crate::domain::access::Verdict;
use crate::domain::calendar::Day;
use crate::domain::ids::TwinkletId;
use crate::render::{Column, Grid};

use super::Sources;

/// So many doors are named one by one.
const FEW: usize = 6;

/// What would be decided: for each badge and verdict, at which doors.
pub(super) struct Try {
    pub(super) twinklet: TwinkletId,
    pub(super) verdict: Verdict,
    pub(super) doors: Vec<String>,
}

/// The time for which is tried what would be decided.
pub(super) fn trial_time(sources: &Sources<'_>) -> DateTime<Utc> {
    if sources.asked.at.is_some() || sources.is_today() {
        return sources.instant();
    }
    let noon = |day: Day| day.and_time(NaiveTime::MIN) + TimeDelta::hours(12);
    let local = noon(sources.asked.day).and_local_timezone(sources.standing.days.timezone);
    local
        .earliest()
        .map_or(sources.standing.now, |noon| noon.to_utc())
}

pub(super) fn trials(
    sources: &Sources<'_>,
    employee: &Employee,
    door: Option<&Device>,
) -> anyhow::Result<Vec<Try>> {
    let at = trial_time(sources);
    let doors: Vec<_> = match door {
        Some(door) => vec![door],
        None => sources.standing.doors().collect(),
    };
    let mut tries = Vec::new();
    for &twinklet in &employee.twinklets {
        let mut by_verdict: BTreeMap<&str, Try> = BTreeMap::new();
        for door in &doors {
            let name = door.name.parse()?;
            let verdict = sources.store.try_flash(&name, twinklet, at)?;
            let tried = by_verdict.entry(verdict.code()).or_insert_with(|| Try {
                twinklet,
                verdict,
                doors: Vec::new(),
            });
            tried.doors.push(door.name.clone());
        }
        tries.extend(by_verdict.into_values());
    }
    Ok(tries)
}

pub(super) fn trial_list(tries: &[Try]) -> Grid {
    let row = |tried: &Try| {
        let doors = match tried.doors.len() {
            count if count > FEW => {
                let first: Vec<_> = tried.doors.iter().take(FEW - 1).cloned().collect();
                format!("{} and {} more", first.join(", "), count + 1 - FEW)
            }
            _ => tried.doors.join(", "),
        };
        let why = match tried.verdict {
            Verdict::Open => "nothing speaks against it",
            Verdict::DontOpen(reason) => reason.meaning(),
        };
        vec![
            tried.twinklet.to_string(),
            doors,
            tried.verdict.code().to_owned(),
            why.to_owned(),
        ]
    };
    Grid {
        columns: vec![
            Column::number("twinklet"),
            Column::text("door"),
            Column::code("verdict"),
            Column::text("why"),
        ],
        rows: tries.iter().map(row).collect(),
    }
}
