//! `twinkle report live`: arrivals as they happen, in a full-screen view, or line by line where
//! standard output is no terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::db::{EventRow, Store};
use crate::domain::attendance::sheet::Sheet;
use crate::domain::calendar::Days;
use crate::render::one_line;
use crate::shutdown;

mod draw;
mod model;
pub mod screen;
mod view;

use model::Model;

/// How often it is looked whether the database has changed.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// So many events from before are shown at first.
const BEFORE: u32 = 100;

/// Shows what happens until told to stop.
pub(super) fn run(mut store: Store, days: Days, sheet: &Sheet) -> anyhow::Result<()> {
    shutdown::run(async {
        let stop = shutdown::on_signal()?;
        match io::stdout().is_terminal() {
            true => view::run(&mut store, days, sheet, &stop).await,
            false => lines(&store, days, &stop).await,
        }
    })
}

/// Prints each event from now on, one a line.
async fn lines(store: &Store, days: Days, stop: &CancellationToken) -> anyhow::Result<()> {
    let clock = SystemClock;
    let mut model = Model::new(store, days, clock.now(), 0)?;
    while !stop.is_cancelled() {
        let mut out = io::stdout().lock();
        for event in model.refresh(store, clock.now())? {
            writeln!(out, "{}", line(&event, days))?;
        }
        out.flush()?;
        drop(out);
        tokio::select! {
            () = sleep(LOOK_EVERY) => (),
            () = stop.cancelled() => (),
        }
    }
    Ok(())
}

/// An event as a line.
fn line(event: &EventRow, days: Days) -> String {
    let time = days.local(event.at).format("%Y-%m-%d %H:%M:%S");
    let door = event.door.as_deref().unwrap_or("(unknown door)");
    format!("{time}  {}  {}", one_line(door), what(event))
}

/// What happened, as in `twinklet 7: open, Asha Rao (1)`, or `door-held`.
fn what(event: &EventRow) -> String {
    let words = event.in_words();
    let words = one_line(&words);
    let mut text = match event.twinklet {
        Some(twinklet) => format!("twinklet {twinklet}: {words}"),
        None => words.into_owned(),
    };
    if let Some((number, name)) = &event.employee {
        text += &format!(", {} ({number})", one_line(name));
    }
    text
}
