//! `twinkle employee`: an administrator's changes, made beside a running central and effective for
//! its next flash.

use std::io::{self, Write};

use anyhow::Context;

use crate::author;
use crate::cli::{EmployeeArgs, EmployeeCommand, Whom};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::db::{Author, Employee, NewEmployee, Store};
use crate::domain::calendar::Day;
use crate::domain::ids::EmployeeRef;
use crate::exit::Exit;
use crate::render::{self, Column, Format, Grid};
use crate::site::Site;

/// Runs `twinkle employee`.
///
/// # Errors
/// If the database cannot be used, or what was asked for is not there or contradicts what is.
pub fn run(args: EmployeeArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let site = Site::choose(args.site, settings)?;
    let (mut store, days) = site.open()?;
    let now = SystemClock.now();
    let today = days.day_of(now);
    let author = Author {
        who: author::who(),
        at: now,
    };
    match args.command {
        EmployeeCommand::Add {
            name,
            twinklet,
            joined,
        } => {
            let joined = joined.map_or(today, |choice| choice.resolve(today));
            let new = NewEmployee {
                name,
                twinklet,
                joined,
            };
            let number = store.add_employee(&new, &author)?;
            let NewEmployee { name, .. } = new;
            say(format_args!(
                "added {number}: {name}, twinklet {twinklet}, joined {joined}"
            ))
        }
        EmployeeCommand::List { format } => list(&store, format, today),
        EmployeeCommand::Suspend(whom) => set_suspended(&mut store, whom, true, today, &author),
        EmployeeCommand::Resume(whom) => set_suspended(&mut store, whom, false, today, &author),
    }
}

fn set_suspended(
    store: &mut Store,
    whom: Whom,
    suspended: bool,
    today: Day,
    author: &Author,
) -> anyhow::Result<Exit> {
    let by_twinklet = whom.twinklet.map(EmployeeRef::Twinklet);
    let whom = whom
        .employee
        .or(by_twinklet)
        .context("no employee was named")?;
    let before = store.set_suspended(&whom, suspended, today, author)?;
    let Employee { number, name, .. } = &before;
    let name = render::one_line(name);
    match (before.suspended.is_some(), suspended) {
        (false, true) => say(format_args!("suspended {number}: {name}")),
        (true, false) => say(format_args!("resumed {number}: {name}")),
        (true, true) => say(format_args!("{number}: {name} was suspended already")),
        (false, false) => say(format_args!("{number}: {name} was not suspended")),
    }
}

fn list(store: &Store, format: Format, today: Day) -> anyhow::Result<Exit> {
    let grid = Grid {
        columns: vec![
            Column::number("number"),
            Column::text("name"),
            Column::number("twinklet"),
            Column::code("joined"),
            Column::code("state"),
        ],
        rows: store
            .employees(today)?
            .iter()
            .map(|employee| row(employee, today))
            .collect(),
    };
    if grid.rows.is_empty() && format == Format::Table {
        return say(format_args!(
            "no employees yet: twinkle employee add NAME --twinklet ID"
        ));
    }
    render::print_grid(&grid, format)?;
    Ok(Exit::Done)
}

fn row(employee: &Employee, today: Day) -> Vec<String> {
    let twinklets: Vec<_> = employee.twinklets.iter().map(ToString::to_string).collect();
    let state = match employee.suspended {
        Some(_) => "suspended",
        None if employee.joined > today => "to come",
        None => "active",
    };
    vec![
        employee.number.to_string(),
        employee.name.clone(),
        twinklets.join(" "),
        employee.joined.to_string(),
        state.to_owned(),
    ]
}

fn say(line: std::fmt::Arguments<'_>) -> anyhow::Result<Exit> {
    writeln!(io::stdout(), "{line}")?;
    Ok(Exit::Done)
}
