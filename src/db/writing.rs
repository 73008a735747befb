//! A transaction that writes. It is as rusqlite's own, but the statements that begin and end it stay
//! compiled: a single flash may be one, and to compile them for each would be a part of what it takes.

use std::ops::Deref;

use rusqlite::Connection;

use crate::db::Result;

/// One that has begun. Unless it is committed, it is rolled back when it is dropped.
pub(super) struct Writing<'c>(&'c Connection);

impl<'c> Writing<'c> {
    /// Begins one that has the write lock from its start, so that what it reads stays true until it
    /// has written. It must not begin within another.
    pub(super) fn begin(connection: &'c Connection) -> Result<Self> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self(connection))
    }

    /// Returns once what it wrote is on the disk.
    pub(super) fn commit(self) -> Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Deref for Writing<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // SQLite rolls some back by itself.
        if !self.0.is_autocommit() {
            let _done = self.0.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Error;

    #[test]
    fn nobody_else_begins_before_one_has_ended_even_if_it_has_only_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let [one, other] = [(); 2].map(|()| Connection::open(&path).unwrap());
        one.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER)")
            .unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        let rows = |of: &Connection| {
            of.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))
                .unwrap()
        };

        let begun = Writing::begin(&one).unwrap();
        assert_eq!(rows(&begun), 0);
        assert!(matches!(Writing::begin(&other), Err(Error::Busy)));
        begun.execute("INSERT INTO t VALUES (1)", []).unwrap();
        drop(begun);

        let begun = Writing::begin(&other).unwrap();
        assert_eq!(rows(&begun), 0);
        begun.execute("INSERT INTO t VALUES (1)", []).unwrap();
        begun.commit().unwrap();
        assert_eq!(rows(&one), 1);
    }
}
