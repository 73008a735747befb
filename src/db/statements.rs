//! The statements of a batch, at hand from its first flash to its last.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use rusqlite::{CachedStatement, Connection};

use crate::db::Result;
use crate::db::values::day_text;
use crate::domain::calendar::Day;

/// Statements that one piece of work runs again and again. The connection keeps what it once prepared
/// too, but finds it by all of its text, and clears and files it after each use: a seventh of what a
/// flash costs.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    /// By where its text lies in the program.
    at_hand: BTreeMap<*const str, CachedStatement<'c>>,
    /// The last day that was to be written: mostly all of a batch have the same.
    day: Option<(Day, Rc<str>)>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            at_hand: BTreeMap::new(),
            day: None,
        }
    }

    /// What they run on, for what comes up seldom.
    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// The statement of that text.
    pub(super) fn get(&mut self, sql: &'static str) -> Result<&mut CachedStatement<'c>> {
        Ok(match self.at_hand.entry(sql) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(not_yet) => not_yet.insert(self.connection.prepare_cached(sql)?),
        })
    }

    /// A day as the database keeps it.
    pub(super) fn day_text(&mut self, day: Day) -> Rc<str> {
        match &self.day {
            Some((known, text)) if *known == day => Rc::clone(text),
            _ => {
                let text: Rc<str> = day_text(day).into();
                self.day = Some((day, Rc::clone(&text)));
                text
            }
        }
    }
}
