//! `twinkle central calendar`: the calendar by which flashes and reports go, and taking over what
//! the configuration says, beside a running central.

use std::io::{self, Write};

use anyhow::Context;
use chrono::Datelike;

use crate::author;
use crate::cli::CalendarArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::Author;
use crate::domain::calendar::{Calendar, Rules};
use crate::exit::{Exit, Usage};
use crate::render::{self, Column, Format, Grid};
use crate::site::Site;

/// Runs it.
pub(super) fn run(site: &Site, args: &CalendarArgs) -> anyhow::Result<Exit> {
    let (mut store, days) = site.open()?;
    let now = SystemClock.now();
    let before = store.calendar()?;
    if args.load {
        if !site.says_calendar() {
            let nothing = "the configuration has no [calendar], and no flag says anything";
            return Err(Usage(nothing.to_owned()).into());
        }
        let calendar = site
            .calendar(&before)
            .context("the calendar stays as it was")?;
        let author = Author {
            who: author::who(args.author.by.as_ref()),
            at: now,
        };
        let changes = store.set_calendar(&calendar, &author)?;
        let mut out = io::stdout().lock();
        if changes.is_empty() {
            writeln!(out, "the calendar is so already")?;
        }
        for change in changes {
            writeln!(out, "{change}")?;
        }
        return Ok(Exit::Done);
    }
    let year = args.year.unwrap_or_else(|| days.day_of(now).year());
    if args.format == Format::Table {
        let mut out = io::stdout().lock();
        say_rules(&mut out, "", &before.general)?;
        for (name, rules) in &before.departments {
            say_rules(&mut out, &format!("department {name}: "), rules)?;
        }
        writeln!(out)?;
        if site.calendar(&before).is_ok_and(|wanted| wanted != before) {
            writeln!(
                io::stderr(),
                "the configuration says otherwise: --load takes that over"
            )?;
        }
    }
    let holidays = holidays(&before, year);
    if holidays.rows.is_empty() && args.format == Format::Table {
        writeln!(io::stdout(), "no holidays in {year}")?;
        return Ok(Exit::Done);
    }
    render::print_grid(&holidays, args.format)?;
    Ok(Exit::Done)
}

fn say_rules(out: &mut impl Write, of: &str, rules: &Rules) -> io::Result<()> {
    let only = if rules.common_holidays {
        ""
    } else {
        ", holidays of its own only"
    };
    writeln!(
        out,
        "{of}days {}, weekly off {}{only}",
        rules.days, rules.weekly_off
    )
}

fn holidays(calendar: &Calendar, year: i32) -> Grid {
    let departments = calendar
        .departments
        .iter()
        .map(|(name, rules)| (name.as_str(), rules));
    let all = [("", &calendar.general)].into_iter().chain(departments);
    let mut rows: Vec<_> = all
        .flat_map(|(department, rules)| {
            let of_year = rules
                .holidays
                .iter()
                .filter(|holiday| holiday.day.year() == year);
            of_year.map(move |holiday| {
                let weekday = holiday.day.format("%A").to_string();
                vec![
                    holiday.day.to_string(),
                    weekday,
                    holiday.name.clone(),
                    department.to_owned(),
                ]
            })
        })
        .collect();
    rows.sort();
    let holiday = Column::text("holiday");
    Grid {
        columns: vec![
            Column::code("day"),
            Column::code("weekday"),
            holiday,
            Column::text("department"),
        ],
        rows,
    }
}
