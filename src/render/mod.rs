//! Results as text: [`table`] for people, [`csv`] for spreadsheets. What to show comes as plain
//! values; nothing here asks the database.

use std::borrow::Cow;
use std::io::{self, Write};

use clap::ValueEnum;

use crate::domain::text::breaks_a_row;

pub mod bar;
pub mod csv;
pub mod delays;
pub mod list;
pub mod page;
mod qr;
pub mod register;
pub mod table;

pub use qr::qr;

/// How to print a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For spreadsheets (RFC 4180, UTF-8)
    Csv,
}

/// How to print a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ListFormat {
    /// For people
    #[default]
    Table,
    /// For spreadsheets (RFC 4180, UTF-8)
    Csv,
    /// For programs: one object a line
    Json,
}

/// How to write a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RegisterFormat {
    /// For people
    #[default]
    Table,
    /// For spreadsheets (RFC 4180, UTF-8)
    Csv,
    /// For programs: an object for each month, one a line
    Json,
    /// To print and sign: the office's sheet
    Xlsx,
}

/// Prints a grid on standard output.
///
/// # Errors
/// Those of writing.
pub fn print_grid(grid: &Grid, format: Format) -> io::Result<()> {
    match format {
        Format::Table => print(&table::grid(grid, table::terminal_width())),
        Format::Csv => csv::write_grid(grid, io::stdout().lock()),
    }
}

fn print(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// A result of rows and columns.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// The columns, left to right.
    pub columns: Vec<Column>,
    /// The rows, each with one cell a column.
    pub rows: Vec<Vec<String>>,
}

/// One column of a [`Grid`].
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// What its cells hold.
    pub holds: Holds,
}

/// What a column's cells hold, and so how they are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Texts of any length, which may wrap.
    Text,
    /// Short texts that must not be broken: days, times, codes.
    Code,
    /// Numbers, which stand to the right.
    Number,
}

impl Column {
    /// A column of texts.
    pub fn text(heading: &'static str) -> Self {
        Self {
            heading,
            holds: Holds::Text,
        }
    }

    /// A column of codes.
    pub fn code(heading: &'static str) -> Self {
        Self {
            heading,
            holds: Holds::Code,
        }
    }

    /// A column of numbers.
    pub fn number(heading: &'static str) -> Self {
        Self {
            heading,
            holds: Holds::Number,
        }
    }
}

/// A text that keeps to its line: control characters, which only a file edited by other programs
/// can hold, become visible stand-ins.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.chars().any(breaks_a_row) {
        let safe = |c| {
            if breaks_a_row(c) { '\u{FFFD}' } else { c }
        };
        Cow::Owned(text.chars().map(safe).collect())
    } else {
        Cow::Borrowed(text)
    }
}
