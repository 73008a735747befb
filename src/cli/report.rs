//! The command line of reports.

use clap::{Args, Subcommand};

use crate::cli::SiteArgs;
use crate::cli::events::EventsArgs;
use crate::config::WeekdayList;
use crate::domain::calendar::MonthChoice;
use crate::render::Format;

/// `twinkle report`.
#[derive(Debug, Args)]
#[command(after_help = "\
A month is 2026-11, 11 or nov (the latest that is not to come), this or last.
Variables: TWINKLE_DB, TWINKLE_TIMEZONE, TWINKLE_WEEKLY_OFF

Examples:
  twinkle report --month                          this month's register
  twinkle report --month last --format csv
  twinkle report events --door lab --verdict refused --on yesterday")]
pub struct ReportArgs {
    /// What else than the register.
    #[command(subcommand)]
    pub command: Option<ReportCommand>,
    /// The register of a month, as in 2026-11, 11, nov or last [default: this]
    #[arg(long, value_name = "MONTH", num_args = 0..=1, default_missing_value = "this")]
    pub month: Option<MonthChoice>,
    /// How to print it: table or csv
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub format: Format,
    /// Weekdays off, as in sat,sun or none [default: sunday]
    #[arg(long, value_name = "DAYS", env = "TWINKLE_WEEKLY_OFF", hide_env = true)]
    pub weekly_off: Option<WeekdayList>,
    /// The database and its days.
    #[command(flatten)]
    pub site: SiteArgs,
}

/// The subcommands of `twinkle report`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// The flashes as they are stored, newest last
    Events(EventsArgs),
}
