//! Which doors an employee may use who may not use them all.

use rusqlite::Connection;

use crate::db::Result;
use crate::domain::ids::EmployeeNumber;

/// The names of the doors granted to an employee, in their order.
pub(super) fn doors(connection: &Connection, employee: EmployeeNumber) -> Result<Vec<String>> {
    let mut select = connection.prepare_cached(
        "SELECT name FROM door_grant JOIN door ON door.id = door_grant.door
         WHERE employee = ?1 ORDER BY name",
    )?;
    let doors = select.query_map([employee], |row| row.get(0))?;
    Ok(doors.collect::<rusqlite::Result<_>>()?)
}
