//! The command line. What a flag leaves open, a `TWINKLE_*` variable may say, then `twinkle.toml`,
//! then the default that the flag's help names.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Zone;
use crate::domain::ids::PersonName;
use crate::logging::{Level, LogFormat};

mod central;
pub mod delays;
mod door;
mod effective;
pub mod employee;
mod events;
mod hardware;
mod parse;
mod relay;
mod report;
mod why;

pub use central::{CalendarArgs, CentralArgs, CentralCommand, DoorWayArgs, EnrollArgs, RetireArgs};
pub use door::DoorArgs;
pub use effective::text as effective;
pub use employee::EmployeeArgs;
pub use events::EventsArgs;
pub use hardware::HardwareArgs;
pub use parse::parse;
pub use relay::RelayArgs;
pub use report::{ReportArgs, ReportCommand};
pub use why::WhyArgs;

/// Door access and attendance for places that run their own doors.
#[derive(Debug, Parser)]
#[command(
    name = "twinkle",
    version = crate::version::VERSION,
    max_term_width = 100,
    after_help = "\
Examples:
  twinkle central                                 serve the database that decides
  twinkle relay                                   forward this site's doors to it
  twinkle employee add 'Asha Rao' --twinklet 7    let badge 7 in
  echo 7 | twinkle door lab                       flash badge 7 at the door 'lab'
  twinkle report --month                          this month's register

Variables: TWINKLE_CONFIG, TWINKLE_LOG, TWINKLE_LOG_FORMAT, and what each subcommand's help names.
Exit codes: 0 done or open, 1 failed or not open, 2 wrong usage, 3 not found or in conflict,
4 something outside cannot be reached or used."
)]
pub struct Cli {
    /// The configuration [default: /etc/twinkle/twinkle.toml, if there]
    #[arg(
        long,
        global = true,
        display_order = 901,
        value_name = "FILE",
        env = "TWINKLE_CONFIG",
        hide_env = true
    )]
    pub config: Option<PathBuf>,
    /// How much to log: error, warn, info or debug [default: info]
    #[arg(
        long,
        global = true,
        display_order = 902,
        value_name = "LEVEL",
        env = "TWINKLE_LOG",
        hide_env = true
    )]
    pub log: Option<Level>,
    /// How to log: text, or json, an object a line [default: text]
    #[arg(
        long,
        global = true,
        display_order = 903,
        value_name = "FORMAT",
        env = "TWINKLE_LOG_FORMAT",
        hide_env = true
    )]
    pub log_format: Option<LogFormat>,
    /// Print the settings that hold here, and whence each is, and end
    #[arg(long, global = true, display_order = 904)]
    pub print_config: bool,
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
    Door(Box<DoorArgs>),
    /// Add, list and change employees
    Employee(EmployeeArgs),
    /// Print the month's register, events, and why doors did not open
    Report(ReportArgs),
}

/// The flags of every role that opens the database.
#[derive(Debug, Clone, Args)]
pub struct SiteArgs {
    /// The database [default: $XDG_DATA_HOME/twinkle/twinkle.db]
    #[arg(
        long,
        global = true,
        display_order = 801,
        value_name = "FILE",
        env = "TWINKLE_DB",
        hide_env = true
    )]
    pub db: Option<PathBuf>,
    /// Where days begin and end [default: the database's]
    #[arg(
        long,
        global = true,
        display_order = 802,
        value_name = "ZONE",
        env = "TWINKLE_TIMEZONE",
        hide_env = true
    )]
    pub timezone: Option<Zone>,
}

/// The flag of every command whose change is written down with its author.
#[derive(Debug, Clone, Args)]
pub struct AuthorArgs {
    /// Who makes the change, for the audit [default: who logged in]
    #[arg(long, value_name = "PERSON")]
    pub by: Option<PersonName>,
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
                .filter(|word| word.starts_with("TWINKLE_"))
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
