//! Lists that are printed row by row: however long one is, only a table needs it whole.

use std::io::{self, StdoutLock};

use serde::Serializer;
use serde::ser::SerializeMap;

use crate::render::csv::Rows;
use crate::render::{Column, Grid, Holds, ListFormat, print, table};

/// A list on its way to standard output.
#[derive(Debug)]
pub struct List(Way);

#[derive(Debug)]
enum Way {
    Table(Grid),
    Csv(Box<Rows<StdoutLock<'static>>>),
    Json(Vec<Column>, StdoutLock<'static>),
}

impl List {
    /// Begins a list.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin(columns: Vec<Column>, format: ListFormat) -> io::Result<Self> {
        let out = io::stdout().lock();
        Ok(Self(match format {
            ListFormat::Table => Way::Table(Grid {
                columns,
                rows: Vec::new(),
            }),
            ListFormat::Csv => Way::Csv(Box::new(Rows::begin(&columns, out)?)),
            ListFormat::Json => Way::Json(columns, out),
        }))
    }

    /// Adds a row, with a cell for each column; an empty one is nothing.
    ///
    /// # Errors
    /// Those of writing.
    pub fn row(&mut self, cells: Vec<String>) -> io::Result<()> {
        match &mut self.0 {
            Way::Table(grid) => grid.rows.push(cells),
            Way::Csv(rows) => rows.row(&cells)?,
            Way::Json(columns, out) => write_object(columns, &cells, out)?,
        }
        Ok(())
    }

    /// Ends the list. What is said where it has no rows is for people only.
    ///
    /// # Errors
    /// Those of writing.
    pub fn end(self, if_empty: &str) -> io::Result<()> {
        match self.0 {
            Way::Table(grid) if grid.rows.is_empty() => print(&format!("{if_empty}\n")),
            Way::Table(mut grid) => {
                let cells = grid.rows.iter_mut().flatten();
                cells
                    .filter(|cell| cell.is_empty())
                    .for_each(|cell| cell.push('-'));
                print(&table::grid(&grid, table::terminal_width()))
            }
            Way::Csv(rows) => rows.end(),
            Way::Json(..) => Ok(()),
        }
    }
}

/// Writes a row as a JSON object on a line of its own.
fn write_object(columns: &[Column], cells: &[String], mut to: impl io::Write) -> io::Result<()> {
    let mut line = Vec::new();
    let mut json = serde_json::Serializer::new(&mut line);
    let mut object = json.serialize_map(Some(columns.len()))?;
    for (column, cell) in columns.iter().zip(cells) {
        let number = cell
            .parse::<i64>()
            .ok()
            .filter(|_| column.holds == Holds::Number);
        match number {
            Some(number) => object.serialize_entry(column.heading, &number)?,
            None if cell.is_empty() => object.serialize_entry(column.heading, &())?,
            None => object.serialize_entry(column.heading, cell)?,
        }
    }
    object.end()?;
    line.push(b'\n');
    to.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_every_character_and_knows_numbers_from_texts() {
        let columns = [
            Column::number("number"),
            Column::text("name"),
            Column::code("verdict"),
        ];
        let cells = ["7", "O'Brien, \"Zoë\"\n🤖", ""].map(String::from);
        let mut line = Vec::new();
        write_object(&columns, &cells, &mut line).unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "{\"number\":7,\"name\":\"O'Brien, \\\"Zoë\\\"\\n🤖\",\"verdict\":null}\n"
        );
    }
}
