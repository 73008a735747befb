//! `twinkle central door`: which way people go through a door.

use std::io::{self, Write};

use crate::author;
use crate::cli::DoorWayArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::Author;
use crate::domain::direction::Direction;
use crate::exit::{Exit, Usage};
use crate::site::Site;

/// Runs it.
pub(super) fn run(site: &Site, args: &DoorWayArgs) -> anyhow::Result<Exit> {
    let (mut store, days) = site.open()?;
    let now = SystemClock.now();
    let today = days.day_of(now);
    let name = args.name.as_str();
    let mut out = io::stdout().lock();
    let Some(direction) = args.direction else {
        writeln!(out, "door '{name}': {}", meaning(store.direction(name)?))?;
        return Ok(Exit::Done);
    };
    let since = args.since.map_or(today, |since| since.resolve(today));
    if since > today {
        return Err(Usage(format!("--since {since} is still to come")).into());
    }
    let author = Author {
        who: author::who(args.author.by.as_ref()),
        at: now,
    };
    // A department's day may be ahead of the installation's.
    let last = today.succ_opt().unwrap_or(today);
    store.set_direction(name, direction, (since, last), &author)?;
    writeln!(
        out,
        "door '{name}': {}, from {since} on",
        meaning(direction)
    )?;
    Ok(Exit::Done)
}

fn meaning(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in; a flash makes present",
        Direction::Out => "out; a flash is seen, and makes nobody present",
        Direction::Both => "both ways; a flash makes present",
    }
}
