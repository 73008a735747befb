//! `twinkle employee`: an administrator's changes, made beside a running central and effective for
//! its next flash.

use std::fmt;
use std::io::{self, Write};

use anyhow::Context;

use crate::author;
use crate::cli::EmployeeArgs;
use crate::cli::employee::{ChangeArgs, EmployeeCommand, Whom};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::db::{Author, Changed, Employee, Store};
use crate::domain::calendar::{Day, DayChoice, Days};
use crate::domain::ids::EmployeeRef;
use crate::exit::Exit;
use crate::render;
use crate::site::Site;

mod add;
mod badges;
mod code;
mod depart;
mod doors;
mod edit;
mod erase;
mod export;
mod history;
pub mod import;
mod list;
mod mark;
pub mod original;
mod show;
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
        days,
        today: days.day_of(now),
        author: Author {
            who: author::who(None),
            at: now,
        },
        rehearsing: false,
    };
    match args.command {
        EmployeeCommand::Add(args) => add::run(&mut office, args)?,
        EmployeeCommand::List(args) => list::run(&office, &args)?,
        EmployeeCommand::Show(whom) => show::run(&office, whom)?,
        EmployeeCommand::History(args) => history::run(&office, args)?,
        EmployeeCommand::Edit(args) => edit::run(&mut office, args)?,
        EmployeeCommand::Depart(args) => depart::run(&mut office, args)?,
        EmployeeCommand::Mark(args) => mark::run(&mut office, args)?,
        EmployeeCommand::Code(args) => code::run(&mut office, args)?,
        EmployeeCommand::Suspend(args) => suspend::run(&mut office, args, true)?,
        EmployeeCommand::Resume(args) => suspend::run(&mut office, args, false)?,
        EmployeeCommand::Replace(args) => badges::replace(&mut office, args)?,
        EmployeeCommand::Lost(args) => badges::lost(&mut office, args)?,
        EmployeeCommand::Found(args) => badges::found(&mut office, args)?,
        EmployeeCommand::Lend(args) => badges::lend(&mut office, &args)?,
        EmployeeCommand::Grant(args) => doors::grant(&mut office, args)?,
        EmployeeCommand::Ungrant(args) => doors::ungrant(&mut office, args)?,
        EmployeeCommand::Import(args) if args.from_original => original::run(&mut office, &args)?,
        EmployeeCommand::Import(args) => import::run(&mut office, &args)?,
        EmployeeCommand::Erase(args) => erase::run(&mut office, args)?,
        EmployeeCommand::Export => export::run(&mut office)?,
    }
    if office.rehearsing {
        say(format_args!("Nothing was changed: this was a dry run."))?;
    }
    Ok(Exit::Done)
}

/// What every job works with.
struct Office {
    store: Store,
    days: Days,
    today: Day,
    author: Author,
    /// Whether changes are only tried out.
    rehearsing: bool,
}

impl Office {
    /// Prepares for a change: who makes it, and whether in earnest.
    fn prepare(&mut self, change: &ChangeArgs) {
        self.author.who = author::who(change.author.by.as_ref());
        if change.dry_run {
            self.rehearsing = true;
            self.store.rehearse();
        }
    }

    /// The day that is meant.
    fn day(&self, choice: DayChoice) -> Day {
        choice.resolve(self.today)
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

/// An employee as messages name one.
fn title(employee: &Employee) -> String {
    format!("{}: {}", employee.number, render::one_line(&employee.name))
}

/// Says what became of a change: who was changed how, then each value, the old one first.
fn say_changed(done: &str, changed: &Changed) -> io::Result<()> {
    let title = title(&changed.employee);
    if changed.changes.is_empty() {
        return say(format_args!("{title} is so already"));
    }
    say(format_args!("{done} {title}"))?;
    let width = changed.changes.iter().map(|change| change.field.len());
    let width = width.max().unwrap_or_default();
    for change in &changed.changes {
        let (old, new) = (shown(change.old.as_deref()), shown(change.new.as_deref()));
        say(format_args!("  {:width$}  {old} -> {new}", change.field))?;
    }
    Ok(())
}

/// A value of a change, on one line; a dash for none.
fn shown(value: Option<&str>) -> String {
    value.map_or("-".to_owned(), |value| render::one_line(value).into_owned())
}
