//! Results as tables for people: as wide as the terminal, plain and unbroken where there is none.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};
use unicode_width::UnicodeWidthStr;

use crate::domain::attendance::{DayColumn, Register, Row};
use crate::render::{Grid, Holds, one_line};

/// What the marks and totals mean, in the order of the register's own legend.
const LEGEND: &str = "P present  A absent  a not final  W weekly off  TD total days  WO work off";
/// The width of a day: a space and its number.
const DAY_WIDTH: usize = 3;
/// The width of the totals, and of the spaces around the name.
const TOTALS_WIDTH: usize = 9;
/// Where the name stands.
const NAME_COLUMN: usize = 1;
/// The least room in which a register is laid out; a narrower terminal wraps its lines.
const MIN_DAYS: usize = 7;

/// A grid as a table of one line a row. In a terminal, long cells wrap within their column.
pub fn grid(grid: &Grid, width: Option<u16>) -> String {
    let mut table = bare(width);
    table.set_header(grid.columns.iter().map(|column| column.heading));
    for row in &grid.rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    let last = grid.columns.len().saturating_sub(1);
    for (column, described) in table.column_iter_mut().zip(&grid.columns) {
        if described.holds == Holds::Number {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if described.holds != Holds::Text {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        column.set_padding((0, if column.index == last { 0 } else { 2 }));
    }
    lines(&table)
}

/// A register with its title, legend and footnotes. Where the terminal is too narrow for the whole
/// month, its days are laid out in blocks one below the other, with the totals in the last.
pub fn register(register: &Register, width: Option<u16>) -> String {
    let mut text = format!("Register of {}\n\n", register.month);
    if register.rows.is_empty() {
        return text + "Nobody was employed in that month.\n";
    }
    let days_at_once = match width {
        None => register.days.len(),
        Some(width) => {
            let room = usize::from(width).saturating_sub(TOTALS_WIDTH + width_of_names(register));
            (room / DAY_WIDTH).max(MIN_DAYS)
        }
    };
    let blocks = register.days.chunks(days_at_once);
    let count = blocks.len();
    for (number, days) in (1..).zip(blocks) {
        let first = (number - 1) * days_at_once;
        text += &block(register, days, first, number == count);
        text.push('\n');
    }
    text += LEGEND;
    text.push('\n');
    let unseen = register.days.iter().filter(|column| column.nobody_seen);
    let unseen: Vec<_> = unseen
        .map(|column| column.day.format("%-d").to_string())
        .collect();
    if !unseen.is_empty() {
        text += &format!(
            "Nobody was seen on {} {}: an outage or a holiday? Not counted as absent.\n",
            unseen.join(", "),
            register.month.first().format("%b")
        );
    }
    text
}

/// The width of the numbers and names.
fn width_of_names(register: &Register) -> usize {
    let number = register
        .rows
        .iter()
        .map(|row| row.number.to_string().len())
        .max();
    let name = register
        .rows
        .iter()
        .map(|row| one_line(&row.name).width())
        .max();
    number.unwrap_or_default() + name.unwrap_or_default()
}

/// The days from the `first`-th on, for everybody.
fn block(register: &Register, days: &[DayColumn], first: usize, with_totals: bool) -> String {
    let mut table = bare(None);
    let heading = |column: &DayColumn| {
        let weekday = column.day.format("%a").to_string();
        let letters: String = weekday.chars().take(2).collect();
        Cell::new(format!("{}\n{letters}", column.day.format("%d")))
            .set_alignment(CellAlignment::Right)
    };
    let totals = with_totals
        .then_some(["TD", "WO"].map(Cell::new))
        .into_iter()
        .flatten();
    let fixed = ["No", "Name"].map(Cell::new).into_iter();
    table.set_header(fixed.chain(days.iter().map(heading)).chain(totals));
    for row in &register.rows {
        table.add_row(cells(row, first, days.len(), with_totals));
    }
    let first_total = NAME_COLUMN + 1 + days.len();
    for column in table.column_iter_mut() {
        if column.index != NAME_COLUMN {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_padding(match column.index {
            0 => (0, 0),
            NAME_COLUMN => (1, 1),
            index if index == first_total => (2, 0),
            _ => (1, 0),
        });
    }
    lines(&table)
}

fn cells(row: &Row, first: usize, count: usize, with_totals: bool) -> Vec<String> {
    let marks = row
        .marks
        .iter()
        .skip(first)
        .take(count)
        .map(|mark| mark.symbol().to_owned());
    let mut cells = vec![row.number.to_string(), one_line(&row.name).into_owned()];
    cells.extend(marks);
    if with_totals {
        cells.extend([row.total_days.to_string(), row.work_off.to_string()]);
    }
    cells
}

/// A table with a line under its headings, its columns apart by spaces only.
fn bare(width: Option<u16>) -> Table {
    let mut table = Table::new();
    let rule = LineStyle {
        fill: Some('─'),
        ..LineStyle::none()
    };
    table.load_style(TableStyle::new().header_separator(rule));
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    table
}

fn lines(table: &Table) -> String {
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// The width of standard output's terminal, else what `COLUMNS` says; `None` without either.
pub fn terminal_width() -> Option<u16> {
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    Table::new().width().or_else(said)
}

#[cfg(test)]
mod tests;
