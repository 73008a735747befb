//! The command lines of the office: employees and reports.

use clap::{Args, Subcommand};

use crate::cli::SiteArgs;
use crate::config::WeekdayList;
use crate::domain::calendar::{DayChoice, MonthChoice};
use crate::domain::ids::{EmployeeRef, PersonName, TwinkletId};
use crate::render::Format;

/// `twinkle employee`.
#[derive(Debug, Args)]
#[command(after_help = "\
EMPLOYEE is a number, or a name that only one employee has.
Variables: TWINKLE_DB, TWINKLE_TIMEZONE

Examples:
  twinkle employee add 'Asha Rao' --twinklet 7
  twinkle employee add 'Ravi' --twinklet 8 --joined 2026-12-01
  twinkle employee suspend 'asha rao'
  twinkle employee resume --twinklet 7")]
pub struct EmployeeArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: EmployeeCommand,
    /// The database and its days.
    #[command(flatten)]
    pub site: SiteArgs,
}

/// The subcommands of `twinkle employee`.
#[derive(Debug, Subcommand)]
pub enum EmployeeCommand {
    /// Add an employee with a badge
    Add {
        /// The name: 1 to 200 characters with a letter among them
        name: PersonName,
        /// The badge's id, the number printed on it
        #[arg(long, value_name = "ID")]
        twinklet: TwinkletId,
        /// The first day: 2026-11-22, today or yesterday [default: today]
        #[arg(long, value_name = "DAY")]
        joined: Option<DayChoice>,
    },
    /// List all employees
    List {
        /// How to print them: table or csv
        #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
        format: Format,
    },
    /// Let an employee in no more, from the next flash on
    Suspend(Whom),
    /// Let a suspended employee in again
    Resume(Whom),
}

/// Which employee is meant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whom {
    /// The employee's number, or name if only one has it
    pub employee: Option<EmployeeRef>,
    /// The employee who has this badge
    #[arg(long, value_name = "ID")]
    pub twinklet: Option<TwinkletId>,
}

/// `twinkle report`.
#[derive(Debug, Args)]
#[command(after_help = "\
A month is 2026-11, 11 or nov (the latest that is not to come), this or last.
Variables: TWINKLE_DB, TWINKLE_TIMEZONE, TWINKLE_WEEKLY_OFF

Examples:
  twinkle report --month                          this month's register
  twinkle report --month last --format csv
  twinkle report events --last 20")]
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
    Events {
        /// How many of the newest
        #[arg(long, value_name = "N", default_value = "20", value_parser = parse_count)]
        last: u32,
        /// How to print them: table or csv
        #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
        format: Format,
    },
}

fn parse_count(text: &str) -> Result<u32, &'static str> {
    let count = text.parse().ok().filter(|&count| count > 0);
    count.ok_or("write a whole number from 1 to 4294967295")
}
