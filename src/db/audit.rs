//! Who changed what: append-only, a row for each administrator's change, in its transaction.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use serde_json::{Map, Value};

use crate::db::values::to_millis;
use crate::db::{Change, Result};
use crate::domain::ids::EmployeeNumber;

/// Who makes a change, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The person, as the system knows who logged in.
    pub who: String,
    /// The time of the change.
    pub at: DateTime<Utc>,
}

/// Writes down a change, of an employee or of something else, with what there is to say about it
/// and the values before and after it.
pub(super) fn record(
    connection: &Connection,
    author: &Author,
    action: &str,
    employee: impl Into<Option<EmployeeNumber>>,
    detail: &str,
    changes: &[Change],
) -> Result<()> {
    let object = |value: fn(&Change) -> &Option<String>| {
        let fields = changes.iter().filter_map(|change| {
            let value = value(change).clone()?;
            Some((change.field.to_owned(), Value::String(value)))
        });
        Value::Object(fields.collect::<Map<_, _>>()).to_string()
    };
    connection
        .prepare_cached(
            "INSERT INTO audit (at, who, action, employee, detail, old, new)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            to_millis(author.at),
            &author.who,
            action,
            employee.into(),
            detail,
            object(|change| &change.old),
            object(|change| &change.new),
        ))?;
    Ok(())
}
