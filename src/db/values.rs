//! Our types as column values. Days are kept as `YYYY-MM-DD`, by rusqlite itself wherever their
//! number is small.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Type, ValueRef};
use rusqlite::{Row, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{DeviceKind, Result};
use crate::domain::access::Verdict;
use crate::domain::calendar::{Day, day_of_digits};
use crate::domain::direction::Direction;
use crate::domain::door_event::Kind;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::hours::Hours;
use crate::domain::ids::{
    BootId, DeviceName, EmployeeNumber, EventId, InstallationId, PersonName, SpoolId, TwinkletId,
};

/// An instant as the database keeps it: UTC milliseconds since 1970.
pub(super) fn to_millis(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_millis()
}

/// An instant from the database; what lies beyond chrono's years becomes the nearest it can say.
pub(super) fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(match millis < 0 {
        true => DateTime::<Utc>::MIN_UTC,
        false => DateTime::<Utc>::MAX_UTC,
    })
}

/// A day as rusqlite would write it.
pub(super) fn day_text(day: Day) -> String {
    day.to_string()
}

/// A day as the database keeps it: what rusqlite would read, but quicker, for what is read with each
/// flash.
pub(super) struct StoredDay(pub(super) Day);

impl FromSql for StoredDay {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let day = match value.as_str()?.as_bytes() {
            [year @ .., b'-', m1, m2, b'-', d1, d2] if year.len() == 4 => {
                day_of_digits(year, &[*m1, *m2], &[*d1, *d2])
            }
            _ => None,
        };
        day.map_or_else(|| Day::column_result(value), Ok).map(Self)
    }
}

/// A value as JSON, for a column that holds it.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    let failed = |cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause));
    Ok(serde_json::to_string(value).map_err(failed)?)
}

/// The value of a column that holds JSON.
pub(super) fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|cause| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause))
    })
}

impl ToSql for TwinkletId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.get().cast_signed().into())
    }
}

impl FromSql for TwinkletId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let id = value.as_i64()?;
        TwinkletId::new(id.cast_unsigned()).map_err(|_| FromSqlError::OutOfRange(id))
    }
}

impl ToSql for EmployeeNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for EmployeeNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for DeviceName {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for DeviceName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map_err(|cause| FromSqlError::Other(Box::new(cause)))
    }
}

impl ToSql for DeviceKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for DeviceKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "relay" => Ok(DeviceKind::Relay),
            _ => Ok(DeviceKind::Door),
        }
    }
}

impl ToSql for Fingerprint {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().as_slice().into())
    }
}

impl FromSql for Fingerprint {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for EventId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().as_slice().into())
    }
}

impl FromSql for EventId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for InstallationId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().as_slice().into())
    }
}

impl FromSql for InstallationId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for SpoolId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().as_slice().into())
    }
}

impl FromSql for SpoolId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for BootId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_bytes().as_slice().into())
    }
}

impl FromSql for BootId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for Verdict {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for Verdict {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(Self::from_code)
    }
}

impl ToSql for Hours {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for Hours {
    /// Hours that make no sense, which only another program can have written, allow nothing: they
    /// must neither open a door nor keep a flash from being stored.
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(value.as_str()?.parse().unwrap_or(Self::NEVER))
    }
}

impl ToSql for PersonName {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Kind::from_code(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Direction {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for Direction {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map_err(|_| FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_rusqlite_writes_it() {
        for day in ["2026-11-26", "0007-01-02", "+12345-01-02", "-0001-12-31"] {
            let day: Day = day.parse().unwrap();
            let theirs = day.to_sql().unwrap();
            assert_eq!(ToSqlOutput::from(day_text(day)), theirs, "{day}");
        }
    }

    #[test]
    fn a_day_is_read_as_rusqlite_reads_it() {
        for text in [
            "2026-11-26",
            "0007-01-02",
            "+12345-01-02",
            "-0001-12-31",
            "2026-1-2",
            "2026-02-30",
            "2026-11-26 10:00",
            "soon",
            "",
        ] {
            let value = ValueRef::Text(text.as_bytes());
            let ours = StoredDay::column_result(value).map(|day| day.0);
            let theirs = Day::column_result(value);
            assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}");
            assert_eq!(ours.ok(), theirs.ok(), "{text}");
        }
    }
}
