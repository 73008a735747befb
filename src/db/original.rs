//! Reading the replaced system's SQLite files: whatever tables they hold, as texts. They are opened
//! so that nothing can be written to them.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::db::{Error, Result};

/// A table of an old file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldTable {
    /// Its columns' names, in upper case.
    pub columns: Vec<String>,
    /// Its rows, a text for each column; nothing is an empty text.
    pub rows: Vec<Vec<String>>,
}

impl OldTable {
    /// Where a column stands, by its name in upper case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

/// All tables of a file, which may be none.
///
/// # Errors
/// [`Error::NotOurs`] if it is no SQLite database, or one that is broken.
pub fn old_tables(path: &Path) -> Result<Vec<OldTable>> {
    read(path).map_err(|cause| Error::NotOurs {
        path: path.to_owned(),
        what: String::from(match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::CannotOpen) => "not a file that can be read",
            _ => "no SQLite database, or one that is broken",
        }),
    })
}

fn read(path: &Path) -> rusqlite::Result<Vec<OldTable>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")?;
    let names = select.query_map([], |row| row.get::<_, String>(0))?;
    let names: Vec<_> = names.collect::<rusqlite::Result<_>>()?;
    names.iter().map(|name| table(&connection, name)).collect()
}

fn table(connection: &Connection, name: &str) -> rusqlite::Result<OldTable> {
    // As values: asked for as names of columns, the library panics at what is not UTF-8.
    let mut select = connection
        .prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid")?;
    let columns = select.query_map([name], |row| Ok(text(row.get_ref(0)?).to_uppercase()))?;
    let columns: Vec<_> = columns.collect::<rusqlite::Result<_>>()?;
    let quoted = name.replace('"', "\"\"");
    let mut select = connection.prepare(&format!("SELECT * FROM \"{quoted}\""))?;
    let mut rows = select.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = (0..columns.len()).map(|at| row.get_ref(at).map(text));
        all.push(cells.collect::<rusqlite::Result<_>>()?);
    }
    Ok(OldTable { columns, rows: all })
}

/// A cell as text; whole numbers, which the old tables keep as fractions, without one.
fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_utf_8_harms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let connection = Connection::open(&path).unwrap();
        let make =
            "CREATE TABLE old (name TEXT, \"seen?\" TEXT); INSERT INTO old VALUES ('Asha', 1)";
        connection.execute_batch(make).unwrap();
        drop(connection);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(5).position(|part| part == b"seen?").unwrap();
        bytes[at + 4] = 0xFF;
        std::fs::write(&path, bytes).unwrap();

        let tables = old_tables(&path).unwrap();
        assert_eq!(tables[0].columns, ["NAME", "SEEN\u{FFFD}"]);
        assert_eq!(tables[0].rows, [["Asha", "1"]]);
    }
}
