//! `twinkle report events`: the flashes as they are stored.

use std::io::{self, Write};

use crate::db::{EventRow, Store};
use crate::domain::calendar::Days;
use crate::render::{self, Column, Format, Grid};

/// Prints the last events, newest last.
pub(super) fn run(store: &Store, last: u32, format: Format, days: Days) -> anyhow::Result<()> {
    let events = store.last_events(last)?;
    let grid = Grid {
        columns: vec![
            Column::code("time"),
            Column::text("door"),
            Column::text("relay"),
            Column::number("twinklet"),
            Column::number("number"),
            Column::text("employee"),
            Column::code("verdict"),
        ],
        rows: events
            .into_iter()
            .map(|event| row(event, format, days))
            .collect(),
    };
    if grid.rows.is_empty() && format == Format::Table {
        writeln!(
            io::stdout(),
            "no events yet: nobody has flashed a badge at a door"
        )?;
        return Ok(());
    }
    render::print_grid(&grid, format)?;
    Ok(())
}

fn row(event: EventRow, format: Format, days: Days) -> Vec<String> {
    let time = days.local(event.at);
    let time = match format {
        Format::Table => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        Format::Csv => time.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
    };
    let or_dash = |text: Option<String>| match format {
        Format::Table => text.unwrap_or_else(|| "-".to_owned()),
        Format::Csv => text.unwrap_or_default(),
    };
    let (number, name) = event.employee.unzip();
    let verdict = match (event.verdict.code(), event.delivered) {
        (verdict, true) => verdict.to_owned(),
        (verdict, false) => format!("{verdict}, undelivered"),
    };
    vec![
        time,
        or_dash(event.door),
        or_dash(event.relay),
        or_dash(event.twinklet.map(|id| id.to_string())),
        or_dash(number.map(|number| number.to_string())),
        or_dash(name),
        verdict,
    ]
}
