//! Registers for people: as wide as the terminal, with the days in blocks one below the other where
//! that is too narrow for the month; plain and unbroken where there is none.

use std::borrow::Cow;

use comfy_table::{Attribute, Cell as Drawn, CellAlignment, Color};
use unicode_width::UnicodeWidthStr;

use crate::domain::attendance::Mark;
use crate::domain::attendance::sheet::Words;
use crate::render::register::chart::{Chart, ChartCell, Line, charts};
use crate::render::register::{Report, hours, notes};
use crate::render::table::{bare, isolated, lines};

/// The width of a day: a space and its number.
const DAY_WIDTH: usize = 3;
/// The same with times of day.
const TIME_WIDTH: usize = 6;
/// The width of the totals, and of the spaces around the name.
const TOTALS_WIDTH: usize = 9;
/// The same with leave, and with hours.
const MORE_WIDTH: usize = 7;
/// Where the name stands.
const NAME_COLUMN: usize = 1;
/// The least room in which a register is laid out; a narrower terminal wraps its lines.
const MIN_DAYS: usize = 7;

/// The tables of a report, each with its title, legend and notes.
pub(super) fn tables(report: &Report, width: Option<u16>, colours: bool) -> String {
    let mut charts = charts(report);
    if width.is_some() {
        for line in charts.iter_mut().flat_map(|chart| &mut chart.lines) {
            line.label = isolated(Cow::Borrowed(&line.label)).into_owned();
        }
    }
    let all = charts
        .into_iter()
        .zip(report.pages.iter().map(std::slice::from_ref));
    let texts: Vec<_> = match &report.employee {
        // One table, with the notes of all its months.
        Some(_) => all
            .take(1)
            .map(|(chart, _)| text(&chart, &report.pages, report, width, colours))
            .collect(),
        None => all
            .map(|(chart, page)| text(&chart, page, report, width, colours))
            .collect(),
    };
    texts.join("\n")
}

fn text(
    chart: &Chart<'_>,
    pages: &[super::Page],
    report: &Report,
    width: Option<u16>,
    colours: bool,
) -> String {
    let mut text = format!("{}\n\n", title(chart, pages, report));
    if chart.lines.is_empty() {
        let when = if pages.len() == 1 {
            "that month"
        } else {
            "these months"
        };
        return match &chart.employee {
            None => text + "Nobody was employed in that month.\n",
            Some(name) => text + &format!("{name} was not employed in {when}.\n"),
        };
    }
    let days_at_once = match width {
        None => chart.days.len(),
        Some(width) => {
            let more = if chart.leave || chart.hours {
                MORE_WIDTH
            } else {
                0
            };
            let fixed = TOTALS_WIDTH + more + width_of_names(chart);
            let day = if chart.hours { TIME_WIDTH } else { DAY_WIDTH };
            (usize::from(width).saturating_sub(fixed) / day).max(MIN_DAYS)
        }
    };
    let count = chart.days.len().div_ceil(days_at_once);
    for number in 0..count {
        let from = number * days_at_once;
        let to = (from + days_at_once).min(chart.days.len());
        text += &block(chart, from..to, number + 1 == count, report, colours);
        text.push('\n');
    }
    text += &legend(chart);
    text.push('\n');
    for note in pages
        .iter()
        .flat_map(|page| notes::lines(page, report.days))
    {
        text += &note;
        text.push('\n');
    }
    text
}

fn title(chart: &Chart<'_>, pages: &[super::Page], report: &Report) -> String {
    let months: Vec<_> = pages
        .iter()
        .map(|page| page.register.month.to_string())
        .collect();
    let days = pages.first().zip(pages.last()).and_then(|(first, last)| {
        let (first, last) = (
            first.register.days.first()?.day,
            last.register.days.last()?.day,
        );
        let whole = pages.iter().all(super::Page::is_whole_month);
        (!whole).then(|| format!(", {first} to {last}"))
    });
    let months = match &months[..] {
        [first, .., last] => format!("{first} to {last}"),
        _ => months.concat(),
    };
    let of = match (&chart.employee, &report.employee) {
        (Some(name), Some((number, _))) => format!("{name} ({number}), "),
        _ => String::new(),
    };
    format!("Register of {of}{months}{}", days.unwrap_or_default())
}

/// The marks and totals that are there, and what they mean.
fn legend(chart: &Chart<'_>) -> String {
    let words: &Words = &chart.sheet.words;
    let cells = || {
        chart
            .lines
            .iter()
            .flat_map(|line| line.cells.iter().flatten())
    };
    let always = [
        Mark::Present,
        Mark::Absent,
        Mark::AbsentSoFar,
        Mark::WeeklyOff,
    ];
    let shown = Mark::ALL.into_iter().filter(|mark| {
        *mark != Mark::Blank
            && (always.contains(mark) || cells().any(|drawn| drawn.cell.mark == *mark))
    });
    let mut legend: Vec<_> = shown
        .map(|mark| format!("{} {}", mark.symbol(), words.of(mark)))
        .collect();
    legend.push(format!("TD {}  WO {}", words.total_days, words.work_off));
    if cells().any(|drawn| drawn.cell.corrected) {
        legend.push("* corrected".to_owned());
    }
    legend.join("  ")
}

