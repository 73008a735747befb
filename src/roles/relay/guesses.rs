//! Guessing at a relay that decides by itself: by the same rule as at its central.

use std::collections::HashMap;

use crate::domain::guessing::{self, Guesses, USUALLY_FROM};
use crate::domain::ids::DeviceName;
use crate::wire::hold::Held;

/// So many doors may have had unknown badges until those are forgotten where it is over: anybody may
/// come under ever new names where no identity is asked for.
const DOORS: usize = 1_024;

/// Counts unknown badges for each door, and holds the answers to guesses back.
#[derive(Debug)]
pub(super) struct Guessing {
    doors: HashMap<DeviceName, Run>,
    pub(super) held: Held,
}

/// Unknown badges at a door, one soon after the other. Times are the machine's uptime, in
/// milliseconds.
#[derive(Debug, Clone, Copy)]
struct Run {
    began: i64,
    last: i64,
    count: u32,
}

impl Guessing {
    /// To be called in a runtime.
    pub(super) fn new() -> Self {
        Self {
            doors: HashMap::new(),
            held: Held::here(),
        }
    }

    /// An unknown badge was shown at that door, at that uptime. Returns how many it makes, if it is
    /// a guess.
    pub(super) fn count(&mut self, door: &DeviceName, now: i64) -> Option<Guesses> {
        let goes_on =
            |run: &Run| guessing::go_on(run.began, run.last, run.count >= USUALLY_FROM, now);
        if self.doors.len() >= DOORS {
            self.doors.retain(|_, run| goes_on(run));
        }
        let before = self.doors.get(door).copied().filter(goes_on);
        let (began, count) = before.map_or((now, 0), |run| (run.began, run.count));
        let guesses = Guesses {
            count: count.saturating_add(1),
            from: USUALLY_FROM,
        };
        let run = Run {
            began,
            last: now,
            count: guesses.count,
        };
        self.doors.insert(door.clone(), run);
        guesses.is_guess().then_some(guesses)
    }
}
