//! The way back: what a connection still owes its peer, handed over from wherever it is decided.

use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{DeviceName, EventId};
use crate::wire::spool::Stored;
use crate::wire::{Answer, Echo, Error, Event, Message, Probed, Role};

mod queue;

use queue::Queue;

/// One thing to be written to a peer.
#[derive(Debug)]
pub enum Owed {
    /// The answer to a flash, and the event it is about.
    Verdict(Answer, EventId),
    /// The event is stored, as undelivered or as what happened.
    Noted(EventId),
    /// The reply to a ping.
    Pong(u64),
    /// Something that nobody asked for.
    News(Box<Message>),
    /// The entries up to there are stored: those that the relay asked about, or so many that came.
    Stored(Stored, Option<usize>),
    /// The reply to a probe.
    Probed(Probed),
    /// Nothing more: a door that the peer announced could not be taken, with this code.
    HangUp(DeviceName, &'static str),
}

// A batch of the central's owes as many at once as it has flashes.
const _: () = assert!(size_of::<Owed>() <= 64);

impl Owed {
    /// How many of the requests of a window this answers.
    pub fn weight(&self) -> usize {
        match self {
            Owed::Verdict(..) => 1,
            Owed::Stored(_, count) => count.unwrap_or(0),
            Owed::Noted(_) | Owed::Pong(_) | Owed::Probed(_) | Owed::News(_) | Owed::HangUp(..) => {
                0
            }
        }
    }

