//! Doors and relays that are out of service.

use rusqlite::Connection;

use crate::db::device::{self, DeviceKind};
use crate::db::values::to_millis;
use crate::db::writing::Writing;
use crate::db::{Author, Error, Result, Store, audit};
use crate::domain::ids::DeviceName;
use crate::domain::near::nearest;

/// What became of a device that was to go out of service, or back into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retired {
    /// What it is.
    pub kind: DeviceKind,
    /// Whether that changed anything.
    pub changed: bool,
    /// How many entries a relay had left when it was last heard; 0 for a door.
    pub waiting: u64,
}

impl Store {
    /// Takes a door or a relay out of service, or puts it back. No flash opens a door meanwhile,
    /// until that is undone; nothing more is expected of a relay, until it connects again.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the near names if there is none of that name, or of that kind;
    /// [`Error::Conflict`] if there is one of either kind and none is said; those of writing.
    pub fn retire(
        &mut self,
        name: &DeviceName,
        kind: Option<DeviceKind>,
        retired: bool,
        author: &Author,
    ) -> Result<Retired> {
        self.write(|transaction| {
            let kind = which(transaction, name, kind)?;
            let at = retired.then(|| to_millis(author.at));
            let set = match kind {
                DeviceKind::Door => {
                    "UPDATE door SET retired = ?2
                     WHERE name = ?1 AND (retired IS NULL) <> (?2 IS NULL)"
                }
                DeviceKind::Relay => {
                    "UPDATE relay SET retired = ?2
                     WHERE name = ?1 AND (retired IS NULL) <> (?2 IS NULL)"
                }
            };
            let changed = transaction.prepare_cached(set)?.execute((name, at))? > 0;
            if changed {
                let action = if retired { "retire" } else { "undo retire" };
                let detail = format!("{kind} '{name}'");
                audit::record(transaction, author, action, None, &detail, &[])?;
            }
            let waiting = match kind {
                DeviceKind::Door => 0,
                DeviceKind::Relay => transaction
                    .prepare_cached("SELECT waiting FROM relay WHERE name = ?1")?
                    .query_row([name], |row| row.get(0))?,
            };
            Ok(Retired {
                kind,
                changed,
                waiting,
            })
        })
    }
}

/// What is meant by a name: where it is a door's and a relay's, nothing is guessed.
fn which(
    transaction: &Writing<'_>,
    name: &DeviceName,
    said: Option<DeviceKind>,
) -> Result<DeviceKind> {
    let all = [DeviceKind::Door, DeviceKind::Relay];
    let asked = all
        .into_iter()
        .filter(|kind| said.is_none_or(|said| said == *kind));
    let mut found = Vec::new();
    for kind in asked {
        if device::find(transaction, kind, name)?.is_some() {
            found.push(kind);
        }
    }
    match found[..] {
        [kind] => Ok(kind),
        [] => Err(no_such(transaction, name, said)?),
        _ => Err(Error::Conflict(format!(
            "'{name}' is a door and a relay: say which, with --role door or --role relay"
        ))),
    }
}

fn no_such(connection: &Connection, name: &DeviceName, said: Option<DeviceKind>) -> Result<Error> {
    let mut select = connection.prepare_cached(
        "SELECT name FROM door WHERE ?1 IS NOT 'relay'
         UNION SELECT name FROM relay WHERE ?1 IS NOT 'door'",
    )?;
    let names = select.query_map([said.map(DeviceKind::code)], |row| row.get(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    let what = said.map_or("door or relay", DeviceKind::code);
    let near = nearest(name.as_str(), names.iter().map(String::as_str));
    Ok(Error::NotFound(match near.first() {
        Some(near) => format!("no {what} '{name}'; did you mean '{near}'?"),
        None => format!("no {what} '{name}'; 'twinkle central devices' lists them"),
    }))
}
