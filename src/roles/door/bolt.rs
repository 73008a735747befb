//! The lock, kept as the door wants it. Dropped, it locks.

use std::io;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info};

use crate::hw::Lock;
use crate::roles::door::doorway::Want;

/// When to try again if the lock does not do what it is told.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// When to say again that it does not.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// See the module. The lock is taken to be locked at first.
pub(super) struct Bolt {
    lock: Box<dyn Lock>,
    /// What it was told last; it may not have done it.
    told: Want,
    /// When to tell it again: it failed.
    again: Option<Instant>,
    /// When it was last said that it fails, if it does.
    said: Option<Instant>,
}

/// The lock did not unlock.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stuck;

impl Bolt {
    pub(super) fn new(lock: Box<dyn Lock>) -> Self {
        Self {
            lock,
            told: Want::Locked,
            again: None,
            said: None,
        }
    }

    /// Has the lock be so; the one place where a door is unlocked.
    ///
    /// # Errors
    /// [`Stuck`] if it was to unlock and did not; then it is told to lock.
    pub(super) fn drive(&mut self, want: Want, now: Instant) -> Result<(), Stuck> {
        self.again = None;
        let Want::Unlocked(until) = want else {
            self.close(now);
            return Ok(());
        };
        // Less time than it was told of needs no word: it will be told to lock.
        if let Want::Unlocked(told) = self.told
            && (told == until || until.is_some() && until < told)
        {
            return Ok(());
        }
        // Before the lock is asked, so that it is told to lock whatever it answers.
        self.told = want;
        let unlocked = self.lock.unlock(until.map(|until| until - now));
        self.heard("unlock", unlocked, now).inspect_err(|_| {
            self.close(now);
            self.again = Some(now + TRY_AGAIN);
        })
    }

    /// Locks, if it is not. If the lock does not do it, it is to be told again.
    pub(super) fn close(&mut self, now: Instant) {
        if self.is_locked() {
            return;
        }
        let locked = self.lock.lock();
        match self.heard("lock", locked, now) {
            Ok(()) => self.told = Want::Locked,
            Err(Stuck) => self.again = Some(now + TRY_AGAIN),
        }
    }

    /// Says that the lock does not do it, and that it does again.
    fn heard(&mut self, what: &str, done: io::Result<()>, now: Instant) -> Result<(), Stuck> {
        match done {
            Ok(()) => {
                // That it locks says nothing about whether it would unlock.
                if what == "unlock" && self.said.take().is_some() {
                    info!("the lock unlocks again");
                }
                Ok(())
            }
            Err(cause) => {
                if self.said.is_none_or(|said| now >= said + SAY_AGAIN) {
                    error!("the lock does not {what}: {cause}; trying again");
                    self.said = Some(now);
                }
                Err(Stuck)
            }
        }
    }

    /// When to call [`Self::drive`] again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.again
    }

    /// Whether nothing is left to be locked.
    pub(super) fn is_locked(&self) -> bool {
        self.told == Want::Locked
    }
}

impl Drop for Bolt {
    fn drop(&mut self) {
        self.close(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Writes down what it is told; fails to do it so many times, after which it is in order.
    struct Recorder {
        told: Arc<Mutex<Vec<String>>>,
        failures: usize,
    }

    impl Recorder {
        fn told(&mut self, what: String) -> io::Result<()> {
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

        fn unlock(&mut self, hold: Option<Duration>) -> io::Result<()> {
            self.told(format!("unlock {:?}", hold.map(|hold| hold.as_secs())))
        }

        fn lock(&mut self) -> io::Result<()> {
            self.told("lock".to_owned())
        }
    }

    fn bolt(failures: usize) -> (Bolt, impl Fn() -> Vec<String>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let lock = Recorder {
            told: Arc::clone(&told),
            failures,
        };
        let taken = move || std::mem::take(&mut *told.lock().unwrap());
        (Bolt::new(Box::new(lock)), taken)
    }

    #[test]
    fn the_lock_is_told_what_is_new_to_it_and_nothing_else() {
        let (mut bolt, told) = bolt(0);
        let now = Instant::now();
        let until = |seconds| Want::Unlocked(Some(now + Duration::from_secs(seconds)));
        for want in [
            Want::Locked,
            until(5),
            until(5),
            until(8),
            until(6),
            Want::Unlocked(None),
            Want::Unlocked(None),
            until(9),
            Want::Locked,
            Want::Locked,
        ] {
            bolt.drive(want, now).unwrap();
        }
        let expected = [
            "unlock Some(5)",
            "unlock Some(8)",
            "unlock None",
            "unlock Some(9)",
            "lock",
        ];
        assert_eq!(told(), expected);
        assert_eq!(bolt.due(), None);
    }

    #[test]
    fn dropped_open_it_locks_and_dropped_locked_it_does_nothing() {
        let (mut bolt, told) = bolt(0);
        bolt.drive(Want::Unlocked(None), Instant::now()).unwrap();
        drop(bolt);
        assert_eq!(told(), ["unlock None", "lock"]);
        let (bolt, told) = self::bolt(0);
        drop(bolt);
        assert_eq!(told(), Vec::<String>::new());
    }

    #[test]
    fn a_panic_leaves_the_door_locked() {
        let (mut bolt, told) = bolt(0);
        let work = std::panic::AssertUnwindSafe(move || {
            bolt.drive(Want::Unlocked(None), Instant::now()).unwrap();
            panic!("played");
        });
        std::panic::catch_unwind(work).unwrap_err();
        assert_eq!(told(), ["unlock None", "lock"]);
    }

    #[test]
    fn a_lock_that_fails_to_unlock_is_told_to_lock_and_may_be_asked_again() {
        let (mut bolt, told) = bolt(1);
        let now = Instant::now();
        assert_eq!(bolt.drive(Want::Unlocked(None), now), Err(Stuck));
        assert!(bolt.is_locked());
        assert_eq!(bolt.due(), Some(now + TRY_AGAIN));
        bolt.drive(Want::Unlocked(None), now + TRY_AGAIN).unwrap();
        assert_eq!(told(), ["unlock None", "lock", "unlock None"]);
        assert_eq!(bolt.due(), None);
    }

    #[test]
    fn a_lock_that_fails_to_lock_is_told_again() {
        let (mut bolt, told) = bolt(4);
        let mut now = Instant::now();
        assert_eq!(bolt.drive(Want::Unlocked(None), now), Err(Stuck));
        let mut tries = 1;
        while !bolt.is_locked() {
            now = bolt.due().unwrap();
            bolt.drive(Want::Locked, now).unwrap();
            tries += 1;
        }
        assert_eq!((tries, told().len()), (4, 5));
        assert_eq!(bolt.due(), None);
    }
}
