//! What a central looks out for among flashes, beside deciding them.

use std::time::Duration;

use crate::db::Store;
use crate::db::travel::Whereabouts;
use crate::domain::guessing;

/// See the module.
#[derive(Debug)]
pub(super) struct Watch {
    /// From which unknown badge in a minute at a door on they are guesses.
    pub(super) guesses_from: u32,
    /// Where badges were lately.
    pub(super) whereabouts: Whereabouts,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            guesses_from: guessing::USUALLY_FROM,
            whereabouts: Whereabouts::default(),
        }
    }
}

impl Store {
    /// Has unknown badges count as guesses from that one in a minute at a door on, and flags badges
    /// that are at a door sooner than this after another door.
    pub fn watch_for(&mut self, guesses_from: u32, travel_time: Option<Duration>) {
        self.watch = Watch {
            guesses_from,
            whereabouts: travel_time.map(Whereabouts::new).unwrap_or_default(),
        };
    }
}
