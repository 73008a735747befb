//! `twinkle report`: what the database knows, read beside a running central.

use crate::cli::{ReportArgs, ReportCommand};
use crate::config::Settings;
use crate::exit::{Exit, Usage};
use crate::site::Site;

mod closing;
mod delays;
mod events;
pub mod live;
mod output;
mod register;
mod standing;
mod why;

/// Runs `twinkle report`.
///
/// # Errors
/// If the database cannot be read.
pub fn run(mut args: ReportArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let site = Site::choose(args.site.clone(), settings)?;
    let register = args.month.is_some() || args.from.is_some();
    if args.command.is_some() == register {
        let either = "say either --month or --from, for a register, or events; \
            'twinkle report --help' shows more";
        return Err(Usage(either.to_owned()).into());
    }
    let (mut store, days) = site.open()?;
    match args.command.take() {
        Some(ReportCommand::Events(args)) => events::run(&store, args, days)?,
        Some(ReportCommand::Delays(args)) => delays::run(&store, &args, days)?,
        Some(ReportCommand::Live) => live::run(store, days, &settings.register)?,
        Some(ReportCommand::Why(args)) => why::run(&mut store, &args, days)?,
        None => register::run(&mut store, &args, days, &settings.register)?,
    }
    Ok(Exit::Done)
}
