//! Registers as CSV: a row for each employee of a month with a column for each day; a row for each
//! employee and month where there are several; a row for each employee and day with the hours.

use std::io::{self, Write};

use crate::domain::attendance::{Register, Row};
use crate::render::csv::{safe_cell, writer};
use crate::render::register::{Page, Report};

/// Writes a report.
///
/// # Errors
/// Those of writing.
pub(super) fn write(report: &Report, to: impl Write) -> io::Result<()> {
    match &report.pages[..] {
        _ if report.hours => by_day(report, to),
        [Page { register, .. }] if report.employee.is_none() => of_month(register, to),
        _ => by_month(report, to),
    }
}

fn of_month(register: &Register, to: impl Write) -> io::Result<()> {
    let mut writer = writer(to);
    let days = register.days.iter().map(|column| column.day.to_string());
    let headings = ["number", "name"].map(String::from).into_iter().chain(days);
    writer.write_record(headings.chain(totals_of(register.has_leave())))?;
    let leave = register.has_leave();
    for row in &register.rows {
        writer.write_field(row.number.to_string())?;
        writer.write_field(&*safe_cell(&row.name))?;
        for cell in &row.cells {
            match cell.corrected {
                true => writer.write_field(cell.to_string())?,
                false => writer.write_field(cell.mark.symbol())?,
            }
        }
        writer.write_record(totals(row, leave))?;
    }
    writer.flush()
}

fn by_month(report: &Report, to: impl Write) -> io::Result<()> {
    let mut writer = writer(to);
    let leave = report.pages.iter().any(|page| page.register.has_leave());
    let days = (1..=31).map(|day| day.to_string());
    let headings = ["month", "number", "name"]
        .map(String::from)
        .into_iter()
        .chain(days);
    writer.write_record(headings.chain(totals_of(leave)))?;
    for Page { register, .. } in &report.pages {
        let days = register.days.first().zip(register.days.last());
        let Some((first, last)) = days else { continue };
        let day =
            |column: &crate::domain::attendance::DayColumn| chrono::Datelike::day(&column.day);
        for row in &register.rows {
            writer.write_field(register.month.first().format("%Y-%m").to_string())?;
            writer.write_field(row.number.to_string())?;
            writer.write_field(&*safe_cell(&row.name))?;
            let before = (1..day(first)).map(|_| String::new());
            let after = (day(last)..31).map(|_| String::new());
            let cells = row.cells.iter().map(ToString::to_string);
            for cell in before.chain(cells).chain(after) {
                writer.write_field(cell)?;
            }
            writer.write_record(totals(row, leave))?;
        }
    }
    writer.flush()
}

fn by_day(report: &Report, to: impl Write) -> io::Result<()> {
    let mut writer = writer(to);
    writer.write_record(["day", "number", "name", "mark", "first", "last", "hours"])?;
    let time = |at| {
        report
            .days
            .local(at)
            .format("%Y-%m-%dT%H:%M:%S%:z")
            .to_string()
    };
    for Page { register, .. } in &report.pages {
        for row in &register.rows {
            for (column, cell) in register.days.iter().zip(&row.cells) {
                let seen = row.times.get(&column.day);
                let minutes = seen.and_then(|seen| seen.minutes());
                writer.write_record([
                    column.day.to_string(),
                    row.number.to_string(),
                    safe_cell(&row.name).into_owned(),
                    cell.to_string(),
                    seen.and_then(|seen| seen.first)
                        .map(time)
                        .unwrap_or_default(),
                    seen.map(|seen| time(seen.last)).unwrap_or_default(),
                    minutes.map(super::hours).unwrap_or_default(),
                ])?;
            }
        }
    }
    writer.flush()
}

fn totals_of(leave: bool) -> impl Iterator<Item = String> {
    let leave = leave.then(|| "L".to_owned());
    ["TD", "WO"].map(String::from).into_iter().chain(leave)
}

fn totals(row: &Row, leave: bool) -> impl Iterator<Item = String> {
    let leave = leave.then(|| row.leave.to_string());
    [row.total_days.to_string(), row.work_off.to_string()]
        .into_iter()
        .chain(leave)
}
