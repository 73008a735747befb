//! The command line. What a flag leaves open, a `TWINKLE_*` variable may say, then `twinkle.toml`,
//! then the default that the flag's help names.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand};

use crate::config::{Span, WeekdayList};
use crate::domain::calendar::{DayChoice, MonthChoice};
use crate::domain::ids::{DeviceName, EmployeeRef, PersonName, TwinkletId};
use crate::render::Format;
use crate::wire::plain::PlainRule;

/// Door access and attendance for places that run their own doors.
#[derive(Debug, Parser)]
#[command(
    name = "twinkle",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  twinkle central                                 serve the database that decides
  twinkle relay                                   forward this site's doors to it
  twinkle employee add 'Asha Rao' --twinklet 7    let badge 7 in
  echo 7 | twinkle door lab                       flash badge 7 at the door 'lab'
  twinkle report --month                          this month's register

Exit codes: 0 done or open, 1 failed or not open, 2 wrong usage, 3 not found or in conflict,
4 something outside cannot be reached or used."
)]
pub struct Cli {
    /// The configuration [default: /etc/twinkle/twinkle.toml, if there]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TWINKLE_CONFIG",
        hide_env = true
    )]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands of `twinkle`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide and store: one for the organisation
    Central(CentralArgs),
    /// Forward a site's doors to the central
    Relay(RelayArgs),
    /// Read badges and drive a lock
    Door(DoorArgs),
    /// Add, list and suspend employees
    Employee(EmployeeArgs),
    /// Print the month's register, or events
    Report(ReportArgs),
}

/// The flags of every role that opens the database.
#[derive(Debug, Clone, Args)]
pub struct SiteArgs {
    /// The database [default: $XDG_DATA_HOME/twinkle/twinkle.db]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TWINKLE_DB",
        hide_env = true
    )]
    pub db: Option<PathBuf>,
    /// Where days begin and end [default: the machine's timezone]
    #[arg(
        long,
        global = true,
        value_name = "ZONE",
        env = "TWINKLE_TIMEZONE",
        hide_env = true
    )]
    pub timezone: Option<Tz>,
}

/// `twinkle central`.
#[derive(Debug, Args)]
#[command(after_help = "\
Variables: TWINKLE_CENTRAL_LISTEN, TWINKLE_CENTRAL_ACCEPT_PLAIN, TWINKLE_CENTRAL_INSECURE,
TWINKLE_DB, TWINKLE_TIMEZONE, TWINKLE_LOG (error, warn, info, debug)

Examples:
  twinkle central
  twinkle central --listen 0.0.0.0:9999 --insecure
  twinkle central --accept-plain lab@192.168.1.20
  twinkle central init --db /var/lib/twinkle/twinkle.db")]
pub struct CentralArgs {
    /// What else than to serve.
    #[command(subcommand)]
    pub command: Option<CentralCommand>,
    /// Where to listen [default: 127.0.0.1:9999]
    #[arg(
        long,
        value_name = "ADDR",
        env = "TWINKLE_CENTRAL_LISTEN",
        hide_env = true
    )]
    pub listen: Option<String>,
    /// Take old plain-text packets for that door [from that network]
    #[arg(
        long,
        value_name = "DOOR[@NET]",
        value_delimiter = ',',
        env = "TWINKLE_CENTRAL_ACCEPT_PLAIN",
        hide_env = true
    )]
    pub accept_plain: Vec<PlainRule>,
    /// Use addresses off this machine, unprotected
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "TWINKLE_CENTRAL_INSECURE",
        hide_env = true,
        hide_possible_values = true
    )]
    pub insecure: Option<bool>,
    /// The database and its days.
    #[command(flatten)]
    pub site: SiteArgs,
}

/// The subcommands of `twinkle central`.
#[derive(Debug, Subcommand)]
pub enum CentralCommand {
    /// Make the database, or bring it up to date, and serve nothing
    Init,
}

/// `twinkle relay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Variables: TWINKLE_RELAY_NAME, TWINKLE_RELAY_CENTRAL, TWINKLE_RELAY_LISTEN,
TWINKLE_RELAY_ACCEPT_PLAIN, TWINKLE_RELAY_DEADLINE, TWINKLE_RELAY_INSECURE, TWINKLE_LOG

Examples:
  twinkle relay
  twinkle relay 'North gate' --central hub.example:9999 --listen 0.0.0.0:9998 --insecure
  twinkle relay --accept-plain lab@192.168.1.20")]
