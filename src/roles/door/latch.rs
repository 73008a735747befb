//! The time that a lock stays open. Dropped, it locks.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::error;

use crate::hw::Lock;

/// When to try again if the lock does not lock.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// A lock that locks itself again. It is taken to be locked at first.
pub(super) struct Latch {
    lock: Box<dyn Lock>,
    open_for: Duration,
    /// When to lock; `None` while locked.
    open_until: Option<Instant>,
}

impl Latch {
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

    /// Locks, if it is open. If the lock does not do it, it is to be tried again.
    pub(super) fn close(&mut self) {
        if self.is_locked() {
            return;
        }
        self.open_until = match self.lock.lock() {
            Ok(()) => None,
            Err(cause) => {
                error!("the lock does not lock: {cause}; trying again");
                Some(Instant::now() + TRY_AGAIN)
            }
        };
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

    /// Writes down what it is told; fails to do it so many times, after which it is in order.
    struct Recorder {
        told: Arc<Mutex<Vec<&'static str>>>,
        failures: usize,
    }

    impl Recorder {
        fn told(&mut self, what: &'static str) -> io::Result<()> {
            self.told.lock().unwrap().push(what);
            match self.failures.checked_sub(1) {
                Some(left) => {
                    self.failures = left;
                    Err(io::Error::other("stuck"))
                }
                None => Ok(()),
            }
        }
    }

    impl Lock for Recorder {
        fn describe(&self) -> String {
            "a recorder".to_owned()
        }

        fn unlock(&mut self, _hold: Duration) -> io::Result<()> {
            self.told("unlock")
        }

        fn lock(&mut self) -> io::Result<()> {
            self.told("lock")
        }
    }

    fn latch(failures: usize) -> (Latch, impl Fn() -> Vec<&'static str>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let lock = Recorder {
            told: Arc::clone(&told),
            failures,
        };
        let taken = move || std::mem::take(&mut *told.lock().unwrap());
        (Latch::new(Box::new(lock), Duration::from_secs(5)), taken)
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_open_makes_it_longer() {
        let (mut latch, told) = latch(0);
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
        let (mut latch, told) = latch(0);
        latch.open(Instant::now()).unwrap();
        drop(latch);
        assert_eq!(told(), ["unlock", "lock"]);
        let (latch, told) = self::latch(0);
        drop(latch);
        assert_eq!(told(), Vec::<&str>::new());
    }

    #[test]
    fn a_lock_that_fails_to_unlock_is_told_to_lock() {
        let (mut latch, told) = latch(1);
        assert!(latch.open(Instant::now()).is_err());
        assert!(latch.is_locked());
        assert_eq!(told(), ["unlock", "lock"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_fails_to_lock_is_told_again() {
        let (mut latch, told) = latch(3);
        assert!(latch.open(Instant::now()).is_err());
        let mut tries = 1;
        while !latch.is_locked() {
            latch.close_in_time().await;
            tries += 1;
        }
        assert_eq!((tries, told().len()), (3, 4));
    }
}
