//! `twinkle central archive`.

use std::io::{self, Write};
use std::path::Path;

use chrono::Days as Span;

use crate::author;
use crate::clock::{Clock, SystemClock};
use crate::config::Retention;
use crate::db::Author;
use crate::domain::calendar::DayChoice;
use crate::exit::{Exit, Usage};
use crate::site::Site;

/// The youngest that may move: a relay may still send what is as old as this.
const YOUNGEST: Span = Span::new(90);

/// Moves old events into a file.
pub(super) fn run(
    site: &Site,
    to: &Path,
    before: Option<DayChoice>,
    retain: Option<Retention>,
) -> anyhow::Result<Exit> {
    let (mut store, days) = site.open()?;
    let now = SystemClock.now();
    let today = days.day_of(now);
    let before = match before {
        Some(day) => day.resolve(today),
        None => retain.unwrap_or_default().before(today),
    };
    let youngest = today.checked_sub_days(YOUNGEST).unwrap_or(today);
    if before > youngest {
        let why = format!(
            "events stay for 90 days at least, because relays may still send some: say {youngest} \
             or an earlier day"
        );
        return Err(Usage(why).into());
    }
    let author = Author {
        who: author::who(None),
        at: now,
    };
    let done = store.archive(before, to, &author)?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} events before {before} are now in {}; the register keeps its days",
        done.events,
        to.display()
    )?;
    if done.shrinks {
        let megabytes = done.freed / 1_000_000;
        writeln!(out, "the database is {megabytes} MB smaller")?;
    } else {
        writeln!(
            out,
            "the database keeps its size: to make it smaller, stop the central and copy it \
             (twinkle central backup, restore)"
        )?;
    }
    Ok(Exit::Done)
}