pub struct RelayArgs {
    /// The relay's name [default: the machine's]
    #[arg(env = "TWINKLE_RELAY_NAME", hide_env = true)]
    pub name: Option<DeviceName>,
    /// Where the central listens [default: 127.0.0.1:9999]
    #[arg(
        long,
        value_name = "ADDR",
        env = "TWINKLE_RELAY_CENTRAL",
        hide_env = true
    )]
    pub central: Option<String>,
    /// Where to listen [default: 127.0.0.1:9998]
    #[arg(
        long,
        value_name = "ADDR",
        env = "TWINKLE_RELAY_LISTEN",
        hide_env = true
    )]
    pub listen: Option<String>,
    /// Take old plain-text packets for that door [from that network]
    #[arg(
        long,
        value_name = "DOOR[@NET]",
        value_delimiter = ',',
        env = "TWINKLE_RELAY_ACCEPT_PLAIN",
        hide_env = true
    )]
    pub accept_plain: Vec<PlainRule>,
    /// How long the central may take to answer [default: 1.5s]
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_RELAY_DEADLINE",
        hide_env = true
    )]
    pub deadline: Option<Span>,
    /// Use addresses off this machine, unprotected
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "TWINKLE_RELAY_INSECURE",
        hide_env = true,
        hide_possible_values = true
    )]
    pub insecure: Option<bool>,
}

/// `twinkle door`.
#[derive(Debug, Args)]
#[command(after_help = "\
Variables: TWINKLE_DOOR_NAME, TWINKLE_DOOR_RELAY, TWINKLE_DOOR_FROM, TWINKLE_DOOR_LOCK,
TWINKLE_DOOR_OPEN_FOR, TWINKLE_DOOR_DEADLINE, TWINKLE_DOOR_INSECURE, TWINKLE_LOG

Examples:
  twinkle door lab                                read badge numbers from standard input
  twinkle door lab --flash 7                      one flash: exit 0 open, 1 not, 4 nobody answers
  twinkle door lab --relay 127.0.0.1:9999         straight to a central")]
pub struct DoorArgs {
    /// The door's name [default: the machine's]
    #[arg(env = "TWINKLE_DOOR_NAME", hide_env = true)]
    pub name: Option<DeviceName>,
    /// Where the relay, or the central, listens [default: 127.0.0.1:9998]
    #[arg(long, value_name = "ADDR", env = "TWINKLE_DOOR_RELAY", hide_env = true)]
    pub relay: Option<String>,
    /// Where flashes come from: stdin [default: stdin]
    #[arg(
        long,
        value_name = "SOURCE",
        env = "TWINKLE_DOOR_FROM",
        hide_env = true
    )]
    pub from: Option<String>,
    /// What to unlock: sim, a simulated lock [default: sim]
    #[arg(long, value_name = "LOCK", env = "TWINKLE_DOOR_LOCK", hide_env = true)]
    pub lock: Option<String>,
    /// How long the lock stays open [default: 5s]
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_DOOR_OPEN_FOR",
        hide_env = true
    )]
    pub open_for: Option<Span>,
    /// How long the relay may take to answer [default: 3s]
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_DOOR_DEADLINE",
        hide_env = true
    )]
    pub deadline: Option<Span>,
    /// Flash this badge once, and end
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    pub flash: Option<TwinkletId>,
    /// Use addresses off this machine, unprotected
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        env = "TWINKLE_DOOR_INSECURE",
        hide_env = true,
        hide_possible_values = true
    )]
    pub insecure: Option<bool>,
}

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
#[command(
    subcommand_negates_reqs = true,
    after_help = "\
A month is 2026-11, 11 or nov (the latest that is not to come), this or last.
Variables: TWINKLE_DB, TWINKLE_TIMEZONE, TWINKLE_WEEKLY_OFF

Examples:
  twinkle report --month                          this month's register
  twinkle report --month last --format csv
  twinkle report events --last 20"
)]
pub struct ReportArgs {
    /// What else than the register.
    #[command(subcommand)]
    pub command: Option<ReportCommand>,
    /// The register of a month [default: this]
    #[arg(long, value_name = "MONTH", num_args = 0..=1, default_missing_value = "this", required = true)]
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
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: u32,
        /// How to print them: table or csv
        #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
        format: Format,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_names_exactly_the_variables_that_are_heard() {
        for role in ["central", "relay", "door", "employee", "report"] {
            let command = Cli::command();
            let command = command.find_subcommand(role).unwrap();
            let help = command.get_after_help().unwrap().to_string();
            let named: BTreeSet<_> = help
                .split(|c: char| !c.is_ascii_uppercase() && c != '_')
                .filter(|word| word.starts_with("TWINKLE_") && *word != "TWINKLE_LOG")
                .collect();
            let heard: BTreeSet<_> = command
                .get_arguments()
                .filter_map(|arg| arg.get_env()?.to_str())
                .collect();
            assert!(heard.len() >= 2, "{role}: {heard:?}");
            assert_eq!(named, heard, "{role}");
        }
    }
}
