//! The table of a sheet: its headings and lines.

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{Format, FormatAlign, Worksheet, XlsxError};

use crate::domain::attendance::HalfDays;
use crate::render::one_line;
use crate::render::register::chart::{Chart, ChartCell, Line};
use crate::render::register::xlsx::{Layout, bordered, fill, totals_of, value};
use crate::render::register::{Report, hours};

/// Writes the headings.
pub(super) fn header(
    sheet: &mut Worksheet,
    row: u32,
    chart: &Chart<'_>,
    layout: &Layout<'_>,
) -> Result<(), XlsxError> {
    let heading = bordered()
        .set_bold()
        .set_font_size(12)
        .set_align(FormatAlign::Center);
    let corner = match chart.employee {
        Some(_) => &chart.sheet.months,
        None => &chart.sheet.names,
    };
    let text = |column: &&crate::domain::attendance::sheet::ExtraColumn| {
        one_line(&column.heading).into_owned()
    };
    let mut at = 0;
    let mut write = |text: String| {
        let written = sheet
            .write_string_with_format(row, at, text, &heading)
            .map(drop);
        at += 1;
        written
    };
    layout.first.iter().map(text).try_for_each(&mut write)?;
    write(one_line(corner).into_owned())?;
    layout.before.iter().map(text).try_for_each(&mut write)?;
    chart
        .days
        .iter()
        .map(|day| day.number.to_string())
        .try_for_each(&mut write)?;
    totals_of(chart)
        .into_iter()
        .map(String::from)
        .try_for_each(&mut write)?;
    layout.after.iter().map(text).try_for_each(&mut write)
}

/// Writes a line; returns the row after it.
pub(super) fn line(
    sheet: &mut Worksheet,
    row: u32,
    serial: usize,
    line: &Line,
    chart: &Chart<'_>,
    layout: &Layout<'_>,
    report: &Report,
) -> Result<u32, XlsxError> {
    let centred = bordered().set_align(FormatAlign::Center).set_shrink();
    let plain = bordered();
    let after = layout.totals + super::count(totals_of(chart).len());
    let extra = layout.first.iter().zip(0..);
    let extra = extra.chain(layout.before.iter().zip(layout.name + 1..));
    for (column, at) in extra.chain(layout.after.iter().zip(after..)) {
        sheet.write_string_with_format(row, at, value(column, line, serial), &plain)?;
    }
    sheet.write_string_with_format(row, layout.name, &line.label, &centred)?;
    for (cell, at) in line.cells.iter().zip(layout.days..) {
        match cell {
            Some(cell) => mark(sheet, row, at, cell, &centred)?,
            None => sheet.write_blank(row, at, &centred).map(drop)?,
        }
    }
    let number = |halves: HalfDays| halves.days();
    let totals = [number(line.work_off), number(line.total_days)];
    let leave = chart.leave.then_some(f64::from(line.leave));
    let mut at = layout.totals;
    for total in totals.into_iter().chain(leave) {
        sheet.write_number_with_format(row, at, total, &centred)?;
        at += 1;
    }
    if !chart.hours {
        return Ok(row + 1);
    }
    sheet.write_string_with_format(row, at, hours(line.minutes()), &centred)?;
    times(sheet, row + 1, line, layout, report, &centred)
}

/// Writes a day's mark: a day off that nobody worked on is blank and filled.
fn mark(
    sheet: &mut Worksheet,
    row: u32,
    at: u16,
    cell: &ChartCell,
    format: &Format,
) -> Result<(), XlsxError> {
    match fill(cell.cell.mark) {
        Some(colour) => sheet.write_blank(row, at, &format.clone().set_background_color(colour))?,
        None => sheet.write_string_with_format(row, at, cell.cell.to_string(), format)?,
    };
    Ok(())
}

/// Writes when the employee was seen, below the marks; returns the row after it.
fn times(
    sheet: &mut Worksheet,
    row: u32,
    line: &Line,
    layout: &Layout<'_>,
    report: &Report,
    format: &Format,
) -> Result<u32, XlsxError> {
    let time = |at: DateTime<Utc>| report.days.local(at).format("%H:%M").to_string();
    for (text, row) in ["in", "last", "hours"].into_iter().zip(row..) {
        sheet.write_string_with_format(row, layout.name, text, format)?;
        for (cell, at) in line.cells.iter().zip(layout.days..) {
            let seen = cell.as_ref().and_then(|cell| cell.seen);
            let shown = seen.and_then(|seen| match text {
                "in" => seen.first.map(time),
                "last" => Some(time(seen.last)),
                _ => seen.minutes().map(hours),
            });
            sheet.write_string_with_format(row, at, shown.unwrap_or_default(), format)?;
        }
    }
    Ok(row + 3)
}
