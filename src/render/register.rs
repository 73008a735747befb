//! Registers in every format.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use crate::domain::attendance::sheet::Sheet;
use crate::domain::attendance::{Amendment, Register};
use crate::domain::calendar::Days;
use crate::domain::ids::EmployeeNumber;
use crate::render::RegisterFormat;
use crate::render::table::terminal_width;

mod chart;
mod csv;
mod json;
mod notes;
mod table;
mod xlsx;

pub(crate) use notes::listed;

/// One month, or some days of one, as it is shown.
#[derive(Debug)]
pub struct Page {
    /// Its register: as it was signed, if it was.
    pub register: Register,
    /// What is written around it.
    pub sheet: Sheet,
    /// Who signed it.
    pub signed: Option<Signed>,
}

impl Page {
    /// Whether it has all days of its month.
    fn is_whole_month(&self) -> bool {
        self.register
            .month
            .days()
            .eq(self.register.days.iter().map(|column| column.day))
    }
}

/// Who signed a month, and what became of it.
#[derive(Debug)]
pub struct Signed {
    /// Who.
    pub who: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What changed since.
    pub amendments: Vec<Amendment>,
}

/// What a register report shows.
#[derive(Debug)]
pub struct Report {
    /// The months, in order.
    pub pages: Vec<Page>,
    /// The one employee it is about: then each month is a line of one table.
    pub employee: Option<(EmployeeNumber, String)>,
    /// Whether it says when people were seen.
    pub hours: bool,
    /// In which timezone.
    pub days: Days,
}

/// Writes a report. On a terminal, a table is as wide as that, and coloured.
///
/// # Errors
/// Those of writing.
pub fn write(
    report: &Report,
    format: RegisterFormat,
    to: &mut impl Write,
    terminal: bool,
) -> io::Result<()> {
    match format {
        RegisterFormat::Table => {
            let width = terminal.then(terminal_width).flatten();
            let text = table::tables(report, width, terminal && colours());
            to.write_all(text.as_bytes())
        }
        RegisterFormat::Csv => csv::write(report, to),
        RegisterFormat::Json => json::write(report, to),
        RegisterFormat::Xlsx => to.write_all(&xlsx::workbook(report)?),
    }
}

/// A report as a table without colours, as wide as the terminal.
pub fn plain(report: &Report) -> String {
    table::tables(report, terminal_width(), false)
}

/// Whether the user wants colours (<https://no-color.org>).
fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Minutes as hours, as in `9:05`.
fn hours(minutes: i64) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}
