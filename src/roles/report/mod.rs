//! `twinkle report`: what the database knows, read beside a running central.

use anyhow::Context;

use crate::cli::{ReportArgs, ReportCommand};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::db::Store;
use crate::domain::attendance::Register;
use crate::domain::calendar::{Calendar, Day, Month};
use crate::exit::{Exit, Usage};
use crate::render::{self, Format};
use crate::site::Site;

mod events;

/// Runs `twinkle report`.
///
/// # Errors
/// If the database cannot be read.
pub fn run(args: ReportArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let site = Site::choose(args.site, settings)?;
    if args.command.is_some() == args.month.is_some() {
        let either =
            "say either --month, for a register, or events; 'twinkle report --help' shows more";
        return Err(Usage(either.to_owned()).into());
    }
    let (mut store, days) = site.open()?;
    match args.command {
        Some(ReportCommand::Events(args)) => events::run(&store, args, days)?,
        None => {
            let month = args.month.context("no month was named")?;
            let weekly_off = args.weekly_off.or(settings.weekly_off).unwrap_or_default();
            let calendar = Calendar {
                weekly_off: weekly_off.0,
            };
            let today = days.day_of(SystemClock.now());
            register(
                &mut store,
                month.resolve(today),
                today,
                calendar,
                args.format,
            )?;
        }
    }
    Ok(Exit::Done)
}

/// Prints a month's register as of today.
fn register(
    store: &mut Store,
    month: Month,
    today: Day,
    calendar: Calendar,
    format: Format,
) -> anyhow::Result<()> {
    let people = store.people(month)?;
    let register = Register::derive(month, today, calendar, people);
    render::print_register(&register, format)?;
    Ok(())
}
