//! Erasing a person's name, as privacy law may ask for, while the number and all totals stay.

use rusqlite::Connection;
use serde_json::Value;

use crate::db::audit::{self, Author};
use crate::db::employee::{edit, find};
use crate::db::{Employee, Error, Result, Store, code};
use crate::domain::calendar::Day;
use crate::domain::ids::EmployeeRef;
use crate::domain::text::replace_words;

/// Where a name may stand in a text that somebody wrote: table and column.
const TEXTS: &[(&str, &str)] = &[
    ("audit", "detail"),
    ("correction", "reason"),
    ("closing", "reason"),
];
/// The same, in JSON.
const DOCUMENTS: &[(&str, &str)] = &[
    ("audit", "old"),
    ("audit", "new"),
    ("closing_row", "content"),
];

impl Store {
    /// Takes an employee's name out of everything, and department, hours and one-time codes
    /// too; what is left is the number. Returns the employee as of now.
    ///
    /// # Errors
    /// [`Error::NotFound`] if nobody is meant, with the near names; [`Error::Conflict`] if several
    /// may be, or if the employee has not left; else those of writing.
    pub fn erase_employee(
        &mut self,
        whom: &EmployeeRef,
        reason: &str,
        today: Day,
        author: &Author,
    ) -> Result<Employee> {
        let erased = self.write(|transaction| {
            let employee = find(transaction, whom, today)?;
            if employee.left.is_none_or(|left| left >= today) {
                return Err(Error::Conflict(format!(
                    "{} ({number}) has not left; 'twinkle employee depart {number}' comes first",
                    employee.name,
                    number = employee.number
                )));
            }
            let name = format!("erased {}", employee.number);
            // First, as the reason may have the name in it.
            audit::record(transaction, author, "erase", employee.number, reason, &[])?;
            for old in names(transaction, &employee)? {
                replace(transaction, &old, &name)?;
            }
            transaction.execute(
                "UPDATE closing_row SET name = ?2, content = json_set(content, '$.department', NULL)
                 WHERE employee = ?1",
                (employee.number, &name),
            )?;
            // What was written down of this employee's name, as an old or as a new value.
            for column in ["old", "new"] {
                transaction.execute(
                    &format!(
                        "UPDATE audit SET {column} = json_remove({column}, '$.name', '$.department')
                         WHERE employee = ?1 AND json_valid({column})"
                    ),
                    [employee.number],
                )?;
            }
            let after = Employee {
                name,
                department: None,
                hours: None,
                ..employee
            };
            edit::update(transaction, &after)?;
            code::forget(transaction, after.number)?;
            Ok(after)
        })?;
        // The log of changes still holds the pages as they were. A reader may keep it from being
        // emptied now; it is at the latest when the last program closes the database.
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(checkpoint, [], |_| Ok(()))?;
        Ok(erased)
    }
}

/// Every name that the employee has or had.
fn names(connection: &Connection, employee: &Employee) -> Result<Vec<String>> {
    let mut select = connection.prepare_cached(
        "SELECT json_extract(old, '$.name') FROM audit WHERE employee = ?1 AND json_valid(old)
         UNION SELECT json_extract(new, '$.name') FROM audit WHERE employee = ?1 AND json_valid(new)",
    )?;
    let had = select.query_map([employee.number], |row| row.get::<_, Option<String>>(0))?;
    let had = had.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut names: Vec<_> = had.into_iter().flatten().collect();
    names.push(employee.name.clone());
    // The longest first: one may be a part of another.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    Ok(names)
}

/// Replaces a name in what was written by hand.
fn replace(connection: &Connection, old: &str, new: &str) -> Result<()> {
    for &place in TEXTS {
        rewrite(connection, place, |text| replace_words(text, old, new))?;
    }
    for &place in DOCUMENTS {
        rewrite(connection, place, |text| {
            let mut document: Value = serde_json::from_str(text).ok()?;
            replace_in(&mut document, old, new).then(|| document.to_string())
        })?;
    }
    Ok(())
}

/// Writes anew the texts of a column that change. All are looked at, as SQLite knows the capitals of
/// ASCII alone; nobody is erased often.
fn rewrite(
    connection: &Connection,
    (table, column): (&str, &str),
    change: impl Fn(&str) -> Option<String>,
) -> Result<()> {
    let mut select = connection.prepare(&format!(
        "SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
    ))?;
    let mut changed = Vec::new();
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        changed.extend(change(&text).map(|new| (text, new)));
    }
    let update = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
    for texts in changed {
        connection.execute(&update, texts)?;
    }
    Ok(())
}

/// Replaces a name in all texts of a document; whether there was one.
fn replace_in(document: &mut Value, old: &str, new: &str) -> bool {
    match document {
        Value::String(text) => match replace_words(text, old, new) {
            Some(changed) => {
                *text = changed;
                true
            }
            None => false,
        },
        // All of them, also after the first.
        Value::Array(parts) => {
            let replaced = parts.iter_mut().map(|part| replace_in(part, old, new));
            replaced.fold(false, |any, one| any | one)
        }
        Value::Object(fields) => {
            let replaced = fields.values_mut().map(|part| replace_in(part, old, new));
            replaced.fold(false, |any, one| any | one)
        }
        _ => false,
    }
}
