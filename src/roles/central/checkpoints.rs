//! Beside the writer, what gathers in the database's log is moved into the database: within a commit
//! that takes several flushes, and whoever stands at a door would wait for them.

use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use tracing::debug;

use crate::db::Store;

/// From so many bytes on the log is moved: a thousand pages of a new database, as SQLite itself would do it.
const LONG: u32 = 1 << 20;
/// After so many things that happened it is looked how long the log is: none makes it longer by more
/// than some pages, and SQLite compiles anew what asks.
const LOOK_EVERY: usize = 256;

/// The thread that moves it. It ends when this is dropped, which waits for it, so that the writer is
/// the last to close the database and leaves no log behind.
pub(super) struct Checkpoints {
    /// `None` once it is to end.
    wake: Option<SyncSender<()>>,
    /// How many pages are too many.
    long: u32,
    /// How many were stored since it was last looked how long the log is.
    stored: usize,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread, on a connection of its own, for that writer.
    ///
    /// # Errors
    /// If the database cannot be opened once more, or the system has no thread for us.
    pub(super) fn start(writer: &Store) -> anyhow::Result<Self> {
        writer.leave_log()?;
        let store = Store::open(writer.path())?;
        let (wake, asked) = mpsc::sync_channel(1);
        let move_log = move || {
            while asked.recv().is_ok() {
                if let Err(cause) = store.move_log() {
                    // Its time comes again, and in the end a commit does it and says what is wrong.
                    debug!("the log cannot be moved: {cause}");
                }
            }
        };
        let thread = thread::Builder::new().name("checkpoints".to_owned());
        Ok(Self {
            wake: Some(wake),
            long: writer.pages(LONG)?,
            stored: 0,
            thread: Some(thread.spawn(move_log)?),
        })
    }

    /// The writer has stored so many things that happened.
    pub(super) fn stored(&mut self, happened: usize, writer: &Store) {
        self.stored += happened;
        if self.stored < LOOK_EVERY {
            return;
        }
        self.stored = 0;
        if writer.log_length().is_ok_and(|pages| pages >= self.long)
            && let Some(wake) = &self.wake
        {
            // If it was woken already, that is enough.
            let _woken = wake.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // If it has failed, the writer's last commit has its work.
            let _failed = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Entry, Opened};

    #[test]
    fn a_long_log_is_moved_beside_the_writer_and_none_is_left_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let Opened { mut store, .. } = Store::open_as_central(&path, chrono_tz::UTC).unwrap();
        let mut checkpoints = Checkpoints::start(&store).unwrap();
        let now = "2024-02-12T09:00:00Z".parse().unwrap();
        for number in 0.. {
            if store.log_length().unwrap() >= checkpoints.long {
                break;
            }
            let name = |n: u32| Entry::Door(format!("door {number} {n}").parse().unwrap());
            let doors: Vec<_> = (0..500).map(name).collect();
            store.admit(doors.iter(), now).unwrap();
            assert!(number < 1_000, "no commit was to move it");
        }
        checkpoints.stored(LOOK_EVERY - 1, &store);
        checkpoints.stored(1, &store);
        while store.log_length().ok() != Some(0) {
            thread::yield_now();
        }
        drop(checkpoints);
        drop(store);
        assert!(path.exists() && !path.with_extension("db-wal").exists());
    }
}
