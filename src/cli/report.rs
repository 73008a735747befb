//! The command line of reports.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::delays::DelaysArgs;
use crate::cli::events::EventsArgs;
use crate::cli::why::WhyArgs;
use crate::cli::{AuthorArgs, SiteArgs};
use crate::domain::calendar::{DayChoice, MonthChoice};
use crate::domain::ids::{Department, EmployeeRef};
use crate::domain::remark::Remark;
use crate::render::RegisterFormat;

/// `twinkle report`.
#[derive(Debug, Args)]
#[command(after_help = "\
A month is 2026-11, 11 or nov (the latest that is not to come), this or last.
Variables: TWINKLE_DB, TWINKLE_TIMEZONE

Examples:
  twinkle report --month                          this month's register
  twinkle report --month last --format csv
  twinkle report --month 2026-10 -o october.xlsx  to print and sign
  twinkle report --month 2026-10 --close          once it is signed
  twinkle report --from 2026-09-01 --to 2026-11-15 --employee 'Asha Rao' --hours
  twinkle report events --door lab --verdict refused --on yesterday")]
pub struct ReportArgs {
    /// What else than the register.
    #[command(subcommand)]
    pub command: Option<ReportCommand>,
    /// The register of a month, as in 2026-11, 11, nov or last [default: this]
    #[arg(long, value_name = "MONTH", num_args = 0..=1, default_missing_value = "this")]
    pub month: Option<MonthChoice>,
    /// The registers from that day on: a table for each month
    #[arg(long, value_name = "DAY", conflicts_with = "month")]
    pub from: Option<DayChoice>,
    /// The last day of them [default: today]
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<DayChoice>,
    /// Only this employee, by number or name: a line for each month
    #[arg(long, value_name = "EMPLOYEE")]
    pub employee: Option<EmployeeRef>,
    /// Only this department
    #[arg(long, value_name = "NAME", conflicts_with = "employee")]
    pub department: Option<Department>,
    /// When they were first and last seen, and the hours between
    #[arg(long)]
    pub hours: bool,
    /// table, csv, json or xlsx [default: as FILE's name says, else table]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub format: Option<RegisterFormat>,
    /// Write it there, or into that folder, not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Keep the month as signed; what changes later is listed beside it
    #[arg(long, requires = "month", conflicts_with_all = ["reopen", "employee", "department"])]
    pub close: bool,
    /// Give up the month as it was signed
    #[arg(long, requires = "month", requires = "reason", conflicts_with_all = ["output", "format"])]
    pub reopen: bool,
    /// Why it is given up
    #[arg(long, value_name = "TEXT", requires = "reopen")]
    pub reason: Option<Remark>,
    /// Who does it.
    #[command(flatten)]
    pub author: AuthorArgs,
    /// The database and its days.
    #[command(flatten)]
    pub site: SiteArgs,
}

/// The subcommands of `twinkle report`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// The flashes as they are stored, newest last
    Events(EventsArgs),
    /// Arrivals as they happen, who is missing, how doors and relays stand
    #[command(after_help = "\
Keys: q or Ctrl-C ends, Tab shows this month's register and back, arrows and Page keys scroll. Where
standard output is no terminal, each event is one line.

Examples:
  twinkle report live
  twinkle report live | grep 'front door'")]
    Live,
    /// How long doors wait for their answers
    Delays(DelaysArgs),
    /// How a mark or a verdict came to be, or would now, and what to do
    Why(WhyArgs),
}
