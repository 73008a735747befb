//! The command line of a relay.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::config::{Period, Span};
use crate::domain::ids::DeviceName;
use crate::wire::address::HostPort;
use crate::wire::plain::PlainRule;

/// `twinkle relay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Variables: TWINKLE_RELAY_NAME, TWINKLE_RELAY_CENTRAL, TWINKLE_RELAY_LISTEN,
TWINKLE_RELAY_ACCEPT_PLAIN, TWINKLE_RELAY_DEADLINE, TWINKLE_RELAY_IDENTITY,
TWINKLE_RELAY_OFFLINE_FOR, TWINKLE_RELAY_SPOOL, TWINKLE_RELAY_SPOOL_LIMIT, TWINKLE_RELAY_METRICS,
TWINKLE_RELAY_INSECURE

Examples:
  twinkle relay
  twinkle relay --offline-for 12h                 open doors also while the central is away
  twinkle relay --identity north.identity --central hub.example:9999 --listen 0.0.0.0:9998
  twinkle relay --central hub.example:9999 --central spare.example:9999 --insecure
  twinkle relay 'North gate' --central hub.example:9999 --listen 0.0.0.0:9998 --insecure
  twinkle relay --listen 0.0.0.0:9998 --insecure --accept-plain lab@192.168.1.20")]
pub struct RelayArgs {
    /// The relay's name [default: the machine's]
    #[arg(env = "TWINKLE_RELAY_NAME", hide_env = true)]
    pub name: Option<DeviceName>,
    /// Where the central listens, or several [default: 127.0.0.1:9999]
    #[arg(
        long,
        value_name = "ADDR",
        value_delimiter = ',',
        env = "TWINKLE_RELAY_CENTRAL",
        hide_env = true
    )]
    pub central: Vec<HostPort>,
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
    /// What the central knows it by: a file from 'central enroll'
    #[arg(
        long,
        value_name = "FILE",
        env = "TWINKLE_RELAY_IDENTITY",
        hide_env = true
    )]
    pub identity: Option<PathBuf>,
    /// Decide here for so long while the central is away [default: no]
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_RELAY_OFFLINE_FOR",
        hide_env = true
    )]
    pub offline_for: Option<Period>,
    /// The relay's file [default: $XDG_DATA_HOME/twinkle/relay-NAME.db]
    #[arg(
        long,
        value_name = "FILE",
        env = "TWINKLE_RELAY_SPOOL",
        hide_env = true
    )]
    pub spool: Option<PathBuf>,
    /// The most events that may wait for it [default: 1000000]
    #[arg(
        long,
        value_name = "COUNT",
        env = "TWINKLE_RELAY_SPOOL_LIMIT",
        hide_env = true
    )]
    pub spool_limit: Option<u64>,
    /// Serve figures and health there, over HTTP [default: not at all]
    #[arg(
        long,
        value_name = "ADDR",
        env = "TWINKLE_RELAY_METRICS",
        hide_env = true
    )]
    pub metrics: Option<HostPort>,
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
