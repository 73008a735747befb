//! What a month's register is derived from.

use std::collections::HashMap;

use crate::db::{Result, Store, attendance};
use crate::domain::attendance::{DaysSeen, Person};
use crate::domain::calendar::Month;
use crate::domain::ids::EmployeeNumber;

impl Store {
    /// Everybody with the days of that month on which they were present, by number.
    ///
    /// # Errors
    /// Those of reading.
    pub fn people(&mut self, month: Month) -> Result<Vec<Person>> {
        // One transaction: the two tables are read as of one moment.
        let transaction = self.connection.transaction()?;
        let mut seen: HashMap<EmployeeNumber, DaysSeen> = HashMap::new();
        attendance::of_month(&transaction, month, |employee, day| {
            seen.entry(employee).or_default().insert(day);
        })?;
        let mut select = transaction
            .prepare_cached("SELECT number, name, joined FROM employee ORDER BY number")?;
        let people = select.query_map([], |row| {
            let number = row.get(0)?;
            Ok(Person {
                number,
                name: row.get(1)?,
                joined: row.get(2)?,
                seen: seen.get(&number).copied().unwrap_or_default(),
            })
        })?;
        Ok(people.collect::<rusqlite::Result<_>>()?)
    }
}
