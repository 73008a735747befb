//! The command line of employees.

use clap::{Args, Subcommand};

use crate::cli::{AuthorArgs, SiteArgs};
use crate::domain::calendar::DayChoice;
use crate::domain::ids::{Department, EmployeeRef, PersonName, TwinkletId};
use crate::render::Format;

/// `twinkle employee`.
#[derive(Debug, Args)]
#[command(after_help = "\
EMPLOYEE is a number, or a name that only one employee has. A DAY is 2026-11-22, today or yesterday.
Variables: TWINKLE_DB, TWINKLE_TIMEZONE

Examples:
  twinkle employee add 'Asha Rao' --twinklet 7
  twinkle employee add 'Ravi' --twinklet 8 --joined 2026-12-01 --department Optics
  twinkle employee suspend 'asha rao'
  twinkle employee resume --twinklet 7
  twinkle employee edit 3 --name 'Zoë Müller' --department ''
  twinkle employee depart 'Ravi' --on 2026-12-31")]
pub struct EmployeeArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: EmployeeCommand,
    /// Who does it.
    #[command(flatten)]
    pub author: AuthorArgs,
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
    /// Change name, department, days or place on the register
    Edit(EditArgs),
    /// Set the last day of employment
    Depart(DepartArgs),
    /// Let an employee in no more, from the next flash on
    Suspend(Whom),
    /// Let a suspended employee in again
    Resume(Whom),
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

/// `twinkle employee edit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  twinkle employee edit 'asha rao' --name 'Asha Menon'
  twinkle employee edit 3 --department Optics --joined 2026-11-01
  twinkle employee edit 3 --department ''
  twinkle employee edit 'Visitor 1' --off-register")]
pub struct EditArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// What is to be changed.
    #[command(flatten)]
    pub change: EditChange,
}

/// What is to be changed about an employee.
#[derive(Debug, Args)]
#[group(id = "change", required = true, multiple = true)]
pub struct EditChange {
    /// The new name
    #[arg(long, value_name = "NAME")]
    pub name: Option<PersonName>,
    /// The department; '' for none
    #[arg(long, value_name = "NAME", value_parser = parse_department)]
    pub department: Option<Choice<Department>>,
    /// The first day of employment
    #[arg(long, value_name = "DAY")]
    pub joined: Option<DayChoice>,
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
}

/// A value that may be set to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<T>(pub Option<T>);

fn parse_department(text: &str) -> Result<Choice<Department>, String> {
    match text.trim().is_empty() {
        true => Ok(Choice(None)),
        false => text
            .parse()
            .map(|department| Choice(Some(department)))
            .map_err(|invalid: crate::domain::ids::Invalid| invalid.to_string()),
    }
}
