//! `twinkle report events`: the flashes, and what else happened at doors, as they are stored.

use crate::cli::EventsArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::{EventRow, Store};
use crate::domain::calendar::{Day, DayChoice, Days};
use crate::domain::event_filter::EventFilter;
use crate::exit::Usage;
use crate::render::list::List;
use crate::render::{Column, ListFormat};

/// How many are printed where nobody says which days or how many.
const USUALLY: u32 = 20;

/// Prints the events that are asked for, newest last.
pub(super) fn run(store: &Store, args: EventsArgs, days: Days) -> anyhow::Result<()> {
    let today = days.day_of(SystemClock.now());
    let (from, to) = span(&args, today)?;
    let last = match args.last {
        None if from.is_none() && to.is_none() => Some(USUALLY),
        last => last,
    };
    let employee = match &args.employee {
        Some(whom) => Some(store.employee(whom, today)?.number),
        None => None,
    };
    if let Some(door) = &args.door {
        store.door(door.as_str())?;
    }
    let filter = EventFilter {
        employee,
        twinklet: args.twinklet,
        door: args.door,
        ending: args.verdict,
        reason: args.reason,
        from,
        to,
    };
    let columns = vec![
        Column::code("time"),
        Column::text("door"),
        Column::text("relay"),
        Column::number("twinklet"),
        Column::number("number"),
        Column::text("employee"),
        Column::code("what"),
    ];
    let mut list = List::begin(columns, args.format)?;
    store.events(&filter, last, |event| -> anyhow::Result<()> {
        Ok(list.row(row(event, args.format, days))?)
    })?;
    list.end(match filter == EventFilter::default() {
        true => "no events yet: nobody has flashed a badge at a door",
        false => "no such events",
    })?;
    Ok(())
}

/// The first and the last of the days asked for.
fn span(args: &EventsArgs, today: Day) -> anyhow::Result<(Option<Day>, Option<Day>)> {
    let resolve = |choice: Option<DayChoice>| choice.map(|choice| choice.resolve(today));
    match (resolve(args.on.or(args.from)), resolve(args.on.or(args.to))) {
        (Some(from), Some(to)) if from > to => {
            Err(Usage(format!("--from {from} is after --to {to}")).into())
        }
        span => Ok(span),
    }
}

fn row(event: EventRow, format: ListFormat, days: Days) -> Vec<String> {
    let time = days.local(event.at);
    let time = match format {
        ListFormat::Table => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        ListFormat::Csv | ListFormat::Json => time.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
    };
    let what = event.in_words();
    let (number, name) = event.employee.unzip();
    let text = |number: Option<String>| number.unwrap_or_default();
    vec![
        time,
        text(event.door),
        text(event.relay),
        text(event.twinklet.map(|id| id.to_string())),
        text(number.map(|number| number.to_string())),
        text(name),
        what,
    ]
}
