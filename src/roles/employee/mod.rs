//! `twinkle employee`: an administrator's changes, made beside a running central and effective for
//! its next flash.

use std::fmt;
use std::io::{self, Write};

use anyhow::Context;

use crate::author;
use crate::cli::EmployeeArgs;
use crate::cli::employee::{EmployeeCommand, Whom};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::db::{Author, Changed, Edit, Store};
use crate::domain::calendar::Day;
use crate::domain::ids::EmployeeRef;
use crate::exit::Exit;
use crate::render;
use crate::site::Site;

mod add;
mod depart;
mod edit;
mod list;
mod suspend;

/// Runs `twinkle employee`.
///
/// # Errors
/// If the database cannot be used, or what was asked for is not there or contradicts what is.
pub fn run(args: EmployeeArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let site = Site::choose(args.site, settings)?;
    let (store, days) = site.open()?;
    let now = SystemClock.now();
    let mut office = Office {
        store,
        today: days.day_of(now),
        author: Author {
            who: author::who(args.author.by.as_ref()),
            at: now,
        },
    };
    match args.command {
        EmployeeCommand::Add(args) => add::run(&mut office, args)?,
        EmployeeCommand::List(args) => list::run(&office, &args)?,
        EmployeeCommand::Edit(args) => edit::run(&mut office, args)?,
        EmployeeCommand::Depart(args) => depart::run(&mut office, args)?,
        EmployeeCommand::Suspend(whom) => suspend::run(&mut office, whom, true)?,
        EmployeeCommand::Resume(whom) => suspend::run(&mut office, whom, false)?,
    }
    Ok(Exit::Done)
}

/// What every job works with.
struct Office {
    store: Store,
    today: Day,
    author: Author,
}

impl Office {
    /// Changes what is known about an employee.
    fn edit(&mut self, whom: Whom, edit: &Edit, action: &str) -> anyhow::Result<Changed> {
        let whom = meant(whom)?;
        Ok(self
            .store
            .edit_employee(&whom, edit, action, self.today, &self.author)?)
    }
}

/// The employee that the command line means.
fn meant(whom: Whom) -> anyhow::Result<EmployeeRef> {
    let by_twinklet = whom.twinklet.map(EmployeeRef::Twinklet);
    whom.employee
        .or(by_twinklet)
        .context("no employee was named")
}

fn say(line: fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Says what became of a change: who was changed how, then each value, the old one first.
fn say_changed(done: &str, changed: &Changed) -> io::Result<()> {
    let (number, name) = (changed.employee.number, &changed.employee.name);
    let name = render::one_line(name);
    if changed.changes.is_empty() {
        return say(format_args!("{number}: {name} is so already"));
    }
    say(format_args!("{done} {number}: {name}"))?;
    let width = changed.changes.iter().map(|change| change.field.len());
    let width = width.max().unwrap_or_default();
    for change in &changed.changes {
        let value = |value: &Option<String>| match value {
            Some(value) => render::one_line(value).into_owned(),
            None => "-".to_owned(),
        };
        let (old, new) = (value(&change.old), value(&change.new));
        say(format_args!("  {:width$}  {old} -> {new}", change.field))?;
    }
    Ok(())
}
