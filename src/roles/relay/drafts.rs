//! Entries that are still to be kept, each with the times by which the central places it.

use chrono::TimeDelta;

use crate::clock::{self, Clock};
use crate::db::Draft;
use crate::domain::spool::{Acted, What};

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
