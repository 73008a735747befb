//! The answer about a door.

use std::collections::BTreeMap;

use crate::db::{Device, EventRow, What};
use crate::domain::access::{Reason, Verdict};
use crate::domain::advice::{Refused, advice};
use crate::domain::door_event::Kind;
use crate::domain::event_filter::EventFilter;
use crate::render::page::Page;
use crate::render::{Column, Grid};

use super::Sources;

/// So many of the last refusals are shown.
const LAST: usize = 10;
/// So many doors in trouble are named one by one.
const FEW: usize = 4;

impl Sources<'_> {
    /// What is wrong now with the central, with relays and with doors, and what to do about it.
    pub(super) fn trouble(&self) -> Vec<String> {
        let standing = &self.standing;
        if !standing.served {
            return vec![
                "start the central: it does not run, so that no door opens (twinkle central, or \
                 systemctl start twinkle-central)"
                    .to_owned(),
            ];
        }
        let mut trouble: Vec<_> = standing
            .doors()
            .filter(|door| !door.retired)
            .filter_map(|door| self.trouble_at(door))
            .collect();
        if trouble.len() > FEW {
            let others = trouble.len() - FEW;
            trouble.truncate(FEW);
            trouble.push(format!(
                "look at {others} more doors that are not connected: twinkle report live"
            ));
        }
        trouble
    }

    /// What is wrong now with a door, if anything is.
    fn trouble_at(&self, door: &Device) -> Option<String> {
        let standing = &self.standing;
        if door.retired {
            return Some(out_of_service(door));
        }
        if standing.is_connected(door) {
            return None;
        }
        let relay = door.relay.as_deref().and_then(|name| standing.relay(name));
        let state = standing.describe(door);
        Some(match relay {
            Some(relay) if !standing.is_connected(relay) => format!(
                "look at relay '{}', behind which door '{}' is: has it power, and does it reach \
                 the central? It is not connected, {}",
                relay.name,
                door.name,
                standing.describe(relay)
            ),
            _ => format!(
                "look at door '{}': has it power, and does it reach its relay? It is not \
                 connected, {state} (an old receiver that speaks plain text never is)",
                door.name
            ),
        })
    }
}

/// What to do about a door that no flash opens.
fn out_of_service(door: &Device) -> String {
    let nobody = Refused {
        employee: None,
        twinklet: None,
        door: &door.name,
    };
    what_to_do_about(Reason::DoorRetired, nobody)
}

fn what_to_do_about(reason: Reason, refused: Refused<'_>) -> String {
    format!("{}: {}", reason.code(), advice(reason, refused))
}

/// The page of a door.
pub(super) fn page(sources: &Sources<'_>, door: &Device) -> anyhow::Result<Page> {
    let standing = &sources.standing;
    let events = events(sources, door)?;
    let mut page = Page::new(&format!("Door {} {}", door.name, sources.when()));
    let relay = door.relay.as_deref().and_then(|name| standing.relay(name));
    page.facts(&[
        (
            "Door",
            format!(
                "{}{}, known since {}",
                standing.describe(door),
                standing.kept(door),
                standing.time(door.since)
            ),
        ),
        (
            "Relay",
            match relay {
                Some(relay) => format!("{}: {}", relay.name, standing.describe(relay)),
                None => "none: straight to the central".to_owned(),
            },
        ),
        (
            "Central",
            match standing.served {
                true => "runs".to_owned(),
                false => "does not run: no door opens".to_owned(),
            },
        ),
        ("Events", counts(&events)),
    ]);
    let refused: Vec<_> = events.iter().filter(|event| is_trouble(event)).collect();
    if !refused.is_empty() {
        let heading = match refused.len() > LAST {
            true => format!("The last {LAST} that went wrong"),
            false => "What went wrong".to_owned(),
        };
        page.list(
            &heading,
            &list(sources, refused.iter().rev().take(LAST).rev()),
        );
    }
    page.say("What to do", &what_to_do(sources, door, &events));
    Ok(page)
}

/// The events there of the day that is asked about, up to the time that is.
fn events(sources: &Sources<'_>, door: &Device) -> anyhow::Result<Vec<EventRow>> {
    let filter = EventFilter {
        door: Some(door.name.parse()?),
        from: Some(sources.asked.day),
        to: Some(sources.asked.day),
        ..EventFilter::default()
    };
    let mut events = Vec::new();
    sources
        .store
        .events(&filter, None, |event| -> anyhow::Result<()> {
            if sources
                .asked
                .at
                .is_none_or(|at| event.at <= at + super::person::NEAR)
            {
                events.push(event);
            }
            Ok(())
        })?;
    Ok(events)
}

