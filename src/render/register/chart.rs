//! A register as it is drawn: with a line for each employee of a month, or for each month of one
//! employee.

use crate::domain::attendance::sheet::{Sheet, short};
use crate::domain::attendance::{Cell, HalfDays, Register, Row, Seen};
use crate::domain::calendar::Day;
use crate::domain::ids::EmployeeNumber;
use crate::render::one_line;
use crate::render::register::{Page, Report};

/// What is drawn.
pub(super) struct Chart<'a> {
    /// The office's title.
    pub(super) title: String,
    /// The weekly offs, in words.
    pub(super) weekly_off: String,
    pub(super) sheet: &'a Sheet,
    /// The employee that all lines are of.
    pub(super) employee: Option<String>,
    /// The days across.
    pub(super) days: Vec<ChartDay>,
    pub(super) lines: Vec<Line>,
    /// Whether anybody has leave.
    pub(super) leave: bool,
    /// Whether lines say when people were seen.
    pub(super) hours: bool,
}

/// One day across.
pub(super) struct ChartDay {
    /// The day of the month.
    pub(super) number: u32,
    /// Its first two letters, if it is the same day for all lines.
    pub(super) weekday: Option<String>,
    /// Whether it is still to come for all lines.
    pub(super) to_come: bool,
}

/// One line.
pub(super) struct Line {
    /// Whose it is.
    pub(super) employee: EmployeeNumber,
    pub(super) department: Option<String>,
    /// The employee's name, or the month.
    pub(super) label: String,
    /// One for each day across; `None` where the line has no such day.
    pub(super) cells: Vec<Option<ChartCell>>,
    pub(super) total_days: HalfDays,
    pub(super) work_off: HalfDays,
    pub(super) leave: u32,
}

/// A day of a line.
pub(super) struct ChartCell {
    pub(super) cell: Cell,
    pub(super) to_come: bool,
    pub(super) seen: Option<Seen>,
}

impl Line {
    /// The minutes from first to last of all days.
    pub(super) fn minutes(&self) -> i64 {
        let seen = self.cells.iter().flatten().filter_map(|cell| cell.seen);
        seen.filter_map(Seen::minutes).sum()
    }
}

/// The charts of a report.
pub(super) fn charts(report: &Report) -> Vec<Chart<'_>> {
    match (&report.employee, &report.pages[..]) {
        (Some((number, name)), [first, ..]) => vec![of_employee(report, *number, name, first)],
        _ => report
            .pages
            .iter()
            .map(|page| of_month(page, report.hours))
            .collect(),
    }
}

fn of_month(page: &Page, hours: bool) -> Chart<'_> {
    let register = &page.register;
    let days = register.days.iter().map(|column| ChartDay {
        number: day_of_month(column.day),
        weekday: Some(
            column
                .day
                .format("%a")
                .to_string()
                .chars()
                .take(2)
                .collect(),
        ),
        to_come: column.to_come,
    });
    let lines = register.rows.iter().map(|row| {
        let cells = cells(register, row).into_iter().map(|(_, cell)| Some(cell));
        line(row, one_line(&row.name).into_owned(), cells.collect())
    });
    Chart {
        title: page.sheet.title_of(register.month),
        weekly_off: weekly_off(register),
        sheet: &page.sheet,
        employee: None,
        days: days.collect(),
        lines: lines.collect(),
        leave: register.has_leave(),
        hours,
    }
}

fn of_employee<'a>(
    report: &'a Report,
    number: EmployeeNumber,
    name: &str,
    first: &'a Page,
) -> Chart<'a> {
    let month_lines = report.pages.iter().flat_map(|Page { register, .. }| {
        let rows = register.rows.iter().filter(|row| row.number == number);
        rows.map(|row| {
            let mut across: Vec<_> = (1..=31).map(|_| None).collect();
            for (day, cell) in cells(register, row) {
                let at = usize::try_from(day_of_month(day) - 1).unwrap_or(usize::MAX);
                if let Some(place) = across.get_mut(at) {
                    *place = Some(cell);
                }
            }
            line(row, short(register.month), across)
        })
    });
    let days = (1..=31).map(|number| ChartDay {
        number,
        weekday: None,
        to_come: false,
    });
    let last = report.pages.last().unwrap_or(first);
    Chart {
        title: first
            .sheet
            .employee_title_of(first.register.month, last.register.month),
        weekly_off: weekly_off(&first.register),
        sheet: &first.sheet,
        employee: Some(one_line(name).into_owned()),
        days: days.collect(),
        lines: month_lines.collect(),
        leave: report.pages.iter().any(|page| page.register.has_leave()),
        hours: report.hours,
    }
}

fn cells(register: &Register, row: &Row) -> Vec<(Day, ChartCell)> {
    let days = register.days.iter().zip(&row.cells);
    let cell = |(column, &cell): (&crate::domain::attendance::DayColumn, &Cell)| {
        let drawn = ChartCell {
            cell,
            to_come: column.to_come,
            seen: row.times.get(&column.day).copied(),
        };
        (column.day, drawn)
    };
    days.map(cell).collect()
}

fn line(row: &Row, label: String, cells: Vec<Option<ChartCell>>) -> Line {
    Line {
        employee: row.number,
        department: row.department.clone(),
        label,
        cells,
        total_days: row.total_days,
        work_off: row.work_off,
        leave: row.leave,
    }
}

fn day_of_month(day: Day) -> u32 {
    chrono::Datelike::day(&day)
}

/// The weekdays of which one is off, as in `Saturday, Sunday`.
fn weekly_off(register: &Register) -> String {
    let off = register.days.iter().filter(|column| column.weekly_off);
    let mut names: Vec<_> = off
        .map(|column| chrono::Datelike::weekday(&column.day))
        .collect();
    names.sort_by_key(chrono::Weekday::num_days_from_monday);
    names.dedup();
    let name = |day: &chrono::Weekday| {
        let monday = chrono::NaiveDate::from_isoywd_opt(2024, 1, *day);
        monday
            .map(|day| day.format("%A").to_string())
            .unwrap_or_default()
    };
    names.iter().map(name).collect::<Vec<_>>().join(", ")
}
