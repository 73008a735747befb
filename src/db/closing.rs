//! The months as they were signed: kept whole, so that they print the same for ever.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::db::values::{from_millis, json, parsed, to_millis};
use crate::db::{Author, Error, Result, Store, audit};
use crate::domain::attendance::sheet::Sheet;
use crate::domain::attendance::{Register, Row as Line};
use crate::domain::calendar::Month;
use crate::domain::remark::Remark;

/// A month as it was signed.
#[derive(Debug)]
pub struct Closed {
    /// Its register.
    pub register: Register,
    /// What was written around it.
    pub sheet: Sheet,
    /// Who signed it.
    pub who: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Keeps a month as it is signed.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is closed already; else those of writing.
    pub fn close_month(
        &mut self,
        register: &Register,
        sheet: &Sheet,
        author: &Author,
    ) -> Result<()> {
        self.write(|transaction| {
            let month = register.month;
            if let Some(who) = signed_by(transaction, month)? {
                return Err(Error::Conflict(format!(
                    "{month} was signed by {who} already; --reopen it first, with a --reason"
                )));
            }
            transaction.execute(
                "INSERT INTO closing (month, at, who, days, notes, sheet)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    month.first(),
                    to_millis(author.at),
                    &author.who,
                    json(&register.days)?,
                    json(&register.notes)?,
                    json(sheet)?,
                ),
            )?;
            let closing = transaction.last_insert_rowid();
            let mut insert = transaction.prepare_cached(
                "INSERT INTO closing_row (closing, employee, name, content) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for row in &register.rows {
                insert.execute((closing, row.number, &row.name, json(row)?))?;
            }
            audit::record(transaction, author, "close", None, &month.to_string(), &[])
        })
    }

    /// Gives up a month as it was signed. What was signed is kept.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not closed; else those of writing.
    pub fn reopen_month(&mut self, month: Month, reason: &Remark, author: &Author) -> Result<()> {
        self.write(|transaction| {
            let reopened = transaction.execute(
                "UPDATE closing SET reopened = ?2, reopened_by = ?3, reason = ?4
                 WHERE month = ?1 AND reopened IS NULL",
                (
                    month.first(),
                    to_millis(author.at),
                    &author.who,
                    reason.as_str(),
                ),
            )?;
            if reopened == 0 {
                return Err(Error::NotFound(format!("{month} is not closed")));
            }
            let detail = format!("{month}: {reason}");
            audit::record(transaction, author, "reopen", None, &detail, &[])
        })
    }

    /// A month as it was signed, if it is closed.
    ///
    /// # Errors
    /// Those of reading.
    pub fn closed_month(&self, month: Month) -> Result<Option<Closed>> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, days, notes, sheet, who, at FROM closing
             WHERE month = ?1 AND reopened IS NULL",
        )?;
        let found = select.query_row([month.first()], |row| {
            let register = Register {
                month,
                days: parsed(row, 1)?,
                rows: Vec::new(),
                notes: parsed(row, 2)?,
            };
            let closed = Closed {
                register,
                sheet: parsed(row, 3)?,
                who: row.get(4)?,
                at: from_millis(row.get(5)?),
            };
            Ok((row.get::<_, i64>(0)?, closed))
        });
        let Some((id, mut closed)) = found.optional()? else {
            return Ok(None);
        };
        let mut select = self.connection.prepare_cached(
            "SELECT name, content FROM closing_row WHERE closing = ?1 ORDER BY employee",
        )?;
        let rows = select.query_map([id], |row| {
            Ok(Line {
                name: row.get(0)?,
                ..parsed(row, 1)?
            })
        })?;
        closed.register.rows = rows.collect::<rusqlite::Result<_>>()?;
        Ok(Some(closed))
    }
}

/// Who signed a month, if it is closed.
pub(super) fn signed_by(connection: &Connection, month: Month) -> Result<Option<String>> {
    let mut select = connection
        .prepare_cached("SELECT who FROM closing WHERE month = ?1 AND reopened IS NULL")?;
    Ok(select
        .query_row([month.first()], |row| row.get(0))
        .optional()?)
}
