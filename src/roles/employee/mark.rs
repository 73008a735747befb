//! `twinkle employee mark`: setting a day in the register.

use std::io::{self, Write};

use anyhow::Context;

use crate::cli::employee::{MarkArgs, MarkChoice};
use crate::db::{NewCorrection, Whose};
use crate::domain::attendance::Mark;
use crate::domain::calendar::{DayChoice, Month, Unclear};
use crate::domain::ids::EmployeeRef;
use crate::exit::Usage;
use crate::render::one_line;
use crate::roles::employee::{Office, say};

/// How many names are said.
const NAMES: usize = 6;

/// Runs it.
pub(super) fn run(office: &mut Office, args: MarkArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let (whose, words) = whose(&args)?;
    let [day, mark] = words;
    let day: DayChoice = day
        .parse()
        .map_err(|wrong: Unclear| Usage(wrong.to_string()))?;
    let day = day.resolve(office.today);
    let choice: MarkChoice = mark
        .parse()
        .map_err(|wrong: &str| Usage(wrong.to_owned()))?;
    let MarkChoice(mark) = choice;
    if day > office.today && matches!(mark, Some(Mark::Present | Mark::Absent)) {
        return Err(Usage(format!(
            "{day} is still to come: only L and HD can be known"
        ))
        .into());
    }
    let new = NewCorrection {
        day,
        mark,
        reason: args.reason,
    };
    let today = office.today;
    let done = office.store.correct(&whose, &new, today, &office.author)?;
    let names: Vec<_> = done
        .employees
        .iter()
        .take(NAMES)
        .map(|employee| format!("{}: {}", employee.number, one_line(&employee.name)))
        .collect();
    let more = match done.employees.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (would, mark) = (
        if office.rehearsing {
            "would mark"
        } else {
            "marked"
        },
        shown(mark),
    );
    say(format_args!(
        "{would} {day} {mark} for {}{more}",
        names.join(", ")
    ))?;
    if let Some(who) = done.signed_by.filter(|_| !office.rehearsing) {
        let month = Month::of(day);
        writeln!(
            io::stderr(),
            "{month} was signed by {who}: this is shown as an amendment to it"
        )?;
    }
    Ok(())
}

fn shown(mark: Option<Mark>) -> &'static str {
    mark.map_or("auto", Mark::symbol)
}

/// Whose day is meant, and the words that say which day and what mark. With `--all` or `--twinklet`
/// nobody is named.
fn whose(args: &MarkArgs) -> anyhow::Result<(Whose, [&str; 2])> {
    let words: Vec<_> = args.words.iter().map(String::as_str).collect();
    match (&words[..], args.all, args.twinklet) {
        ([day, mark], true, _) => Ok((Whose::All, [day, mark])),
        ([day, mark], false, Some(twinklet)) => {
            Ok((Whose::One(EmployeeRef::Twinklet(twinklet)), [day, mark]))
        }
        ([employee, day, mark], false, None) => {
            let employee = employee.parse().context("no employee was named")?;
            Ok((Whose::One(employee), [day, mark]))
        }
        _ => Err(Usage(
            "write EMPLOYEE DAY MARK, or --all DAY MARK, or --twinklet ID DAY MARK".to_owned(),
        )
        .into()),
    }
}
