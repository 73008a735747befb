//! Who changed what: append-only, a row for each administrator's change, in its transaction.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::db::Result;
use crate::db::values::to_millis;
use crate::domain::ids::EmployeeNumber;

/// Who makes a change, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The person, as the system knows who logged in.
    pub who: String,
    /// The time of the change.
    pub at: DateTime<Utc>,
}

/// Writes down a change of an employee.
pub(super) fn record(
    connection: &Connection,
    author: &Author,
    action: &str,
    employee: EmployeeNumber,
    detail: &str,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, who, action, employee, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((to_millis(author.at), &author.who, action, employee, detail))?;
    Ok(())
}
