//! The command line of the delays.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::calendar::DayChoice;
use crate::domain::ids::DeviceName;

/// `twinkle report delays`.
#[derive(Debug, Args)]
#[command(after_help = "\
A delay is the time from a flash's arrival at its relay to its answer. Relays tell theirs every
10 s; the central keeps them for 90 days. A DAY is 2026-11-22, today or yesterday.

Examples:
  twinkle report delays
  twinkle report delays --door lab --from 2026-11-01
  twinkle report delays --on yesterday --format csv
  twinkle report delays --from 2026-11-01 -o november.svg")]
pub struct DelaysArgs {
    /// Only at this door
    #[arg(long, value_name = "DOOR")]
    pub door: Option<DeviceName>,
    /// Only through this relay
    #[arg(long, value_name = "RELAY")]
    pub relay: Option<DeviceName>,
    /// Only of this day [default: today]
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "to"])]
    pub on: Option<DayChoice>,
    /// Only of this day and later ones
    #[arg(long, value_name = "DAY")]
    pub from: Option<DayChoice>,
    /// Only of this day and earlier ones [default: today]
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<DayChoice>,
    /// table, csv, json or svg [default: svg if FILE is named, else table]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub format: Option<DelaysFormat>,
    /// Write the picture there, not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How delays are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DelaysFormat {
    /// Put together, for people
    Table,
    /// Each, for spreadsheets (RFC 4180, UTF-8)
    Csv,
    /// Each, for programs: one object a line
    Json,
    /// Put together, as a picture
    Svg,
}
