//! The command lines of what an employee may use and needs: badges, doors, one-time codes.

use clap::Args;

use crate::cli::AuthorArgs;
use crate::cli::employee::{ChangeArgs, Whom};
use crate::domain::calendar::DayChoice;
use crate::domain::ids::{EmployeeRef, TwinkletId};

/// `twinkle employee replace`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  twinkle employee replace 'asha rao' --with 12
  twinkle employee replace --twinklet 7 --with 12   where somebody has more than one badge")]
pub struct ReplaceArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// The new badge's id
    #[arg(long, value_name = "ID")]
    pub with: TwinkletId,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `twinkle employee lend`.
#[derive(Debug, Args)]
#[command(after_help = "\
Whoever has the badge otherwise gets it back after the last day. What is flashed with it counts for
the one who has it then. A loan ends earlier with: edit --twinklet ID --valid-until today.

Examples:
  twinkle employee lend 'Ravi' --twinklet 90 --until 2026-11-27")]
pub struct LendArgs {
    /// The employee's number, or name if only one has it
    pub employee: EmployeeRef,
    /// The badge's id
    #[arg(long, value_name = "ID")]
    pub twinklet: TwinkletId,
    /// The first day [default: today]
    #[arg(long, value_name = "DAY")]
    pub from: Option<DayChoice>,
    /// The last day
    #[arg(long, value_name = "DAY")]
    pub until: DayChoice,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `twinkle employee grant`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a grant an employee may use every door. From the first door granted on, only those granted.

Examples:
  twinkle employee grant 'Ravi' lab 'front door'
  twinkle employee grant 'Ravi' --all             every door again")]
pub struct GrantArgs {
    /// The employee's number, or name if only one has it
    pub employee: EmployeeRef,
    /// The doors' names
    #[arg(value_name = "DOOR", required_unless_present = "all")]
    pub doors: Vec<String>,
    /// Every door, also those to come
    #[arg(long, conflicts_with = "doors")]
    pub all: bool,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `twinkle employee ungrant`.
#[derive(Debug, Args)]
#[command(after_help = "\
Taking the last door away leaves none: 'grant --all' lets an employee use every door again.

Examples:
  twinkle employee ungrant 'Ravi' lab
  twinkle employee ungrant 'Ravi' --all           no door at all")]
pub struct UngrantArgs {
    /// The employee's number, or name if only one has it
    pub employee: EmployeeRef,
    /// The doors' names
    #[arg(value_name = "DOOR", required_unless_present = "all")]
    pub doors: Vec<String>,
    /// Every door
    #[arg(long, conflicts_with = "doors")]
    pub all: bool,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `twinkle employee code`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each code opens one door once. At a door it is flashed, or typed, after the badge's id and a colon:
7:012345.

Examples:
  twinkle employee code 'asha rao' --enable       print what her authenticator needs
  twinkle employee code 'asha rao' --disable")]
pub struct CodeArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// What is to be done.
    #[command(flatten)]
    pub change: CodeChange,
    /// How long codes are: 6 to 8 digits
    #[arg(long, value_name = "N", default_value_t = 6, requires = "enable")]
    #[arg(value_parser = clap::value_parser!(u8).range(6..=8))]
    pub digits: u8,
    /// Use SHA-256, which not every authenticator knows
    #[arg(long, requires = "enable")]
    pub sha256: bool,
    /// Who makes the change.
    #[command(flatten)]
    pub author: AuthorArgs,
}

/// Whether codes are needed.
#[derive(Debug, Args)]
#[group(id = "code_change", required = true, multiple = false)]
pub struct CodeChange {
    /// Need codes from a new seed, shown once; an earlier one is void
    #[arg(long)]
    pub enable: bool,
    /// Need none, and forget the seed
    #[arg(long)]
    pub disable: bool,
}
