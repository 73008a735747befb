//! `twinkle report --month` and `--from … --to …`: the register.

use std::io::{self, IsTerminal};

use chrono::{DateTime, Utc};

use crate::cli::ReportArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::{Asked, Facts, Store};
use crate::domain::attendance::sheet::Sheet;
use crate::domain::attendance::{Register, Source};
use crate::domain::calendar::{Calendar, Day, Days, Month};
use crate::exit::Usage;
use crate::render::register::{Page, Report, plain, write};

/// The most months of one report: more is a slip in a year.
const MOST_MONTHS: usize = 240;

/// Prints the register that is asked for.
pub(super) fn run(
    store: &mut Store,
    args: &ReportArgs,
    days: Days,
    sheet: &Sheet,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let calendar = store.calendar()?;
    let today = calendar.general.days.day_of(now);
    let (first, last) = span(args, today)?;
    let employee = match &args.employee {
        Some(whom) => Some(store.employee(whom, today)?),
        None => None,
    };
    let department = args.department.as_ref().map(ToString::to_string);
    let asked = Asked {
        employee: employee.as_ref().map(|employee| employee.number),
        department: department.as_deref(),
        times: args.hours,
    };
    let mut pages = Vec::new();
    for (first, last) in months(first, last)? {
        let register = derive(store, &calendar, (first, last), now, asked)?;
        pages.push(page(register, sheet));
    }
    let report = Report {
        pages,
        employee: employee.map(|employee| (employee.number, employee.name)),
        hours: args.hours,
        days,
    };
    let mut out = io::stdout().lock();
    let terminal = out.is_terminal();
    write(&report, args.format, &mut out, terminal)?;
    Ok(())
}

/// A month's register as a table, as wide as the terminal and without colours.
pub(super) fn text(
    store: &mut Store,
    month: Month,
    days: Days,
    sheet: &Sheet,
) -> anyhow::Result<String> {
    let calendar = store.calendar()?;
    let (span, now) = ((month.first(), month.last()), SystemClock.now());
    let register = derive(store, &calendar, span, now, Asked::default())?;
    let report = Report {
        pages: vec![page(register, sheet)],
        employee: None,
        hours: false,
        days,
    };
    Ok(plain(&report))
}

/// The register of these days, which are of one month.
pub(super) fn derive(
    store: &mut Store,
    calendar: &Calendar,
    (first, last): (Day, Day),
    now: DateTime<Utc>,
    asked: Asked<'_>,
) -> anyhow::Result<Register> {
    let Facts {
        people,
        anybody,
        unreported,
    } = store.facts(first, last, asked)?;
    let source = Source {
        first,
        last,
        now,
        calendar,
        anybody,
        unreported: &unreported,
    };
    Ok(Register::derive(&source, people))
}

fn page(register: Register, sheet: &Sheet) -> Page {
    Page {
        register,
        sheet: sheet.clone(),
        signed: None,
    }
}

/// The days that are asked for.
fn span(args: &ReportArgs, today: Day) -> anyhow::Result<(Day, Day)> {
    if let Some(month) = args.month {
        let month = month.resolve(today);
        return Ok((month.first(), month.last()));
    }
    let (from, to) = (
        args.from
            .unwrap_or(crate::domain::calendar::DayChoice::Today),
        args.to,
    );
    let from = from.resolve(today);
    let to = to.map_or(today, |to| to.resolve(today));
    match from <= to {
        true => Ok((from, to)),
        false => Err(Usage(format!("--from {from} is after --to {to}")).into()),
    }
}

/// The months of these days, each with the first and the last of them.
fn months(first: Day, last: Day) -> anyhow::Result<Vec<(Day, Day)>> {
    let mut months = Vec::new();
    let mut from = first;
    while from <= last {
        let end = Month::of(from).last();
        months.push((from, end.min(last)));
        let Some(next) = end.succ_opt() else { break };
        from = next;
    }
    match months.len() <= MOST_MONTHS {
        true => Ok(months),
        false => Err(Usage(format!(
            "from {first} to {last} are {} months; at most {MOST_MONTHS} are printed",
            months.len()
        ))
        .into()),
    }
}
