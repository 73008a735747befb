//! Who changed what: append-only, a row for each administrator's change, in its transaction.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use serde_json::{Map, Value};

use crate::db::values::{from_millis, to_millis};
use crate::db::{Change, Result, Store};
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
    Row::of(changes).record(connection, author, action, employee, detail)
}

/// The values before and after a change, as they are written down.
pub(super) struct Row {
    old: String,
    new: String,
}

impl Row {
    pub(super) fn of(changes: &[Change]) -> Self {
        let object = |value: fn(&Change) -> &Option<String>| {
            let fields = changes.iter().filter_map(|change| {
                let value = value(change).clone()?;
                Some((change.field.to_owned(), Value::String(value)))
            });
            Value::Object(fields.collect::<Map<_, _>>()).to_string()
        };
        Self {
            old: object(|change| &change.old),
            new: object(|change| &change.new),
        }
    }

    pub(super) fn record(
        &self,
        connection: &Connection,
        author: &Author,
        action: &str,
        employee: impl Into<Option<EmployeeNumber>>,
        detail: &str,
    ) -> Result<()> {
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
                &self.old,
                &self.new,
            ))?;
        Ok(())
    }
}

/// What was written down of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: DateTime<Utc>,
    /// Who made it.
    pub who: String,
    /// What it was: `add`, `edit`, …
    pub action: String,
    /// What there is to say about it.
    pub detail: String,
    /// Each value that was changed: which, the old one, the new one.
    pub values: Vec<(String, Option<String>, Option<String>)>,
}

impl Store {
    /// All changes of an employee, oldest first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn history(&self, employee: EmployeeNumber) -> Result<Vec<AuditRow>> {
        let mut select = self.connection.prepare_cached(
            "SELECT at, who, action, detail, old, new FROM audit WHERE employee = ?1 ORDER BY id",
        )?;
        let rows = select.query_map([employee], |row| {
            Ok(AuditRow {
                at: from_millis(row.get(0)?),
                who: row.get(1)?,
                action: row.get(2)?,
                detail: row.get(3)?,
                values: values(row.get(4)?, row.get(5)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// The values of two JSON objects by field, in the order of the fields. What is no such object,
/// which only another program can have written, is shown as it is.
fn values(
    old: Option<String>,
    new: Option<String>,
) -> Vec<(String, Option<String>, Option<String>)> {
    let read = |text: Option<String>| -> Map<String, Value> {
        let Some(text) = text else {
            return Map::new();
        };
        serde_json::from_str(&text)
            .unwrap_or_else(|_| Map::from_iter([("?".to_owned(), Value::String(text))]))
    };
    let (mut old, mut new) = (read(old), read(new));
    let mut fields: Vec<_> = old.keys().chain(new.keys()).cloned().collect();
    fields.sort();
    fields.dedup();
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let take = |map: &mut Map<String, Value>, field: &str| map.remove(field).map(text);
    fields
        .into_iter()
        .map(|field| {
            let (old, new) = (take(&mut old, &field), take(&mut new, &field));
            (field, old, new)
        })
        .collect()
}
