//! `twinkle report`: what the database knows, read beside a running central.

use anyhow::Context;

use crate::cli::{ReportArgs, ReportCommand};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::db::Store;
use crate::domain::attendance::Register;
use crate::domain::calendar::{Calendar, Month, MonthChoice};
use crate::exit::{Exit, Usage};
use crate::render::{self, Format};
use crate::site::Site;

mod events;

/// Runs `twinkle report`.
///
/// # Errors
/// If the database cannot be read.
pub fn run(args: ReportArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let site = Site::choose(args.installation, settings)?;
    let calendar = &site.calendar;
    if args.command.is_some() && args.month.is_some() {
        return Err(Usage("say either --month or events, not both".to_owned()).into());
    }
    let mut store = site.open()?;
    match args.command {
        Some(ReportCommand::Events { last, format }) => {
            events::run(&store, last, format, calendar)?
        }
        None => {
            let month = args.month.context("no month was named")?;
            register(&mut store, month, args.format, calendar)?;
        }
    }
    Ok(Exit::Done)
}

fn register(
    store: &mut Store,
    month: MonthChoice,
    format: Format,
    calendar: &Calendar,
) -> anyhow::Result<()> {
    let today = calendar.day_of(SystemClock.now());
    let month: Month = month.resolve(today);
    let people = store.people(month)?;
    let register = Register::derive(month, today, calendar, people);
    render::print_register(&register, format)?;
    Ok(())
}
