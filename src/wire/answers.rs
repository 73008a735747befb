//! The way back: what a connection still owes its peer, handed over from wherever it is decided.

use tokio::sync::mpsc;

use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{DeviceName, EventId};
use crate::wire::{Answer, Echo, Error, Event, Message, Role};

/// One thing to be written to a peer.
#[derive(Debug)]
pub enum Owed {
    /// The answer to a flash, and the event it is about.
    Verdict(Answer, EventId),
    /// The event is stored as undelivered.
    Noted(EventId),
    /// The reply to a ping.
    Pong(u64),
    /// Nothing more: a door that the peer announced could not be taken, with this code.
    HangUp(DeviceName, &'static str),
}

impl Owed {
    /// The event whose `Open` this is.
    pub fn open(&self) -> Option<EventId> {
        match self {
            Owed::Verdict(
                Answer {
                    verdict: Verdict::Open,
                    ..
                },
                event,
            ) => Some(*event),
            _ => None,
        }
    }

    /// As it goes over the wire.
    ///
    /// # Errors
    /// [`Error::NotTaken`] if the connection is to end instead.
    pub fn into_message(self) -> Result<Message, Error> {
        match self {
            Owed::Verdict(answer, _) => Ok(Message::Verdict(answer)),
            Owed::Noted(event) => Ok(Message::Noted(Event { event })),
            Owed::Pong(n) => Ok(Message::Pong(Echo { n })),
            Owed::HangUp(name, code) => Err(Error::NotTaken {
                role: Role::Door,
                name,
                code,
            }),
        }
    }
}

/// An `Open` that nobody was left to hear: the event must be noted as undelivered.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an Open that reached no door must not count"]
pub struct Unheard(pub EventId);

/// Where the answers for one connection go. Each request that waits for one holds a clone; when
/// the last is dropped, everything owed has been handed over.
#[derive(Debug, Clone)]
pub struct Answers(mpsc::UnboundedSender<Owed>);

/// The connection's end of its [`Answers`]. Not bounded in itself: there is one answer for each
/// request, and those are bounded for each connection.
pub type OwedReceiver = mpsc::UnboundedReceiver<Owed>;

impl Answers {
    /// The two ends.
    pub fn channel() -> (Self, OwedReceiver) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Answers flash `seq`.
    ///
    /// # Errors
    /// [`Unheard`] if the connection has ended and the answer was `Open`.
    pub fn verdict(&self, event: EventId, answer: Answer) -> Result<(), Unheard> {
        match self.0.send(Owed::Verdict(answer, event)) {
            Ok(()) => Ok(()),
            Err(lost) => lost.0.open().map_or(Ok(()), |event| Err(Unheard(event))),
        }
    }

    /// Refuses flash `seq`. That nobody may be left to hear it harms nothing.
    pub fn refuse(&self, seq: u64, event: EventId, reason: Reason) {
        let answer = Answer {
            seq,
            verdict: Verdict::DontOpen(reason),
            name: None,
        };
        let _ended = self.0.send(Owed::Verdict(answer, event));
    }

    /// Says that the event is stored as undelivered. A peer that is gone will ask again.
    pub fn noted(&self, event: EventId) {
        let _ended = self.0.send(Owed::Noted(event));
    }

    /// Ends the connection, because a door that its peer announced cannot be taken.
    pub fn hang_up(&self, door: DeviceName, code: &'static str) {
        let _ended = self.0.send(Owed::HangUp(door, code));
    }

    /// Answers a ping.
    pub fn pong(&self, n: u64) {
        let _ended = self.0.send(Owed::Pong(n));
    }
}
