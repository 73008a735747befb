//! How a relay's file is kept small: what was kept long enough goes, and its log is moved into it.

use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use crate::db::{self, RelayStore};
use crate::roles::relay::writer::Work;

/// How often what is kept too long is looked for.
const TRIM: Duration = Duration::from_secs(600);
/// From so many bytes on the log is moved. While it is, the disk is busy, and a central on the same disk
/// waits with its own flush: little and often holds up no flash for long.
const LONG: u32 = 256 << 10;

/// Leaves it to [`Work::move_log`] to move a store's log, and returns from how many pages on.
///
/// # Errors
/// SQLite's.
pub(super) fn long(store: &RelayStore) -> db::Result<u32> {
    store.leave_log()?;
    store.pages(LONG)
}

impl Work {
    /// Notes now and then what the central has, and drops what is kept too long.
    pub(super) fn trim(&mut self) {
        let now = Instant::now();
        let Some(store) = self.store.as_mut().filter(|_| self.trim_at <= now) else {
            return;
        };
        let trimmed = store
            .acknowledge(self.backlog.acknowledged)
            .and_then(|_| store.trim(self.options.clock.now(), self.options.limit));
        let more = self.worked(trimmed).unwrap_or(false);
        self.trim_at = now + if more { Duration::ZERO } else { TRIM };
    }

    /// Moves the log into the file once it is long. This is for when all doors are answered: within a
    /// commit somebody at a door would wait for two flushes more.
    pub(super) fn move_log(&self) {
        let Some(store) = &self.store else { return };
        if store.log_length().is_ok_and(|pages| pages >= self.long)
            && let Err(cause) = store.move_log()
        {
            // Its time comes again, and in the end a commit does it and says what is wrong.
            debug!("the log cannot be moved: {cause}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::Batches;
    use crate::clock;
    use crate::db::Draft;
    use crate::domain::ids::EventId;
    use crate::domain::spool::{Lost, What};
    use crate::roles::relay::hand_over::tests::work;

    #[tokio::test(start_paused = true)]
    async fn a_long_log_is_moved_between_commits_and_not_within_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut work = work(&folder, None);
        assert_eq!(work.long, 64, "a new file's pages");
        let log = |work: &Work| work.store.as_ref().unwrap().log_length().unwrap();
        let entry = Draft {
            at: "2024-02-12T09:00:00Z".parse().unwrap(),
            uptime: 0,
            what: What::Undelivered(Lost {
                event: EventId::generate(),
            }),
        };
        let some = vec![entry; 1_000];
        let append = |work: &mut Work| {
            let before = log(work);
            let store = work.store.as_mut().unwrap();
            store.append(&[], &some, clock::boot()).unwrap();
            assert!(log(work) > before, "a commit moved it");
        };
        while log(&work) < work.long {
            let before = log(&work);
            work.store(&mut || None);
            assert_eq!(log(&work), before, "a short log was moved");
            append(&mut work);
        }
        work.store(&mut || None);
        assert_eq!(log(&work), 0);
        // SQLite itself would do it within a commit now.
        while log(&work) < 1_100 {
            append(&mut work);
        }
        work.store(&mut || None);
        assert_eq!(log(&work), 0);
    }
}
