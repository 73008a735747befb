//! The command lines of who an employee is.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::cli::employee::{ChangeArgs, Choice, Whom};
use crate::domain::calendar::DayChoice;
use crate::domain::hours::Hours;
use crate::domain::ids::{Department, PersonName, TwinkletId};
use crate::render::Format;

/// `twinkle employee add`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  twinkle employee add 'Asha Rao' --twinklet 7
  twinkle employee add 'Ravi' --twinklet 8 --joined 2026-12-01 --department Optics
  twinkle employee add 'Zoë' --twinklet 9 --hours 'mon-fri 08:00-20:00'")]
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
    /// When to let in, as in 'mon-fri 08:00-20:00' [default: at any time]
    #[arg(long, value_name = "HOURS")]
    pub hours: Option<Hours>,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `twinkle employee list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  twinkle employee list
  twinkle employee list --all --format csv")]
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
#[command(after_help = "\
Examples:
  twinkle employee history 'asha rao'")]
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
Hours are those on the site's wall; they may cross midnight (fri 22:00-06:00), and days may be
listed (sat, sun 09:00-13:00) or left out (08:00-20:00 every day).

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

/// `twinkle employee erase`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  twinkle employee erase 'Ravi' --reason 'asked for on 2026-11-20'")]
pub struct EraseArgs {
    /// Who.
    #[command(flatten)]
    pub whom: Whom,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: String,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}
