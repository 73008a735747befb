//! What a central keeps at hand of its database for the next batch. It is read anew only after
//! another program has changed the database, or this one otherwise than by a batch.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::db::Result;
use crate::db::day_rules::DayRules;
use crate::db::device::{self, DeviceKind, KnownDoor};
use crate::db::statements::Statements;
use crate::db::uncounted::Uncounted;
use crate::db::undelivered::Undelivered;
use crate::domain::ids::DeviceName;

/// See the module.
#[derive(Debug)]
pub(super) struct AtHand {
    version: i64,
    /// When days begin.
    pub(super) rules: DayRules,
    pub(super) devices: Devices,
    pub(super) undelivered: Undelivered,
    /// What the batches have stored that attendance has not counted.
    pub(super) uncounted: Uncounted,
}

impl AtHand {
    /// As it is in this transaction: what was kept, if that still holds.
    pub(super) fn current(connection: &Connection, kept: Option<Self>) -> Result<Self> {
        let version = connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        match kept.filter(|kept| kept.version == version) {
            Some(kept) => Ok(kept),
            None => Ok(Self {
                version,
                rules: DayRules::read(connection)?,
                devices: Devices::default(),
                undelivered: Undelivered::default(),
                uncounted: Uncounted::settled(connection)?,
            }),
        }
    }
}

/// Doors and relays by name, as far as they were asked for. What batches write of devices is none of
/// what is kept here.
#[derive(Debug, Default)]
pub(super) struct Devices {
    doors: HashMap<DeviceName, KnownDoor>,
    relays: HashMap<DeviceName, i64>,
}

impl Devices {
    /// A door, if it is known.
    pub(super) fn door(
        &mut self,
        statements: &mut Statements<'_>,
        name: &DeviceName,
    ) -> Result<Option<KnownDoor>> {
        if let Some(door) = self.doors.get(name) {
            return Ok(Some(*door));
        }
        let found = device::door(statements, name)?;
        self.doors.extend(found.map(|door| (name.clone(), door)));
        Ok(found)
    }

    /// The id of a relay, if it is known.
    pub(super) fn relay(
        &mut self,
        connection: &Connection,
        name: &DeviceName,
    ) -> Result<Option<i64>> {
        if let Some(id) = self.relays.get(name) {
            return Ok(Some(*id));
        }
        let found = device::find(connection, DeviceKind::Relay, name)?;
        self.relays.extend(found.map(|id| (name.clone(), id)));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use crate::db::{Author, DeviceKind, Entry, FlashEntry, NewEmployee, Outcome, Store};
    use crate::domain::access::{Reason, Verdict};
    use crate::domain::ids::{DeviceName, EventId, TwinkletId};

    const LAB: &str = "lab";
    const ATTIC: &str = "attic";

    fn now() -> DateTime<Utc> {
        "2024-02-12T09:00:00Z".parse().unwrap()
    }

    fn author() -> Author {
        let who = "test".to_owned();
        Author { who, at: now() }
    }

    fn name(name: &str) -> DeviceName {
        name.parse().unwrap()
    }

    fn badge() -> TwinkletId {
        TwinkletId::new(7).unwrap()
    }

    /// A database with an employee and a door, in that folder.
    fn store(folder: &tempfile::TempDir) -> Store {
        let path = folder.path().join("t.db");
        let mut store = Store::open_as_central(&path, chrono_tz::UTC).unwrap().store;
        let new = NewEmployee {
            name: "Asha".parse().unwrap(),
            twinklet: badge(),
            joined: "2024-02-01".parse().unwrap(),
            department: None,
            hours: None,
        };
        store.add_employee(&new, &author()).unwrap();
        let door = Entry::Door(name(LAB));
        store.admit([&door].into_iter(), now()).unwrap();
        store
    }

    fn flash(door: &str) -> Entry {
        Entry::Flash(FlashEntry {
            event: EventId::generate(),
            door: name(door),
            relay: None,
            twinklet: badge(),
            code: None,
            device_at: 1,
            in_time: true,
        })
    }

    fn verdict(store: &mut Store, door: &str) -> Verdict {
        let outcomes = store.admit([&flash(door)].into_iter(), now()).unwrap();
        match &*outcomes {
            [Outcome::Decided(verdict, _)] => *verdict,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_another_program_or_this_one_changes_holds_for_the_next_flash() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        let mut office = Store::open(store.path()).unwrap();
        assert_eq!(verdict(&mut store, LAB), Verdict::Open);
        let door = Some(DeviceKind::Door);

        office.retire(&name(LAB), door, true, &author()).unwrap();
        let retired = Verdict::DontOpen(Reason::DoorRetired);
        assert_eq!(verdict(&mut store, LAB), retired);

        store.retire(&name(LAB), door, false, &author()).unwrap();
        assert_eq!(verdict(&mut store, LAB), Verdict::Open);
    }

    #[test]
    fn a_batch_that_is_not_stored_leaves_nothing_at_hand() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        store
            .connection
            .execute_batch(
                "CREATE TEMP TRIGGER fails AFTER INSERT ON event
                 BEGIN SELECT raise(ABORT, 'test'); END",
            )
            .unwrap();
        let batch = [Entry::Door(name(ATTIC)), flash(ATTIC)];
        store.admit(batch.iter(), now()).unwrap_err();
        store
            .connection
            .execute_batch("DROP TRIGGER fails")
            .unwrap();

        let unknown = Verdict::DontOpen(Reason::UnknownDoor);
        assert_eq!(verdict(&mut store, ATTIC), unknown);
    }
}
