//! The command lines of the three roles that run on: central, relay and door.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use crate::cli::SiteArgs;
use crate::config::Span;
use crate::domain::ids::{DeviceName, TwinkletId};
use crate::wire::address::HostPort;
use crate::wire::plain::PlainRule;

/// `twinkle central`.
#[derive(Debug, Args)]
#[command(after_help = "\
Variables: TWINKLE_CENTRAL_LISTEN, TWINKLE_CENTRAL_ACCEPT_PLAIN, TWINKLE_CENTRAL_INSECURE,
TWINKLE_DB, TWINKLE_TIMEZONE

Examples:
  twinkle central
  twinkle central --listen 0.0.0.0:9999 --insecure
  twinkle central --listen 0.0.0.0:9999 --insecure --accept-plain lab@192.168.1.20
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
    pub listen: Option<HostPort>,
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
        value_parser = BoolishValueParser::new(),
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
TWINKLE_RELAY_ACCEPT_PLAIN, TWINKLE_RELAY_DEADLINE, TWINKLE_RELAY_INSECURE

Examples:
  twinkle relay
  twinkle relay 'North gate' --central hub.example:9999 --listen 0.0.0.0:9998 --insecure
  twinkle relay --listen 0.0.0.0:9998 --insecure --accept-plain lab@192.168.1.20")]
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
    pub central: Option<HostPort>,
    /// Where to listen [default: 127.0.0.1:9998]
    #[arg(
        long,
        value_name = "ADDR",
        env = "TWINKLE_RELAY_LISTEN",
        hide_env = true
    )]
    pub listen: Option<HostPort>,
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
        value_parser = BoolishValueParser::new(),
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
TWINKLE_DOOR_OPEN_FOR, TWINKLE_DOOR_DEADLINE, TWINKLE_DOOR_INSECURE

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
    pub relay: Option<HostPort>,
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
    /// Flash this badge once instead, and end
    #[arg(long, value_name = "ID")]
    pub flash: Option<TwinkletId>,
    /// Use addresses off this machine, unprotected
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        env = "TWINKLE_DOOR_INSECURE",
        hide_env = true,
        hide_possible_values = true
    )]
    pub insecure: Option<bool>,
}