/// Whether somebody stood before a closed door, or should have looked after it.
fn is_trouble(event: &EventRow) -> bool {
    match &event.what {
        What::Flash(verdict) => {
            *verdict != Verdict::Open || !event.delivered || event.hasty.is_some()
        }
        What::Door(kind) => kind.is_alarm(),
    }
}

/// As in `5 that day: 3 open, 2 suspended`.
fn counts(events: &[EventRow]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events {
        *counts.entry(code(event)).or_default() += 1;
    }
    if counts.is_empty() {
        return "none that day".to_owned();
    }
    let each: Vec<_> = counts
        .iter()
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    format!("{} that day: {}", events.len(), each.join(", "))
}

fn code(event: &EventRow) -> &str {
    match event.delivered {
        true => event.what.code(),
        false => "undelivered",
    }
}

fn list<'a>(sources: &Sources<'_>, events: impl Iterator<Item = &'a &'a EventRow>) -> Grid {
    let row = |event: &&EventRow| {
        vec![
            sources
                .standing
                .days
                .local(event.at)
                .format("%H:%M:%S")
                .to_string(),
            event
                .twinklet
                .map_or_else(|| "-".to_owned(), |id| id.to_string()),
            match &event.employee {
                Some((number, name)) => format!("{name} ({number})"),
                None => "-".to_owned(),
            },
            event.in_words(),
            match &event.what {
                What::Flash(Verdict::Open) if event.hasty.is_some() => {
                    "nobody goes so fast: the badge may have a copy".to_owned()
                }
                What::Flash(Verdict::Open) => {
                    "the answer did not reach the door in time".to_owned()
                }
                What::Flash(Verdict::DontOpen(reason)) => reason.meaning().to_owned(),
                What::Door(kind) => kind.meaning().to_owned(),
            },
        ]
    };
    Grid {
        columns: vec![
            Column::code("time"),
            Column::number("twinklet"),
            Column::text("employee"),
            Column::code("what"),
            Column::text("why"),
        ],
        rows: events.map(row).collect(),
    }
}

fn what_to_do(sources: &Sources<'_>, door: &Device, events: &[EventRow]) -> Vec<String> {
    let mut all = Vec::new();
    if sources.is_today() {
        match sources.standing.served {
            true => all.extend(sources.trouble_at(door)),
            false => all.extend(sources.trouble()),
        }
    }
    all.extend(alarms(events));
    let mut reasons = Vec::new();
    for event in events.iter().rev() {
        if let What::Flash(Verdict::DontOpen(reason)) = event.what
            && !reasons.contains(&reason)
        {
            reasons.push(reason);
            let refused = Refused {
                employee: event.employee.as_ref().map(|(number, _)| *number),
                twinklet: event.twinklet,
                door: &door.name,
            };
            let line = what_to_do_about(reason, refused);
            if !all.contains(&line) {
                all.push(line);
            }
        }
    }
    if all.is_empty() {
        all.push("nothing: all is as it should be".to_owned());
    }
    all
}

/// What to do about the day's alarms: those of which no end was reported come first.
fn alarms(events: &[EventRow]) -> Vec<String> {
    let (mut lasting, mut over) = (Vec::new(), Vec::new());
    for event in events {
        let What::Door(kind) = &event.what else {
            continue;
        };
        if kind.is_alarm() {
            over.retain(|alarm| alarm != kind);
            lasting.retain(|alarm| alarm != kind);
            lasting.push(kind.clone());
        } else if let Some(ended) = kind.ends()
            && lasting.contains(&ended)
        {
            lasting.retain(|alarm| *alarm != ended);
            over.push(ended);
        }
    }
    let go = lasting.iter().map(|kind| match kind {
        Kind::Guessing => format!(
            "{kind}: see who tries one badge after the other there; one-time codes keep a badge \
             that is found that way from opening (twinkle employee code E --enable)"
        ),
        kind => format!("{kind}: go and see; that it is over was not reported"),
    });
    let ask = over
        .iter()
        .map(|kind| format!("{kind}: it is over; find out how it came about"));
    go.chain(ask).collect()
}