    /// The event whose `Open` this is.
    pub fn open(&self) -> Option<EventId> {
        match self {
            Owed::Verdict(answer, event) if answer.verdict == Verdict::Open => Some(*event),
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
            Owed::News(message) => Ok(*message),
            Owed::Stored(stored, None) => Ok(Message::Resume(stored)),
            Owed::Stored(stored, Some(_)) => Ok(Message::Stored(stored)),
            Owed::Probed(probed) => Ok(Message::Probed(probed)),
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

/// Who counts the flashes that are answered.
pub trait Tally: std::fmt::Debug + Send + Sync {
    /// A flash of that door was answered so long after it came.
    fn answered(&self, door: &DeviceName, verdict: Verdict, after: Duration);
}

/// Where the answers for one connection go. Each request that waits for one holds a clone; when
/// the last is dropped, everything owed has been handed over.
#[derive(Debug, Clone)]
pub struct Answers {
    way: Arc<Way>,
    /// The flash that this is to answer, if somebody counts them.
    of: Option<Arc<Asked>>,
}

/// A flash that came.
#[derive(Debug)]
struct Asked {
    door: DeviceName,
    at: Instant,
}

#[derive(Debug)]
struct Way {
    queue: Arc<Queue>,
    tally: Option<Arc<dyn Tally>>,
}

impl Drop for Way {
    fn drop(&mut self) {
        self.queue.finish();
    }
}

/// Whoever is to write what was handed over together, to be woken up once for all of it: when this
/// is dropped.
#[derive(Debug, Default)]
pub struct Together(Vec<Waker>);

impl Drop for Together {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

/// See [`Answers::downgrade`].
#[derive(Debug, Clone)]
pub struct WeakAnswers(Weak<Way>);

impl WeakAnswers {
    /// The way to the peer, while it is connected.
    pub fn upgrade(&self) -> Option<Answers> {
        self.0.upgrade().map(|way| Answers { way, of: None })
    }
}

/// The connection's end of its [`Answers`]. What waits has no bound in itself: a connection is not
/// read on while too much of what it asked is unanswered, or too much of that is unwritten.
#[derive(Debug)]
pub struct OwedReceiver(Arc<Queue>);

impl Answers {
    /// The two ends.
    pub fn channel() -> (Self, OwedReceiver) {
        Self::counted(None)
    }

    /// The two ends, and who counts the flashes that are answered.
    pub fn counted(tally: Option<Arc<dyn Tally>>) -> (Self, OwedReceiver) {
        let queue = Arc::<Queue>::default();
        let way = Way {
            queue: Arc::clone(&queue),
            tally,
        };
        let answers = Self {
            way: Arc::new(way),
            of: None,
        };
        (answers, OwedReceiver(queue))
    }

    /// For a flash that comes from that door now, if somebody counts them.
    pub fn from_now(&self, door: &DeviceName) -> Option<Self> {
        self.way.tally.as_ref()?;
        Some(Self {
            way: Arc::clone(&self.way),
            of: Some(Arc::new(Asked {
                door: door.clone(),
                at: Instant::now(),
            })),
        })
    }

    fn count(&self, verdict: Verdict) {
        if let (Some(of), Some(tally)) = (&self.of, &self.way.tally) {
            tally.answered(&of.door, verdict, of.at.elapsed());
        }
    }

    /// Answers a flash.
    ///
    /// # Errors
    /// [`Unheard`] if the connection has ended and the answer was `Open`.
    pub fn verdict(&self, event: EventId, answer: Answer) -> Result<(), Unheard> {
        if let Some(waiting) = self.put(event, answer)? {
            waiting.wake();
        }
        Ok(())
    }

    /// The same, of one of many that are handed over together.
    ///
    /// # Errors
    /// Those of [`Self::verdict`].
    pub fn verdict_with(
        &self,
        event: EventId,
        answer: Answer,
        others: &mut Together,
    ) -> Result<(), Unheard> {
        others.0.extend(self.put(event, answer)?);
        Ok(())
    }

    fn put(&self, event: EventId, answer: Answer) -> Result<Option<Waker>, Unheard> {
        self.count(answer.verdict);
        match self.way.queue.put(Owed::Verdict(answer, event)) {
            Ok(waiting) => Ok(waiting),
            Err(lost) => lost.open().map_or(Ok(None), |event| Err(Unheard(event))),
        }
    }

    /// Refuses flash `seq`. That nobody may be left to hear it harms nothing.
    pub fn refuse(&self, seq: u64, event: EventId, reason: Reason) {
        let answer = Answer {
            seq,
            verdict: Verdict::DontOpen(reason),
            name: None,
        };
        self.count(answer.verdict);
        self.hand_over(Owed::Verdict(answer, event));
    }

    /// Says that the event is stored, as undelivered or as what happened. A peer that is gone will ask again.
    pub fn noted(&self, event: EventId) {
        self.hand_over(Owed::Noted(event));
    }

    /// Ends the connection, because a door that its peer announced cannot be taken.
    pub fn hang_up(&self, door: DeviceName, code: &'static str) {
        self.hand_over(Owed::HangUp(door, code));
    }

    /// Says that the entries up to there are stored: to a relay that asked about them (`None`), or
    /// that sent so many.
    pub fn stored(&self, to: u64, count: Option<usize>) {
        self.hand_over(Owed::Stored(Stored { to }, count));
    }

    /// Says something that nobody asked for.
    pub fn news(&self, message: Message) {
        self.hand_over(Owed::News(Box::new(message)));
    }

    /// A handle that does not keep the connection: for whoever has news now and then.
    pub fn downgrade(&self) -> WeakAnswers {
        WeakAnswers(Arc::downgrade(&self.way))
    }

    /// Answers a ping.
    pub fn pong(&self, n: u64) {
        self.hand_over(Owed::Pong(n));
    }

    /// Answers a probe.
    pub fn probed(&self, probed: Probed) {
        self.hand_over(Owed::Probed(probed));
    }

    /// How much was handed over and not written yet.
    pub fn unwritten(&self) -> usize {
        self.way.queue.unwritten()
    }

    /// Does nothing if the connection has ended.
    fn hand_over(&self, owed: Owed) {
        if let Ok(Some(waiting)) = self.way.queue.put(owed) {
            waiting.wake();
        }
    }
}

impl OwedReceiver {
    /// The next thing owed, which counts as written; `None` once nothing more can come. Dropping
    /// the future loses nothing.
    pub async fn next(&mut self) -> Option<Owed> {
        let owed = self.0.next().await;
        if owed.is_some() {
            self.written(1);
        }
        owed
    }

    /// What is owed now, if anything.
    #[cfg(test)]
    pub(crate) fn next_now(&mut self) -> Option<Owed> {
        self.0.next_now()
    }

    /// Waits until something is owed, and appends what there is, up to `limit`; returns how much,
    /// 0 once nothing more can come. Dropping the future loses nothing.
    pub async fn next_batch(&mut self, batch: &mut Vec<Owed>, limit: usize) -> usize {
        self.0.next_batch(batch, limit).await
    }

    /// So much of [`Self::next_batch`] was written.
    pub fn written(&self, count: usize) {
        self.0.written(count);
    }

    /// Takes no more, and returns the events of which an `Open` was handed over and not taken.
    pub fn close(&mut self) -> Vec<EventId> {
        self.0.close().iter().filter_map(Owed::open).collect()
    }
}

impl Drop for OwedReceiver {
    fn drop(&mut self) {
        self.0.close();
    }
}
