//! Which way people go through a door.

use crate::db::{Author, Change, Error, Result, Store, attendance, audit, uncounted};
use crate::domain::calendar::Day;
use crate::domain::direction::Direction;

impl Store {
    /// Which way people go through the door of that name.
    ///
    /// # Errors
    /// [`crate::db::Error::NotFound`] if none is known, with the near names; else those of reading.
    pub fn direction(&self, door: &str) -> Result<Direction> {
        let name = self.door(door)?.name;
        let mut select = self
            .connection
            .prepare_cached("SELECT direction FROM door WHERE name = ?1")?;
        Ok(select.query_row([name], |row| row.get(0))?)
    }

    /// Sets it, for the flashes to come and for those of the days from the first to the last. A day
    /// is a transaction of its own, so that no flash waits for all.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no such door is known, with the near names; [`Error::Conflict`] if the
    /// first day's events are archived; else those of writing.
    pub fn set_direction(
        &mut self,
        door: &str,
        direction: Direction,
        (first, last): (Day, Day),
        author: &Author,
    ) -> Result<()> {
        let old = self.direction(door)?;
        // Those days could not be counted anew.
        if let Some(archived) = self.archived_before()?.filter(|&archived| first < archived) {
            return Err(Error::Conflict(format!(
                "the events before {archived} are archived: say --since {archived} or a later day"
            )));
        }
        let days = self.days()?;
        let door: i64 = self.write(|transaction| {
            // By the direction that it had until now.
            uncounted::settle(transaction)?;
            let change = Change {
                field: "direction",
                old: Some(old.to_string()),
                new: Some(direction.to_string()),
            };
            let detail = format!("{door}, from {first} on");
            audit::record(transaction, author, "door", None, &detail, &[change])?;
            let mut set = transaction
                .prepare_cached("UPDATE door SET direction = ?2 WHERE name = ?1 RETURNING id")?;
            Ok(set.query_row((door, direction), |row| row.get(0))?)
        })?;
        for day in first.iter_days().take_while(|&day| day <= last) {
            self.write(|transaction| attendance::recount(transaction, door, day, days))?;
        }
        Ok(())
    }
}
