//! The command line of employees.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::cli::{AuthorArgs, SiteArgs};
use crate::domain::calendar::DayChoice;
use crate::domain::hours::Hours;
use crate::domain::ids::{Department, EmployeeRef, PersonName, TwinkletId};
use crate::render::Format;

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
    Show(Whom),
    /// Show what was changed about an employee, when and by whom
    History(HistoryArgs),
    /// Change name, department, hours, days or place on the register
    Edit(EditArgs),
    /// Set the last day of employment
    Depart(DepartArgs),
    /// Let an employee in no more
    Suspend(PersonArgs),
    /// Let a suspended employee in again
    Resume(PersonArgs),
    /// Take a badge back and give another; who had none gets it
    Replace(ReplaceArgs),
    /// Note that a badge is lost: it opens nothing any more
    Lost(PersonArgs),
    /// Note that a lost badge is there again: it opens as before
    Found(PersonArgs),
    /// Lend a badge for some days
    Lend(LendArgs),
    /// Let an employee use doors: only those granted, from the first on
    Grant(GrantArgs),
    /// Take doors away from an employee
    Ungrant(UngrantArgs),
    /// Add and change employees from a CSV file: all of it or nothing
    Import(ImportArgs),
    /// Print all employees as CSV, as import reads it
    Export,
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

/// `twinkle employee add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The name: 1 to 200 characters with a letter among them
    pub name: PersonName,
    /// The badge's id, the number printed on it
    #[arg(long, value_name = "ID")]
    pub twinklet: TwinkletId,
    /// The first day [default: today]
    #[arg(long, value_name = "DAY")]
    pub joined: Option<DayChoice>,
    /// The department
    #[arg(long, value_name = "NAME")]
    pub department: Option<Department>,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `twinkle employee list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Those too who have left
    #[arg(long)]
    pub all: bool,
    /// How to print them: table or csv
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub format: Format,
}

/// `twinkle employee history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// How to print it: table or csv
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub format: Format,
}

/// `twinkle employee edit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Hours are those on the site's wall; they may cross midnight (fri 22:00-06:00), and days may be listed
(sat, sun 09:00-13:00) or left out (08:00-20:00 every day).

Examples:
  twinkle employee edit 'asha rao' --name 'Asha Menon'
  twinkle employee edit 3 --department Optics --joined 2026-11-01
  twinkle employee edit 3 --department '' --hours ''
  twinkle employee edit --twinklet 90 --valid-until 2026-11-30
  twinkle employee edit 'Visitor 1' --off-register")]
pub struct EditArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// What is to be changed.
    #[command(flatten)]
    pub values: EditValues,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What is to be changed about an employee.
#[derive(Debug, Args)]
#[group(id = "values", required = true, multiple = true)]
pub struct EditValues {
    /// The new name
    #[arg(long, value_name = "NAME")]
    pub name: Option<PersonName>,
    /// The department; '' for none
    #[arg(long, value_name = "NAME")]
    pub department: Option<Choice<Department>>,
    /// When to let in, as in 'mon-fri 08:00-20:00'; '' for at any time
    #[arg(long, value_name = "HOURS")]
    pub hours: Option<Choice<Hours>>,
    /// The first day of employment
    #[arg(long, value_name = "DAY")]
    pub joined: Option<DayChoice>,
    /// The badge's first day
    #[arg(long, value_name = "DAY")]
    pub valid_from: Option<DayChoice>,
    /// The badge's last day; '' for none
    #[arg(long, value_name = "DAY")]
    pub valid_until: Option<Choice<DayChoice>>,
    /// No line on the register: a visitor's pass, a shared badge
    #[arg(long, conflicts_with = "on_register")]
    pub off_register: bool,
    /// A line on the register again
    #[arg(long)]
    pub on_register: bool,
}

/// `twinkle employee depart`.
#[derive(Debug, Args)]
#[command(after_help = "\
The badges open nothing after that day, and may be given to others.

Examples:
  twinkle employee depart 'Ravi'                  today is the last day
  twinkle employee depart 'Ravi' --on 2026-12-31
  twinkle employee depart 'Ravi' --undo")]
pub struct DepartArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// The last day [default: today]
    #[arg(long, value_name = "DAY")]
    pub on: Option<DayChoice>,
    /// There is no last day any more
    #[arg(long, conflicts_with = "on")]
    pub undo: bool,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

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

Example:
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

/// `twinkle employee import`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is CSV in UTF-8, its cells apart by commas or semicolons. Its first line names the columns, of
which any may be left out but one of the first two: number, name, twinklet, joined, left, department,
hours, doors, suspended, off-register. 'twinkle employee export' shows how they are filled.

A line is about the employee with that number; without one, about whoever has that name, and, where
there are badges, one of them. Nobody such: somebody new. What a column says is so afterwards: a badge
that is not named is taken back.

Examples:
  twinkle employee import staff.csv --dry-run
  twinkle employee export | sed s/Optics/Photonics/ | twinkle employee import -")]
pub struct ImportArgs {
    /// The file; - for standard input
    pub file: PathBuf,
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