/// The width of the numbers and names.
fn width_of_names(chart: &Chart<'_>) -> usize {
    let lines = chart.lines.iter();
    let number = lines
        .clone()
        .map(|line| line.employee.to_string().len())
        .max();
    let name = lines.map(|line| line.label.width()).max();
    number.unwrap_or_default() + name.unwrap_or_default()
}

/// Some of the days, for everybody.
fn block(
    chart: &Chart<'_>,
    range: std::ops::Range<usize>,
    with_totals: bool,
    report: &Report,
    colours: bool,
) -> String {
    let mut table = bare(None);
    match colours {
        true => table.enforce_styling(),
        false => table.force_no_tty(),
    };
    let days = chart.days.iter().skip(range.start).take(range.len());
    let heading = |day: &super::chart::ChartDay| {
        let weekday = day.weekday.as_ref().map(|letters| format!("\n{letters}"));
        let text = format!("{:02}{}", day.number, weekday.unwrap_or_default());
        let heading = Drawn::new(text).set_alignment(CellAlignment::Right);
        if day.to_come {
            heading.add_attribute(Attribute::Dim)
        } else {
            heading
        }
    };
    let totals = totals_of(chart)
        .into_iter()
        .filter(|_| with_totals)
        .map(Drawn::new);
    let (number, name) = match chart.employee {
        Some(_) => ("", "Month"),
        None => ("No", "Name"),
    };
    let fixed = [number, name].map(Drawn::new).into_iter();
    table.set_header(fixed.chain(days.map(heading)).chain(totals));
    for line in &chart.lines {
        for row in rows(chart, line, &range, with_totals, report) {
            table.add_row(row);
        }
    }
    let first_total = NAME_COLUMN + 1 + range.len();
    for column in table.column_iter_mut() {
        if column.index != NAME_COLUMN {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_padding(match column.index {
            0 => (0, 0),
            NAME_COLUMN => (if chart.employee.is_some() { 0 } else { 1 }, 1),
            index if index == first_total => (2, 0),
            _ => (1, 0),
        });
    }
    lines(&table)
}

fn totals_of(chart: &Chart<'_>) -> Vec<&'static str> {
    let leave = chart.leave.then_some("L");
    let hours = chart.hours.then_some("hours");
    ["TD", "WO"].into_iter().chain(leave).chain(hours).collect()
}

/// What a row of times says of a day.
type Time<'a> = dyn Fn(&ChartCell) -> Option<String> + 'a;

/// A line's rows: its marks, and with the hours, the times below them.
fn rows(
    chart: &Chart<'_>,
    line: &Line,
    range: &std::ops::Range<usize>,
    with_totals: bool,
    report: &Report,
) -> Vec<Vec<Drawn>> {
    let cells = || {
        line.cells
            .iter()
            .skip(range.start)
            .take(range.len())
            .map(Option::as_ref)
    };
    let number = match chart.employee {
        Some(_) => String::new(),
        None => line.employee.to_string(),
    };
    let mut marks = vec![Drawn::new(number), Drawn::new(&line.label)];
    marks.extend(cells().map(|cell| cell.map_or_else(|| Drawn::new(""), mark)));
    if with_totals {
        marks.extend([line.total_days, line.work_off].map(Drawn::new));
        marks.extend(chart.leave.then(|| Drawn::new(line.leave)));
        marks.extend(chart.hours.then(|| Drawn::new(hours(line.minutes()))));
    }
    let mut rows = vec![marks];
    if chart.hours {
        let time = |at| report.days.local(at).format("%H:%M").to_string();
        let times: [(&str, &Time<'_>); 3] = [
            ("  in", &|cell| Some(time(cell.seen?.first?))),
            ("  last", &|cell| Some(time(cell.seen?.last))),
            ("  hours", &|cell| Some(hours(cell.seen?.minutes()?))),
        ];
        for (label, text) in times {
            let mut row = vec![Drawn::new(""), Drawn::new(label)];
            row.extend(cells().map(|cell| Drawn::new(cell.and_then(text).unwrap_or_default())));
            rows.push(row);
        }
    }
    rows
}

/// A mark, in its colour; days to come are dim.
fn mark(cell: &ChartCell) -> Drawn {
    let drawn = Drawn::new(cell.cell.to_string());
    if cell.to_come {
        return drawn.add_attribute(Attribute::Dim);
    }
    match cell.cell.mark {
        Mark::Present => drawn.fg(Color::Green),
        Mark::Absent => drawn.fg(Color::Red),
        Mark::AbsentSoFar => drawn.fg(Color::Yellow),
        Mark::HalfDay | Mark::Leave => drawn.fg(Color::Cyan),
        Mark::Holiday => drawn.fg(Color::Blue),
        Mark::WeeklyOff => drawn.add_attribute(Attribute::Dim),
        Mark::Blank => drawn,
    }
}

#[cfg(test)]
pub(super) mod tests;
