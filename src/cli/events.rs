//! The command line of the list of events.

use clap::Args;

use crate::domain::access::Reason;
use crate::domain::calendar::DayChoice;
use crate::domain::event_filter::{Ending, parse_reason};
use crate::domain::ids::{DeviceName, EmployeeRef, TwinkletId};
use crate::render::ListFormat;

/// `twinkle report events`.
#[derive(Debug, Args)]
#[command(after_help = "\
EMPLOYEE is a number, or a name that only one employee has. A DAY is 2026-11-22, today or yesterday.

Examples:
  twinkle report events
  twinkle report events --employee 'Asha Rao' --on 2026-11-12
  twinkle report events --door lab --verdict refused --from yesterday
  twinkle report events --reason outside-hours --last 100
  twinkle report events --from 2026-11-01 --to 2026-11-30 --format csv")]
pub struct EventsArgs {
    /// Only this employee's, by number or name
    #[arg(long, value_name = "EMPLOYEE")]
    pub employee: Option<EmployeeRef>,
    /// Only this badge's, whoever had it
    #[arg(long, value_name = "ID")]
    pub twinklet: Option<TwinkletId>,
    /// Only at this door
    #[arg(long, value_name = "DOOR")]
    pub door: Option<DeviceName>,
    /// Only those that ended so: open, refused or undelivered
    #[arg(long, value_name = "VERDICT")]
    pub verdict: Option<Ending>,
    /// Only those refused for this reason, as in outside-hours
    #[arg(long, value_name = "REASON", value_parser = parse_reason)]
    pub reason: Option<Reason>,
    /// Only of this day
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "to"])]
    pub on: Option<DayChoice>,
    /// Only of this day and later ones
    #[arg(long, value_name = "DAY")]
    pub from: Option<DayChoice>,
    /// Only of this day and earlier ones
    #[arg(long, value_name = "DAY")]
    pub to: Option<DayChoice>,
    /// Only so many of the newest [default: 20; all if days are named]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub last: Option<u32>,
    /// How to print them: table, csv or json
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub format: ListFormat,
}

fn parse_count(text: &str) -> Result<u32, &'static str> {
    let count = text.parse().ok().filter(|&count| count > 0);
    count.ok_or("write a whole number from 1 to 4294967295")
}
