//! Which doors an employee may use who may not use them all.

use rusqlite::{Connection, OptionalExtension};

use crate::db::audit::{self, Author};
use crate::db::employee::{self, Change, Changed};
use crate::db::{Error, Result, Store};
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, EmployeeRef};
use crate::domain::near::nearest;

/// How the doors that an employee may use are to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Every door, also those to come.
    All,
    /// No door.
    None,
    /// These doors too; for one who may use every door, only these from now on.
    Add(Vec<String>),
    /// These doors no more.
    Remove(Vec<String>),
}

impl Store {
    /// Changes which doors an employee may use.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such employee or door, with the near names;
    /// [`Error::Conflict`] if several employees may be meant, or if doors are to be taken from one
    /// who may use every door; else those of writing.
    pub fn grant(
        &mut self,
        whom: &EmployeeRef,
        grant: &Grant,
        today: Day,
        author: &Author,
    ) -> Result<Changed> {
        self.write(|transaction| {
            let mut employee = employee::find(transaction, whom, today)?;
            let before = employee.doors.clone();
            let mut doors = before.clone().unwrap_or_default();
            let after = match grant {
                Grant::All => None,
                Grant::None => Some(Vec::new()),
                Grant::Add(names) => {
                    doors.extend(known(transaction, names)?);
                    Some(doors)
                }
                Grant::Remove(names) => {
                    let names = known(transaction, names)?;
                    if before.is_none() {
                        return Err(Error::Conflict(format!(
                            "{} ({number}) may use every door; name those to keep with \
                             'twinkle employee grant {number} DOOR…'",
                            employee.name,
                            number = employee.number
                        )));
                    }
                    doors.retain(|door| !names.contains(door));
                    Some(doors)
                }
            };
            let after = after.map(|mut doors| {
                doors.sort();
                doors.dedup();
                doors
            });
            set(transaction, employee.number, after.as_deref())?;
            let changes: Vec<_> = change(before.as_deref(), after.as_deref())
                .into_iter()
                .collect();
            employee.doors = after;
            if !changes.is_empty() {
                let action = match grant {
                    Grant::All | Grant::Add(_) => "grant",
                    Grant::None | Grant::Remove(_) => "ungrant",
                };
                audit::record(transaction, author, action, employee.number, "", &changes)?;
            }
            Ok(Changed { employee, changes })
        })
    }

    /// The names of all doors, in their order.
    ///
    /// # Errors
    /// Those of reading.
    pub fn doors(&self) -> Result<Vec<String>> {
        names(&self.connection)
    }
}

/// The change from some doors to others, if it is one.
pub(super) fn change(before: Option<&[String]>, after: Option<&[String]>) -> Option<Change> {
    let text = |doors: Option<&[String]>| match doors {
        None => "every".to_owned(),
        Some([]) => "none".to_owned(),
        Some(doors) => doors.join(", "),
    };
    (before != after).then(|| Change {
        field: "doors",
        old: Some(text(before)),
        new: Some(text(after)),
    })
}

/// Makes these, which are known, the only doors of an employee; `None` for every door.
pub(super) fn set(
    connection: &Connection,
    employee: EmployeeNumber,
    doors: Option<&[String]>,
) -> Result<()> {
    connection
        .prepare_cached("UPDATE employee SET doors_listed = ?2 WHERE number = ?1")?
        .execute((employee, doors.is_some()))?;
    connection
        .prepare_cached("DELETE FROM door_grant WHERE employee = ?1")?
        .execute([employee])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO door_grant (employee, door) SELECT ?1, id FROM door WHERE name = ?2",
    )?;
    for door in doors.unwrap_or_default() {
        insert.execute((employee, door))?;
    }
    Ok(())
}

/// The names of the doors granted to an employee, in their order.
pub(super) fn doors(connection: &Connection, employee: EmployeeNumber) -> Result<Vec<String>> {
    let mut select = connection.prepare_cached(
        "SELECT name FROM door_grant JOIN door ON door.id = door_grant.door
         WHERE employee = ?1 ORDER BY name",
    )?;
    let doors = select.query_map([employee], |row| row.get(0))?;
    Ok(doors.collect::<rusqlite::Result<_>>()?)
}

/// The doors of these names, all of which must be known.
fn known(connection: &Connection, wanted: &[String]) -> Result<Vec<String>> {
    let mut find = connection.prepare_cached("SELECT name FROM door WHERE name = ?1")?;
    let mut doors = Vec::new();
    for name in wanted {
        let door = find.query_row([name.trim()], |row| row.get(0)).optional()?;
        let unknown = || Ok(Error::NotFound(no_door(name, &names(connection)?)));
        match door {
            Some(door) => doors.push(door),
            None => return Err(unknown().unwrap_or_else(|error| error)),
        }
    }
    Ok(doors)
}

/// The names of all doors, in their order.
pub(super) fn names(connection: &Connection) -> Result<Vec<String>> {
    let mut select = connection.prepare_cached("SELECT name FROM door ORDER BY name")?;
    let doors = select.query_map([], |row| row.get(0))?;
    Ok(doors.collect::<rusqlite::Result<_>>()?)
}

/// That there is no such door, and which there are.
pub fn no_door(name: &str, known: &[String]) -> String {
    let quoted = |names: &[&str], between| {
        let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
        names.join(between)
    };
    let near = nearest(name, known.iter().map(String::as_str));
    let all: Vec<_> = known.iter().map(String::as_str).collect();
    match (near.is_empty(), known.len()) {
        (false, _) => format!("no door '{name}'; did you mean {}?", quoted(&near, " or ")),
        (true, 0) => format!("no door '{name}': none has ever connected"),
        (true, 1..=9) => format!("no door '{name}'; there is {}", quoted(&all, ", ")),
        (true, _) => format!("no door '{name}', nor one with a name like it"),
    }
}
