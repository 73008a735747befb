//! What a door is made of: where flashes come from and what unlocks, each behind a trait with a
//! stand-in that needs no hardware.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::domain::code::Shown;

pub mod flashes;
pub mod gpio;
mod lines;
mod noise;
mod serial;
mod sim;

use gpio::{Consumer, GpioLock, Input, LineSpec};

/// One reading of a badge.
#[derive(Debug)]
pub struct Reading {
    /// What the badge showed.
    pub shown: Shown,
    /// Where to say whether the door was unlocked, if the source wants to know; dropped if nobody
    /// can say.
    pub reply: Option<oneshot::Sender<bool>>,
}

impl From<Shown> for Reading {
    /// A reading whose source wants no answer.
    fn from(shown: Shown) -> Self {
        Self { shown, reply: None }
    }
}

/// Where flashes come from.
pub trait FlashSource: Send {
    /// What it is, for the start-up line.
    fn describe(&self) -> String;

    /// Whether it could be read now, without reading it.
    ///
    /// # Errors
    /// Why not, and what to do.
    fn look(&self) -> Result<(), Trouble> {
        Ok(())
    }

    /// Begins to read, and hands each reading over; waits while nobody takes them. Drops the
    /// sender when no more will come. What is no reading is reported and passed over.
    ///
    /// # Errors
    /// If the source cannot be read at all.
    fn start(self: Box<Self>, readings: mpsc::Sender<Reading>) -> io::Result<()>;
}

/// What is wrong with a device, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

/// What unlocks a door. It has no sense of time: whoever holds it locks it again.
pub trait Lock: Send {
    /// What it is, for the start-up line.
    fn describe(&self) -> String;

    /// Unlocks, or stays unlocked. It will be locked again after `hold`, unless more comes; without
    /// one, whenever it is told to.
    ///
    /// # Errors
    /// If the lock does not do it; the door must then be taken for locked and be told to lock.
    fn unlock(&mut self, hold: Option<Duration>) -> io::Result<()>;

    /// Locks, or stays locked.
    ///
    /// # Errors
    /// If the lock does not do it.
    fn lock(&mut self) -> io::Result<()>;

    /// Whether it may vanish while nobody drives it, as a line of an adapter that is pulled out:
    /// then [`Self::look`] tells.
    fn may_vanish(&self) -> bool {
        false
    }

    /// Looks whether it is there, while it is locked. One that is there again is locked by that.
    ///
    /// # Errors
    /// If it is not there.
    fn look(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A device that no twinkle knows.
#[derive(Debug, thiserror::Error)]
#[error("no {what} is called '{given}'; {help}")]
pub struct UnknownDevice {
    what: &'static str,
    given: String,
    /// What there is, or how it is written.
    help: String,
}

/// A kind of source: how it is written, and what makes one from that.
struct SourceKind {
    written: &'static str,
    make: fn(&str) -> Made,
}

/// `None` if something else is written; an error says how it should be.
type Made = Option<Result<Box<dyn FlashSource>, String>>;

/// Every kind of source that is a device or a file of this machine.
const SOURCES: &[SourceKind] = &[lines::STDIN, serial::SERIAL];

/// The source that `--from` names. Others than ours are written as in `others`.
///
/// # Errors
/// [`UnknownDevice`].
pub fn source(name: &str, others: &[&str]) -> Result<Box<dyn FlashSource>, UnknownDevice> {
    let unknown = |help| UnknownDevice {
        what: "source",
        given: name.to_owned(),
        help,
    };
    match SOURCES.iter().find_map(|kind| (kind.make)(name)) {
        Some(made) => made.map_err(unknown),
        None => {
            let ours = SOURCES.iter().map(|kind| kind.written);
            let all: Vec<_> = ours.chain(others.iter().copied()).collect();
            Err(unknown(format!("there is: {}", all.join(", "))))
        }
    }
}

/// How a device without hardware says what it does, a line each time.
pub type Say = Box<dyn Fn(&str) + Send>;

/// What `--lock` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockSpec {
    /// A simulated lock, which says what it would do.
    Simulated,
    /// A lock on a GPIO line.
    Line {
        /// The line, and at which level the lock has power.
        line: LineSpec,
        /// Whether power locks it, as a magnet, rather than unlocks it.
        fail_safe: bool,
    },
}

impl LockSpec {
    /// The lock of that name: `sim`, or a line.
    ///
    /// # Errors
    /// How to write it.
    pub fn parse(name: &str, fail_safe: bool) -> Result<Self, &'static str> {
        match name {
            "sim" => Ok(Self::Simulated),
            line => Ok(Self::Line {
                line: line.parse()?,
                fail_safe,
            }),
        }
    }
}

/// Takes hold of a lock, locked.
///
/// # Errors
/// [`gpio::Error`].
pub fn lock(spec: &LockSpec, consumer: &Consumer, say: Say) -> Result<Box<dyn Lock>, gpio::Error> {
    Ok(match spec {
        LockSpec::Simulated => Box::new(sim::SimulatedLock { say }),
        LockSpec::Line { line, fail_safe } => {
            Box::new(GpioLock::request(line, *fail_safe, consumer)?)
        }
    })
}

/// What a door may sense beside badges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sensor {
    /// Whether the door is open.
    Contact,
    /// Whether somebody wants out: a button, or what sees people come.
    ExitButton,
    /// Whether the fire alarm is on.
    Fire,
    /// Whether somebody opens the device's case.
    Tamper,
}

impl Sensor {
    /// All of them.
    pub const ALL: [Sensor; 4] = [
        Sensor::Contact,
        Sensor::ExitButton,
        Sensor::Fire,
        Sensor::Tamper,
    ];

    /// What it means that its line is active.
    pub fn active(self) -> &'static str {
        match self {
            Sensor::Contact => "open",
            Sensor::ExitButton => "pressed",
            Sensor::Fire => "fire",
            Sensor::Tamper => "tampered with",
        }
    }

    /// What it means that its line is not.
    pub fn idle(self) -> &'static str {
        match self {
            Sensor::Contact => "shut",
            Sensor::ExitButton => "not pressed",
            Sensor::Fire => "no fire",
            Sensor::Tamper => "left alone",
        }
    }
}

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Sensor::Contact => "contact",
            Sensor::ExitButton => "exit button",
            Sensor::Fire => "fire input",
            Sensor::Tamper => "tamper input",
        })
    }
}

/// What a sensor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensed {
    /// Whether it is active.
    Is(bool),
    /// It cannot be read any more.
    Lost,
}

/// What a sensor says now; its first word is how things are at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub sensor: Sensor,
    /// What it says.
    pub sensed: Sensed,
}

/// Sensors whose lines we hold.
#[derive(Debug)]
pub struct Sensors(Vec<Input>);

impl Sensors {
    /// Takes hold of their lines.
    ///
    /// # Errors
    /// [`gpio::Error`].
    pub fn request(lines: &[(Sensor, LineSpec)], consumer: &Consumer) -> Result<Self, gpio::Error> {
        let request = |(sensor, line): &_| Input::request(*sensor, line, consumer);
        lines
            .iter()
            .map(request)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What each is, for the start-up lines.
    pub fn describe(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(Input::describe)
    }

    /// Tells what they say, within a runtime, for as long as somebody listens.
    pub fn start(self, changes: &mpsc::Sender<Change>) {
        for input in self.0 {
            input.start(changes.clone());
        }
    }
}
