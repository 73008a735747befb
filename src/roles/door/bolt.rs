//! The lock, kept as the door wants it. Dropped, it locks.

use std::io;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info};

use crate::hw::Lock;
use crate::roles::door::doorway::Want;

/// When to try again if the lock does not do what it is told.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How often a lock that is locked is looked at, where it may vanish.
const LOOK_EVERY: Duration = Duration::from_secs(2);
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
    /// When to look whether it is there, while it is locked; `None` if it cannot vanish.
    look: Option<Instant>,
    /// Whether it was not there at the last look.
    lost: bool,
}

/// The lock did not unlock.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stuck;

impl Bolt {
    pub(super) fn new(lock: Box<dyn Lock>) -> Self {
        let look = lock.may_vanish().then(|| Instant::now() + LOOK_EVERY);
        Self {
            lock,
            told: Want::Locked,
            again: None,
            said: None,
            look,
            lost: false,
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
            self.look(now);
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

    /// Looks whether a lock that is locked is there still, or again: one that needs power to lock
    /// has none meanwhile.
    fn look(&mut self, now: Instant) {
        if !self.is_locked() || self.look.is_none_or(|due| now < due) {
            return;
        }
        self.look = Some(now + LOOK_EVERY);
        let there = self.lock.look();
        let lock = self.lock.describe();
        let was_lost = std::mem::replace(&mut self.lost, there.is_err());
        match there {
            Err(cause) if !was_lost => error!("lost {lock}: {cause}; looking for it"),
            Ok(()) if was_lost => info!("{lock}, is back and locked"),
            _ => (),
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
        let look = self.look.filter(|_| self.is_locked());
        self.again.into_iter().chain(look).min()
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
mod tests;
