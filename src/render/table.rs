//! Results as tables for people: as wide as the terminal, plain and unbroken where there is none.

use std::borrow::Cow;

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};

use crate::render::{Grid, Holds, one_line};

/// A grid as a table of one line a row. In a terminal, long cells wrap within their column.
pub fn grid(grid: &Grid, width: Option<u16>) -> String {
    let mut table = bare(width);
    table.set_header(grid.columns.iter().map(|column| column.heading));
    for row in &grid.rows {
        table.add_row(row.iter().map(|cell| match width {
            Some(_) => isolated(one_line(cell)),
            None => one_line(cell),
        }));
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

/// A text that keeps its direction to itself: a terminal would else take the numbers after a name in
/// Hebrew or Arabic for a part of it, and show the row's columns in another order (UAX #9, 2.5).
pub(super) fn isolated(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.chars().any(is_right_to_left) {
        true => Cow::Owned(format!("\u{2068}{text}\u{2069}")),
        false => text,
    }
}

/// Whether a letter is of a script that is written from right to left: the blocks that Unicode has
/// set aside for them.
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// What is known of something, each after what it is about. In a terminal, long texts wrap.
pub fn facts(facts: &[(&'static str, String)], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    for (about, text) in facts {
        table.add_row([(*about).into(), one_line(text)]);
    }
    for column in table.column_iter_mut() {
        match column.index {
            0 => column
                .set_padding((0, 2))
                .set_constraint(ColumnConstraint::ContentWidth),
            _ => column.set_padding((0, 0)),
        };
    }
    lines(&table)
}

/// A table with a line under its headings, its columns apart by spaces only.
pub(super) fn bare(width: Option<u16>) -> Table {
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

pub(super) fn lines(table: &Table) -> String {
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// The width of standard output's terminal, else what `COLUMNS` says; `None` without either. A
/// serial console knows no width and says 0.
pub fn terminal_width() -> Option<u16> {
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    let known = |width: &u16| *width > 0;
    let measured = Table::new().width().filter(known);
    measured.or_else(said).filter(known)
}

#[cfg(test)]
mod tests;
