//! `twinkle report delays`: how long doors wait for their answers.

use std::io::{self, Write};

use chrono::DateTime;
use chrono_tz::Tz;

use crate::cli::delays::{DelaysArgs, DelaysFormat};
use crate::clock::{Clock, SystemClock};
use crate::db::{DelayFilter, DelayRow, Store};
use crate::domain::calendar::Days;
use crate::domain::delays::{Figures, Gathering, Overview};
use crate::exit::Usage;
use crate::render::bar::bar;
use crate::render::delays::picture;
use crate::render::list::List;
use crate::render::page::Page;
use crate::render::{Column, Grid, ListFormat};
use crate::roles::report::output;

/// The width of the longest bar, in characters.
const BAR: usize = 30;

/// Shows the delays that are asked for.
pub(super) fn run(store: &Store, args: &DelaysArgs, days: Days) -> anyhow::Result<()> {
    let format = format(args)?;
    if let Some(door) = &args.door {
        store.door(door.as_str())?;
    }
    let today = days.day_of(SystemClock.now());
    let from = args
        .on
        .or(args.from)
        .map_or(today, |day| day.resolve(today));
    let to = args.on.or(args.to).map_or(today, |day| day.resolve(today));
    if from > to {
        return Err(Usage(format!("--from {from} is after --to {to}")).into());
    }
    let filter = DelayFilter {
        from: days.start_of(from),
        until: days.end_of(to),
        door: args.door.clone(),
        relay: args.relay.clone(),
    };
    match format {
        DelaysFormat::Csv => return each(store, &filter, ListFormat::Csv, days),
        DelaysFormat::Json => return each(store, &filter, ListFormat::Json, days),
        DelaysFormat::Table | DelaysFormat::Svg => (),
    }
    let mut gathering = Gathering::of(filter.from, filter.until);
    store.delays(&filter, |delay| -> anyhow::Result<()> {
        gathering.add(delay.at, delay.door, delay.relay, delay.us);
        Ok(())
    })?;
    let overview = gathering.finish();
    let title = match from == to {
        true => format!("Delays of {from}"),
        false => format!("Delays from {from} to {to}"),
    };
    match (format, &args.output) {
        (DelaysFormat::Svg, Some(path)) => {
            let picture = picture(&title, &overview, days)?;
            output::to_file(path, |to| to.write_all(picture.as_bytes()))?;
        }
        (DelaysFormat::Svg, None) => {
            io::stdout().write_all(picture(&title, &overview, days)?.as_bytes())?;
        }
        _ => io::stdout().write_all(page(&title, &overview, days).as_bytes())?,
    }
    Ok(())
}

/// What is asked for: `-o` is for a picture, the rest goes to standard output.
fn format(args: &DelaysArgs) -> anyhow::Result<DelaysFormat> {
    match (args.format, &args.output) {
        (None, None) => Ok(DelaysFormat::Table),
        (Some(format), None) => Ok(format),
        (None | Some(DelaysFormat::Svg), Some(path))
            if path
                .extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("svg")) =>
        {
            Ok(DelaysFormat::Svg)
        }
        (Some(DelaysFormat::Svg), Some(_)) => Ok(DelaysFormat::Svg),
        (_, Some(_)) => {
            let what = "-o is for a picture, as in -o delays.svg; the other formats go to standard \
                        output";
            Err(Usage(what.to_owned()).into())
        }
    }
}

/// Lists each delay.
fn each(store: &Store, filter: &DelayFilter, format: ListFormat, days: Days) -> anyhow::Result<()> {
    let columns = vec![
        Column::code("time"),
        Column::text("door"),
        Column::text("relay"),
        Column::number("us"),
    ];
    let mut list = List::begin(columns, format)?;
    store.delays(filter, |delay: DelayRow| -> anyhow::Result<()> {
        let time = days.local(delay.at).format("%Y-%m-%dT%H:%M:%S%.3f%:z");
        let us = delay.us.to_string();
        Ok(list.row(vec![time.to_string(), delay.door, delay.relay, us])?)
    })?;
    list.end("")?;
    Ok(())
}

fn page(title: &str, overview: &Overview, days: Days) -> String {
    let mut page = Page::new(title);
    let Some(all) = &overview.all else {
        page.say(
            "None",
            &["no relay has told of a flash in that time; one tells every 10 s".to_owned()],
        );
        return page.into_text();
    };
    page.list("In ms", &doors(overview, all));
    page.list("How they are spread", &spread(overview));
    page.list("Over time, in ms", &over_time(overview, days));
    page.into_text()
}

fn doors(overview: &Overview, all: &Figures) -> Grid {
    let row = |door: &str, relay: &str, figures: &Figures| {
        let mut row = vec![door.to_owned(), relay.to_owned(), figures.count.to_string()];
        let mean = format!("{:.2}", figures.mean / 1e3);
        row.push(ms(figures.least));
        row.push(mean);
        row.extend([figures.p50, figures.p95, figures.p99, figures.most].map(ms));
        row
    };
    let each = overview.doors.iter();
    let each = each.map(|((door, relay), figures)| row(door, relay, figures));
    let mut rows: Vec<_> = each.collect();
    if rows.len() > 1 {
        rows.push(row("all", "", all));
    }
    let numbers = ["flashes", "min", "mean", "p50", "p95", "p99", "max"];
    Grid {
        columns: [Column::text("door"), Column::text("relay")]
            .into_iter()
            .chain(numbers.map(Column::number))
            .collect(),
        rows,
    }
}

fn spread(overview: &Overview) -> Grid {
    let most = overview.spread.iter().map(|(_, count)| *count).max();
    let rows = overview.spread.iter().map(|&(length, count)| {
        vec![
            length_in_words(length),
            count.to_string(),
            bar(count as f64, most.unwrap_or_default() as f64, BAR),
        ]
    });
    Grid {
        columns: vec![
            Column::number("up to"),
            Column::number("flashes"),
            Column::code(""),
        ],
        rows: rows.collect(),
    }
}

fn over_time(overview: &Overview, days: Days) -> Grid {
    let medians = overview.over_time.iter().map(|(_, figures)| figures.p50);
    let most = medians.max().unwrap_or_default();
    let rows = overview.over_time.iter().map(|(begin, figures)| {
        vec![
            when(days.local(*begin)),
            figures.count.to_string(),
            ms(figures.p50),
            ms(figures.p99),
            ms(figures.most),
            bar(f64::from(figures.p50), f64::from(most), BAR),
        ]
    });
    Grid {
        columns: vec![
            Column::code("from"),
            Column::number("flashes"),
            Column::number("p50"),
            Column::number("p99"),
            Column::number("max"),
            Column::code("p50"),
        ],
        rows: rows.collect(),
    }
}

fn when(time: DateTime<Tz>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

/// In ms, to a hundredth.
fn ms(us: u32) -> String {
    format!("{:.2}", f64::from(us) / 1e3)
}

/// As in `500 us`, `2 ms`, `10 s`.
fn length_in_words(us: u32) -> String {
    match us {
        u32::MAX => "longer".to_owned(),
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{} s", us / 1_000_000),
    }
}
