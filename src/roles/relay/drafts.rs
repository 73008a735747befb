//! Entries that are still to be kept, each with the times by which the central places it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;

use crate::clock::{self, Clock};
use crate::db::Draft;
use crate::domain::spool::{Acted, What};

/// The most that the central has decided and that waits; it is written sooner then.
const KEEP_AT_ONCE: usize = 512;

/// What the central has decided and is not kept here yet. It is no job of its own each time: the
/// way of a flash must not wake another thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Decided(Arc<Mutex<Vec<Draft>>>);

impl Decided {
    /// Adds one; returns whether it is time to keep them.
    pub(super) fn add(&self, draft: Draft) -> bool {
        let mut drafts = self.drafts();
        // A file that fails for long has no room for what the central has anyway.
        if drafts.len() < KEEP_AT_ONCE * 4 {
            drafts.push(draft);
        }
        drafts.len() == KEEP_AT_ONCE
    }

    /// What waits.
    pub(super) fn drafts(&self) -> MutexGuard<'_, Vec<Draft>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry of something that happens now; `None` if the machine does not tell how long it is up.
pub(super) fn draft(clock: &dyn Clock, what: What) -> Option<Draft> {
    Some(Draft {
        at: clock.now(),
        uptime: uptime()?,
        what,
    })
}

/// A flash that was answered now.
pub(super) fn acted(clock: &dyn Clock, acted: Acted) -> Option<Draft> {
    draft(clock, What::Flash(acted))
}

/// The same entry, as something that happened so many milliseconds ago.
pub(super) fn aged(draft: Draft, age: u64) -> Draft {
    let back = i64::try_from(age).unwrap_or(i64::MAX);
    Draft {
        at: TimeDelta::try_milliseconds(back)
            .and_then(|back| draft.at.checked_sub_signed(back))
            .unwrap_or(draft.at),
        uptime: draft.uptime.saturating_sub(age),
        what: draft.what,
    }
}

/// How long the machine is up, in milliseconds, if it tells.
pub(super) fn uptime() -> Option<u64> {
    let uptime = clock::uptime().ok()?;
    u64::try_from(uptime.as_millis()).ok()
}
