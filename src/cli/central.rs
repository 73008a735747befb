//! The command line of the central: serving, and what is done beside it.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use crate::cli::SiteArgs;
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
