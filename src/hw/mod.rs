//! What a door is made of: where flashes come from and what unlocks, each behind a trait with a
//! stand-in that needs no hardware.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::domain::ids::TwinkletId;

mod lines;
mod sim;

/// One reading of a badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The badge.
    pub twinklet: TwinkletId,
}

/// Where flashes come from.
pub trait FlashSource: Send {
    /// What it is, for the start-up line.
    fn describe(&self) -> String;

    /// Begins to read, and hands each reading over; waits while nobody takes them. Drops the
    /// sender when no more will come. What is no reading is reported and passed over.
    ///
    /// # Errors
    /// If the source cannot be read at all.
    fn start(self: Box<Self>, readings: mpsc::Sender<Reading>) -> io::Result<()>;
}

/// What unlocks a door. It has no sense of time: whoever holds it locks it again.
pub trait Lock: Send {
    /// What it is, for the start-up line.
    fn describe(&self) -> String;

    /// Unlocks, or stays unlocked. It will be locked again after `hold`, unless more comes.
    ///
    /// # Errors
    /// If the lock does not do it; the door must then be taken for locked and be told to lock.
    fn unlock(&mut self, hold: Duration) -> io::Result<()>;

    /// Locks, or stays locked.
    ///
    /// # Errors
    /// If the lock does not do it.
    fn lock(&mut self) -> io::Result<()>;
}

/// A device that no twinkle knows.
#[derive(Debug, thiserror::Error)]
#[error("no {what} is called '{given}'; there is: {known}")]
pub struct UnknownDevice {
    what: &'static str,
    given: String,
    known: &'static str,
}

/// The source that `--from` names.
///
/// # Errors
/// [`UnknownDevice`].
pub fn source(name: &str) -> Result<Box<dyn FlashSource>, UnknownDevice> {
    match name {
        "stdin" => Ok(Box::new(lines::Lines::of_stdin())),
        _ => Err(UnknownDevice {
            what: "source",
            given: name.to_owned(),
            known: "stdin",
        }),
    }
}

/// How a device without hardware says what it does, a line each time.
pub type Say = Box<dyn Fn(&str) + Send>;

/// The lock that `--lock` names.
///
/// # Errors
/// [`UnknownDevice`].
pub fn lock(name: &str, say: Say) -> Result<Box<dyn Lock>, UnknownDevice> {
    match name {
        "sim" => Ok(Box::new(sim::SimulatedLock { say })),
        _ => Err(UnknownDevice {
            what: "lock",
            given: name.to_owned(),
            known: "sim",
        }),
    }
}
