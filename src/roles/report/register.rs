//! `twinkle report --month` and `--from … --to …`: the register.

use chrono::{DateTime, Utc};

use crate::author;
use crate::cli::ReportArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::{Asked, Author, Facts, Store};
use crate::domain::attendance::sheet::Sheet;
use crate::domain::attendance::{Register, Source};
use crate::domain::calendar::{Calendar, Day, DayChoice, Days, Month};
use crate::exit::Usage;
use crate::render::register::{Page, Report, plain};
use crate::roles::report::{closing, output};

/// The most months of one report: more is a slip in a year.
const MOST_MONTHS: usize = 240;

/// As of when, and by which calendar, registers are derived.
pub(super) struct Moment {
    now: DateTime<Utc>,
    calendar: Calendar,
    pub(super) today: Day,
}

impl Moment {
    fn at(now: DateTime<Utc>, calendar: Calendar) -> Self {
        Self {
            now,
            today: calendar.general.days.day_of(now),
            calendar,
        }
    }

    /// The page of these days of one month: as it was signed, if it was.
    fn page(
        &self,
        store: &mut Store,
        (first, last): (Day, Day),
        asked: Asked<'_>,
        sheet: &Sheet,
        days: Days,
    ) -> anyhow::Result<Page> {
        match store.closed_month(Month::of(first))? {
            Some(closed) => closing::page(store, closed, self, asked, (first, last), days),
            None => Ok(Page {
                register: self.derive(store, first, last, asked)?,
                sheet: sheet.clone(),
                signed: None,
            }),
        }
    }

    /// The register of these days of one month.
    pub(super) fn derive(
        &self,
        store: &mut Store,
        first: Day,
        last: Day,
        asked: Asked<'_>,
    ) -> anyhow::Result<Register> {
        derive(store, &self.calendar, (first, last), self.now, asked)
    }
}

/// Prints the register that is asked for, or closes or reopens its month.
pub(super) fn run(
    store: &mut Store,
    args: &ReportArgs,
    days: Days,
    sheet: &Sheet,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let moment = Moment::at(now, store.calendar()?);
    let today = moment.today;
    let (first, last) = span(args, today)?;
    let author = || Author {
        who: author::who(args.author.by.as_ref()),
        at: now,
    };
    if args.reopen {
        return closing::reopen(store, Month::of(first), args.reason.as_ref(), &author());
    }
    if args.close {
        closing::close(store, Month::of(first), &moment, sheet, &author())?;
    }
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
        let page = moment.page(store, (first, last), asked, sheet, days)?;
        pages.push(page);
    }
    let report = Report {
        pages,
        employee: employee.map(|employee| (employee.number, employee.name)),
        hours: args.hours,
        days,
    };
    let format = output::format(args.format, args.output.as_deref());
    let whole = args.month.is_some() && args.employee.is_none() && args.department.is_none();
    let place = |named| output::place(named, whole.then_some(Month::of(first)), format);
    let file = args.output.clone().map(place).transpose()?;
    output::put(&report, format, file.as_deref())
}

/// A month's register as a table, as wide as the terminal and without colours.
pub(super) fn text(
    store: &mut Store,
    month: Month,
    days: Days,
    sheet: &Sheet,
) -> anyhow::Result<String> {
    let now = SystemClock.now();
    let moment = Moment::at(now, store.calendar()?);
    let page = moment.page(
        store,
        (month.first(), month.last()),
        Asked::default(),
        sheet,
        days,
    )?;
    let report = Report {
        pages: vec![page],
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

/// The days that are asked for.
fn span(args: &ReportArgs, today: Day) -> anyhow::Result<(Day, Day)> {
    if let Some(month) = args.month {
        let month = month.resolve(today);
        return Ok((month.first(), month.last()));
    }
    let from = args.from.unwrap_or(DayChoice::Today).resolve(today);
    let to = args.to.map_or(today, |to| to.resolve(today));
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
