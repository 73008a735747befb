//! The command line of employees.

use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::cli::{AuthorArgs, SiteArgs};
use crate::domain::ids::{EmployeeRef, TwinkletId};

mod access;
mod import;
mod mark;
mod people;

pub use access::{CodeArgs, GrantArgs, LendArgs, ReplaceArgs, UngrantArgs};
pub use import::{ImportArgs, NameRule};
pub use mark::{MarkArgs, MarkChoice};
pub use people::{AddArgs, DepartArgs, EditArgs, EditValues, EraseArgs, HistoryArgs, ListArgs};

/// `twinkle employee`.
#[derive(Debug, Args)]
#[command(after_help = "\
EMPLOYEE is a number, or a name that only one employee has. A DAY is 2026-11-22, today or yesterday.
Every change holds for the next flash.
Variables: TWINKLE_DB, TWINKLE_TIMEZONE

Examples:
  twinkle employee add 'Asha Rao' --twinklet 7
  twinkle employee suspend 'asha rao'
  twinkle employee replace 'asha rao' --with 12
  twinkle employee lend 'Ravi' --twinklet 90 --until 2026-11-27
  twinkle employee grant 'Ravi' lab 'front door'
  twinkle employee edit 'Ravi' --hours 'mon-fri 08:00-20:00, sat 09:00-13:00'
  twinkle employee depart 'Ravi' --on 2026-12-31")]
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
    Add(AddArgs),
    /// List the employees
    List(ListArgs),
    /// Show what is known about an employee
    #[command(after_help = "\
Examples:
  twinkle employee show 'asha rao'
  twinkle employee show --twinklet 7")]
    Show(Whom),
    /// Show what was changed about an employee, when and by whom
    History(HistoryArgs),
    /// Change name, department, hours, days or place on the register
    Edit(EditArgs),
    /// Set the last day of employment
    Depart(DepartArgs),
    /// Set a day in the register: a forgotten badge, leave, half a day
    Mark(MarkArgs),
    /// Have an employee need one-time codes, or no longer
    Code(CodeArgs),
    /// Let an employee in no more
    #[command(after_help = "\
Examples:
  twinkle employee suspend 'asha rao'")]
    Suspend(PersonArgs),
    /// Let a suspended employee in again
    #[command(after_help = "\
Examples:
  twinkle employee resume --twinklet 7")]
    Resume(PersonArgs),
    /// Take a badge back and give another; who had none gets it
    Replace(ReplaceArgs),
    /// Note that a badge is lost: it opens nothing any more
    #[command(after_help = "\
Examples:
  twinkle employee lost 'asha rao'
  twinkle employee lost --twinklet 7          where somebody has more than one badge")]
    Lost(PersonArgs),
    /// Note that a lost badge is there again: it opens as before
    #[command(after_help = "\
Examples:
  twinkle employee found 'asha rao'")]
    Found(PersonArgs),
    /// Lend a badge for some days
    Lend(LendArgs),
    /// Let an employee use doors: only those granted, from the first on
    Grant(GrantArgs),
    /// Take doors away from an employee
    Ungrant(UngrantArgs),
    /// Add and change employees from a CSV file, or move in from the replaced system
    Import(ImportArgs),
    /// Print all employees as CSV, as import reads it
    #[command(after_help = "\
Examples:
  twinkle employee export > staff.csv")]
    Export,
    /// Take the name of somebody who left out of everything; days and totals stay
    Erase(EraseArgs),
}

/// Which employee is meant.
#[derive(Debug, Args)]
#[group(id = "whom", required = true, multiple = false)]
pub struct Whom {
    /// The employee's number, or name if only one has it
    pub employee: Option<EmployeeRef>,
    /// The employee who has this badge
    #[arg(long, value_name = "ID")]
    pub twinklet: Option<TwinkletId>,
}

/// The flags of every command that changes something.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Who makes it.
    #[command(flatten)]
    pub author: AuthorArgs,
    /// Only say what would be changed
    #[arg(long)]
    pub dry_run: bool,
}

/// A change that needs no more than whom it is about.
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// A value that may be set to nothing, by an empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<T>(pub Option<T>);

impl<T: FromStr> FromStr for Choice<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text.trim().is_empty() {
            true => Ok(Self(None)),
            false => text.parse().map(|value| Self(Some(value))),
        }
    }
}
