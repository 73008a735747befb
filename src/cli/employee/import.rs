//! The command line of taking many employees in at once.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::cli::employee::ChangeArgs;
use crate::domain::calendar::DayChoice;

/// `twinkle employee import`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is CSV in UTF-8, its cells apart by commas or semicolons. Its first line names the
columns, of which any may be left out but one of the first two: number, name, twinklet, joined,
left, department, hours, doors, suspended, off-register. 'twinkle employee export' shows how they
are filled. Nothing is taken in unless every line can be.

A line is about the employee with that number; without one, about whoever has that name, and, where
there are badges, one of them. Nobody such: somebody new. What a column says is so afterwards: a
badge that is not named is taken back.

Examples:
  twinkle employee import staff.csv --dry-run
  twinkle employee import --from-original old/ --year 2021 --dry-run
  twinkle employee export | sed s/Optics/Photonics/ | twinkle employee import -")]
pub struct ImportArgs {
    /// The file; - for standard input; for --from-original files and folders
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Move in from the replaced system's databases instead
    #[arg(long)]
    pub from_original: bool,
    /// The year of months whose file does not say it
    #[arg(long, requires = "from_original", value_parser = clap::value_parser!(i32).range(1900..=2199))]
    pub year: Option<i32>,
    /// Read a name as another, or as an employee's number
    #[arg(long, value_name = "OLD=NEW", requires = "from_original")]
    pub map: Vec<NameRule>,
    /// The first day of everybody new [default: the first seen]
    #[arg(long, value_name = "DAY", requires = "from_original")]
    pub joined: Option<DayChoice>,
    /// How it is made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// How a name in old files is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRule {
    /// The name there.
    pub old: String,
    /// The name here, or an employee's number.
    pub new: String,
}

impl FromStr for NameRule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (old, new) = text.split_once('=').unwrap_or_default();
        let (old, new) = (old.trim().to_owned(), new.trim().to_owned());
        match old.is_empty() || new.is_empty() {
            true => Err("write OLD=NEW, such as 'A Rao=Asha Rao' or 'A Rao=7'"),
            false => Ok(Self { old, new }),
        }
    }
}
