//! The time that a lock stays open. Dropped, it locks.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::error;

use crate::hw::Lock;

/// A lock that locks itself again.
pub(super) struct Latch {
    lock: Box<dyn Lock>,
    open_for: Duration,
    /// When to lock; `None` while locked.
    open_until: Option<Instant>,
}

impl Latch {
    /// Locks, and stays locked until told to open.
    pub(super) fn new(lock: Box<dyn Lock>, open_for: Duration) -> Self {
        Self {
            lock,
            open_for,
            open_until: None,
        }
    }

    /// Unlocks for the full time from now: while open, that makes it longer and never shorter.
    ///
    /// # Errors
    /// If the lock does not do it; then it is told to lock.
    pub(super) fn open(&mut self, now: Instant) -> io::Result<()> {
        // Before the lock is asked, so that it is told to lock whatever it answers.
        self.open_until = Some(now + self.open_for);
        self.lock
            .unlock(self.open_for)
            .inspect_err(|_| self.close())
    }

    /// Waits until it is time to lock, and locks; for ever while it is locked.
    pub(super) async fn close_in_time(&mut self) {
        match self.open_until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
        self.close();
    }

    /// Whether nothing is left to be locked.
    pub(super) fn is_locked(&self) -> bool {
        self.open_until.is_none()
    }

    /// Locks, if it is open.
    fn close(&mut self) {
        if self.open_until.take().is_some()
            && let Err(cause) = self.lock.lock()
        {
            error!("the lock does not lock: {cause}");
        }
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Writes down what it is told; fails to unlock if `stuck`.
    struct Recorder {
        told: Arc<Mutex<Vec<&'static str>>>,
        stuck: bool,
    }

    impl Lock for Recorder {
        fn describe(&self) -> String {
            "a recorder".to_owned()
        }

        fn unlock(&mut self, _hold: Duration) -> io::Result<()> {
            self.told.lock().unwrap().push("unlock");
            if self.stuck {
                Err(io::Error::other("stuck"))
            } else {
                Ok(())
            }
        }

        fn lock(&mut self) -> io::Result<()> {
            self.told.lock().unwrap().push("lock");
            Ok(())
        }
    }

    fn latch(stuck: bool) -> (Latch, impl Fn() -> Vec<&'static str>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let lock = Recorder {
            told: Arc::clone(&told),
            stuck,
        };
        let taken = move || std::mem::take(&mut *told.lock().unwrap());
        (Latch::new(Box::new(lock), Duration::from_secs(5)), taken)
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_open_makes_it_longer() {
        let (mut latch, told) = latch(false);
        let began = Instant::now();
        latch.open(began).unwrap();
        tokio::time::advance(Duration::from_secs(3)).await;
        latch.open(Instant::now()).unwrap();
        latch.close_in_time().await;
        assert_eq!(began.elapsed().as_secs(), 8);
        assert_eq!(told(), ["unlock", "unlock", "lock"]);
        assert!(latch.is_locked());
    }

    #[test]
    fn dropped_open_it_locks_and_dropped_locked_it_does_nothing() {
        let (mut latch, told) = latch(false);
        latch.open(Instant::now()).unwrap();
        drop(latch);
        assert_eq!(told(), ["unlock", "lock"]);
        let (latch, told) = self::latch(false);
        drop(latch);
        assert_eq!(told(), Vec::<&str>::new());
    }

    #[test]
    fn a_lock_that_fails_to_unlock_is_told_to_lock() {
        let (mut latch, told) = latch(true);
        assert!(latch.open(Instant::now()).is_err());
        assert!(latch.is_locked());
        assert_eq!(told(), ["unlock", "lock"]);
    }
}
