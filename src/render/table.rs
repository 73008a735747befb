//! Results as tables for people: as wide as the terminal, plain and unbroken where there is none.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};

use crate::render::{Grid, Holds, one_line};

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

/// The width of standard output's terminal, else what `COLUMNS` says; `None` without either.
pub fn terminal_width() -> Option<u16> {
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    Table::new().width().or_else(said)
}

#[cfg(test)]
mod tests;
