//! Registers as the office's own sheet: to be printed, signed and kept.

use std::io;

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::domain::attendance::Mark;
use crate::domain::attendance::sheet::{ExtraColumn, Paper, Place, Shows, short};
use crate::render::one_line;
use crate::render::register::chart::{Chart, Line, charts};
use crate::render::register::{Page, Report, notes};

mod legend;
mod lines;

/// The sheet's colours.
const RED: u32 = 0x00FF_0000;
const BLUE: u32 = 0x0000_00FF;
/// The width of a day, of a day with times, and of a total, in characters.
const DAY_WIDTH: f64 = 3.0;
const TIME_WIDTH: f64 = 5.5;
const TOTAL_WIDTH: f64 = 4.5;
/// The least width of the names.
const NAME_WIDTH: usize = 17;
/// How many rows are left for signatures.
const SIGNATURE_ROWS: u32 = 5;

/// A report as a workbook: a sheet for each month, or one for an employee's months.
///
/// # Errors
/// If a workbook cannot hold it.
pub(super) fn workbook(report: &Report) -> io::Result<Vec<u8>> {
    let mut book = Workbook::new();
    let pages = report.pages.iter().map(std::slice::from_ref);
    let all = match report.employee {
        Some(_) => vec![&report.pages[..]],
        None => pages.collect(),
    };
    for (chart, pages) in charts(report).iter().zip(all) {
        sheet(book.add_worksheet(), chart, pages, report).map_err(io::Error::other)?;
    }
    book.save_to_buffer().map_err(io::Error::other)
}

/// Where things stand on a sheet.
struct Layout<'a> {
    first: Vec<&'a ExtraColumn>,
    before: Vec<&'a ExtraColumn>,
    after: Vec<&'a ExtraColumn>,
    /// The columns of the name, of the first day, of the first total, and of the last of all.
    name: u16,
    days: u16,
    totals: u16,
    last: u16,
}

impl<'a> Layout<'a> {
    fn of(chart: &Chart<'a>) -> Self {
        let at = |place| -> Vec<&ExtraColumn> {
            let columns = chart.sheet.columns.iter();
            columns.filter(|column| column.place == place).collect()
        };
        let (first, before, after) = (at(Place::First), at(Place::Before), at(Place::After));
        let name = count(first.len());
        let days = name + 1 + count(before.len());
        let totals = days + count(chart.days.len());
        let last = totals + count(totals_of(chart).len() + after.len()) - 1;
        Self {
            first,
            before,
            after,
            name,
            days,
            totals,
            last,
        }
    }
}

/// A number of columns; no sheet has as many as would not fit.
fn count(columns: usize) -> u16 {
    u16::try_from(columns).unwrap_or(u16::MAX / 4)
}

