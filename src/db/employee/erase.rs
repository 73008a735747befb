//! Erasing a person's name, as privacy law may ask for, while the number and all totals stay.

use rusqlite::Connection;

use crate::db::audit::{self, Author};
use crate::db::employee::{edit, find};
use crate::db::{Employee, Error, Result, Store, code};
use crate::domain::calendar::Day;
use crate::domain::ids::EmployeeRef;

/// Where a name may stand in a text that somebody wrote.
const TEXTS: &[(&str, &str)] = &[("audit", "detail")];

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
                "UPDATE closing_row SET name = ?2 WHERE employee = ?1",
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
    for (table, column) in TEXTS {
        connection.execute(
            &format!(
                "UPDATE {table} SET {column} = replace({column}, ?1, ?2)
                 WHERE instr({column}, ?1) > 0"
            ),
            (old, new),
        )?;
    }
    Ok(())
}
