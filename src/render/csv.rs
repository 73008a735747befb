//! Results as CSV: RFC 4180, UTF-8, and safe to open in a spreadsheet.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{ErrorKind, Terminator, Writer, WriterBuilder};

use crate::render::{Column, Grid, one_line};

/// Writes a grid, headings first.
///
/// # Errors
/// Those of writing.
pub fn write_grid(grid: &Grid, to: impl Write) -> io::Result<()> {
    let mut rows = Rows::begin(&grid.columns, to)?;
    grid.rows.iter().try_for_each(|row| rows.row(row))?;
    rows.end()
}

/// A grid that is written row by row.
#[derive(Debug)]
pub struct Rows<W: Write>(Records<W>);

impl<W: Write> Rows<W> {
    /// Writes the headings.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin(columns: &[Column], to: W) -> io::Result<Self> {
        let mut writer = writer(to);
        writer.write_record(columns.iter().map(|column| column.heading))?;
        Ok(Self(writer))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Those of writing.
    pub fn row(&mut self, cells: &[String]) -> io::Result<()> {
        let cells = cells.iter().map(|cell| safe_cell(cell).into_owned());
        self.0.write_record(cells)
    }

    /// Writes what is not written yet.
    ///
    /// # Errors
    /// Those of writing.
    pub fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub(super) fn writer<W: Write>(to: W) -> Records<W> {
    let writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(to);
    Records(writer)
}

/// Writes records, and says as it is why one cannot be written: the library hides that in an error of
/// its own, and a reader who has had enough would be a failure.
#[derive(Debug)]
pub(super) struct Records<W: Write>(Writer<W>);

impl<W: Write> Records<W> {
    pub(super) fn write_record<I, T>(&mut self, record: I) -> io::Result<()>
    where
        I: IntoIterator<Item = T>,
        T: AsRef<[u8]>,
    {
        self.0.write_record(record).map_err(as_it_is)
    }

    pub(super) fn write_field(&mut self, field: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.write_field(field).map_err(as_it_is)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn as_it_is(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(cause) => cause,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A cell that no spreadsheet takes for a formula: one that begins like a formula gets an
/// apostrophe before it, which spreadsheets take as "this is text". So that it can be taken off
/// again, a text that itself begins like a guarded one gets one more.
pub(super) fn safe_cell(cell: &str) -> Cow<'_, str> {
    let cell = one_line(cell);
    match is_formula(cell.trim_start_matches('\'')) {
        true => Cow::Owned(format!("'{cell}")),
        false => cell,
    }
}

/// The text that was written as this cell: without the apostrophe that guards a formula.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

/// Whether a spreadsheet would calculate it; those of East Asia take the wide signs too.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_has_had_enough_is_told_from_a_failure() {
        let (reader, to) = io::pipe().unwrap();
        drop(reader);
        let mut rows = Rows::begin(&[Column::text("name")], to).unwrap();
        let row = ["Asha".repeat(100)];
        let failed = (0..1_000).find_map(|_| rows.row(&row).err()).unwrap();
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn cells_are_quoted_where_needed_and_never_formulas() {
        let grid = Grid {
            columns: vec![Column::number("number"), Column::text("name")],
            rows: [
                "=HYPERLINK(\"http://x\")",
                "+1a",
                "@x",
                "-y",
                "Rao, \"Asha\"",
                "Zoë",
                "a\nb",
            ]
            .iter()
            .zip(1..)
            .map(|(name, number)| vec![number.to_string(), (*name).to_owned()])
            .collect(),
        };
        let mut text = Vec::new();
        write_grid(&grid, &mut text).unwrap();
        let expected = "number,name\r\n\
            1,\"'=HYPERLINK(\"\"http://x\"\")\"\r\n2,'+1a\r\n3,'@x\r\n4,'-y\r\n\
            5,\"Rao, \"\"Asha\"\"\"\r\n6,Zoë\r\n7,a\u{FFFD}b\r\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn guards_are_taken_off_again_and_nothing_else() {
        for text in [
            "=1+1", "'=1+1", "''@x", "'t Hooft", "O'Brien", "'", "", "-", "＝1", "a=b",
        ] {
            assert_eq!(unguarded(&safe_cell(text)), text);
        }
        assert_eq!(safe_cell("'t Hooft"), "'t Hooft");
    }
}