/// The totals, in the order of the office's sheet.
fn totals_of(chart: &Chart<'_>) -> Vec<&'static str> {
    let leave = chart.leave.then_some("L");
    let hours = chart.hours.then_some("hours");
    ["WO", "TD"].into_iter().chain(leave).chain(hours).collect()
}

fn sheet(
    sheet: &mut Worksheet,
    chart: &Chart<'_>,
    pages: &[Page],
    report: &Report,
) -> Result<(), XlsxError> {
    let layout = Layout::of(chart);
    if let (Some(first), Some(last)) = (pages.first(), pages.last()) {
        let (first, last) = (short(first.register.month), short(last.register.month));
        let name = if first == last {
            first
        } else {
            format!("{first} - {last}")
        };
        sheet.set_name(name)?;
    }
    let header = titles(sheet, chart, &layout)?;
    lines::header(sheet, header, chart, &layout)?;
    let mut row = header + 1;
    for (line, serial) in chart.lines.iter().zip(1..) {
        row = lines::line(sheet, row, serial, line, chart, &layout, report)?;
    }
    row = legend::write(sheet, row + 2, chart, &layout)?;
    let bold = Format::new().set_bold().set_font_size(11);
    for footer in &chart.sheet.footers {
        row += 1;
        sheet.write_string_with_format(row, layout.days, one_line(footer), &bold)?;
    }
    let small = Format::new().set_font_size(9);
    row += 1;
    for note in pages
        .iter()
        .flat_map(|page| notes::lines(page, report.days))
    {
        row += 1;
        sheet.write_string_with_format(row, layout.name, note, &small)?;
    }
    row += SIGNATURE_ROWS;
    let signatures = &chart.sheet.signatures;
    for (text, at) in signatures
        .iter()
        .zip(spread(layout.days, layout.last, signatures.len()))
    {
        sheet.write_string_with_format(row, at, one_line(text), &bold)?;
    }
    widths(sheet, chart, &layout)?;
    paper(sheet, chart, header, row, &layout)
}

/// Writes what stands above the table; returns the row of its headings.
fn titles(sheet: &mut Worksheet, chart: &Chart<'_>, layout: &Layout<'_>) -> Result<u32, XlsxError> {
    let title = |size: f64| {
        Format::new()
            .set_bold()
            .set_font_size(size)
            .set_align(FormatAlign::Center)
    };
    // Merged cells do not make their rows high enough by themselves.
    for (row, height) in [(0, 24.0), (1, 30.0), (3, 20.0), (4, 20.0)] {
        sheet.set_row_height(row, height)?;
    }
    let form = one_line(&chart.sheet.form);
    if !form.is_empty() {
        sheet.merge_range(0, 0, 0, layout.last, &form, &title(17.0))?;
    }
    sheet.merge_range(1, 0, 1, layout.last, &one_line(&chart.title), &title(22.0))?;
    let head = Format::new().set_bold().set_font_size(14);
    let heads = &chart.sheet.heads;
    let mut row = 3;
    for (text, at) in heads.iter().zip(spread(0, layout.last, heads.len())) {
        sheet.write_string_with_format(row, at, one_line(text), &head)?;
    }
    if let Some(name) = &chart.employee {
        row += 1;
        sheet.write_string_with_format(row, 0, one_line(&chart.sheet.employee), &head)?;
        let plain = Format::new().set_font_size(14);
        sheet.write_string_with_format(row, layout.days + 2, name, &plain)?;
    }
    Ok(row + 1)
}

/// The columns at which so many texts begin that share a row.
fn spread(first: u16, last: u16, texts: usize) -> impl Iterator<Item = u16> {
    let each = last.saturating_sub(first) / count(texts).max(1);
    (0..count(texts)).map(move |number| first + number * each)
}

fn widths(sheet: &mut Worksheet, chart: &Chart<'_>, layout: &Layout<'_>) -> Result<(), XlsxError> {
    let longest = chart
        .lines
        .iter()
        .map(|line| unicode_width::UnicodeWidthStr::width(&*line.label));
    let longest = u32::try_from(longest.max().unwrap_or_default().max(NAME_WIDTH)).unwrap_or(255);
    sheet.set_column_width(layout.name, f64::from(longest.min(60) + 2))?;
    let day = if chart.hours { TIME_WIDTH } else { DAY_WIDTH };
    for column in layout.days..layout.totals {
        sheet.set_column_width(column, day)?;
    }
    let totals = count(totals_of(chart).len());
    for column in layout.totals..layout.totals + totals {
        sheet.set_column_width(column, TOTAL_WIDTH + if chart.hours { 2.0 } else { 0.0 })?;
    }
    let extra = layout.first.iter().zip(0..);
    let extra = extra.chain(layout.before.iter().zip(layout.name + 1..));
    for (column, at) in extra.chain(layout.after.iter().zip(layout.totals + totals..)) {
        let cells = chart
            .lines
            .iter()
            .zip(1..)
            .map(|(line, n)| value(column, line, n).len());
        let longest = cells
            .chain([column.heading.len()])
            .max()
            .unwrap_or_default();
        let fitting = u16::try_from(longest + 2).unwrap_or(60).min(60);
        sheet.set_column_width(at, f64::from(column.width.unwrap_or(fitting)))?;
    }
    Ok(())
}

/// What an extra column says of a line.
fn value(column: &ExtraColumn, line: &Line, serial: usize) -> String {
    if let Some(value) = column.values.get(&line.employee.to_string()) {
        return one_line(value).into_owned();
    }
    match column.shows {
        Shows::Nothing => String::new(),
        Shows::Serial => serial.to_string(),
        Shows::Number => line.employee.to_string(),
        Shows::Department => one_line(line.department.as_deref().unwrap_or_default()).into_owned(),
    }
}

/// What paper needs.
fn paper(
    sheet: &mut Worksheet,
    chart: &Chart<'_>,
    header: u32,
    last: u32,
    layout: &Layout<'_>,
) -> Result<(), XlsxError> {
    // The numbers of Office Open XML.
    let size = match chart.sheet.paper {
        Paper::Letter => 1,
        Paper::Legal => 5,
        Paper::A3 => 8,
        Paper::A4 => 9,
    };
    sheet.set_landscape();
    sheet.set_paper_size(size);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
    sheet.set_footer("&L&A&RPage &P of &N");
    sheet.set_repeat_rows(header, header)?;
    sheet.set_print_area(0, 0, last, layout.last)?;
    sheet.set_freeze_panes(header + 1, layout.name + 1)?;
    Ok(())
}

/// A cell with the sheet's thin border.
fn bordered() -> Format {
    Format::new().set_border(FormatBorder::Thin)
}

/// The colour of a mark, if the sheet has one for it.
fn fill(mark: Mark) -> Option<u32> {
    match mark {
        Mark::WeeklyOff => Some(RED),
        Mark::Holiday => Some(BLUE),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
