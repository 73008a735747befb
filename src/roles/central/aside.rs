//! What waits at the writer while flashes go first: undelivered events, what relays kept, and how
//! long flashes took.

use std::collections::{BTreeMap, VecDeque};
use std::iter;

use crate::db::Entry;
use crate::domain::ids::EventId;
use crate::roles::central::desk::{Asker, Job};
use crate::wire::answers::Answers;

/// The most undelivered events of one transaction that flashes wait for, unless very many wait: each
/// may have to look through a day's events.
const UNDELIVERED_AT_ONCE: usize = 16;
/// How many undelivered events may wait while flashes go first.
const UNDELIVERED_WAITING: usize = 4_096;
/// The most of a relay's frames of one transaction, when nothing else is to be stored: a flush for
/// each would take longer than they do, and a flash that comes meanwhile waits for some tens of
/// milliseconds.
const SPOOLED_AT_ONCE: usize = 4;
/// How many messages of delays may wait; they are figures, and what is over goes.
const DELAYS_WAITING: usize = 1_024;

/// See the module.
#[derive(Default)]
pub(super) struct Aside {
    /// Undelivered events that are still to be stored, and who wants to hear of it.
    undelivered: BTreeMap<EventId, Option<Answers>>,
    /// What relays kept, still to be stored when there is nothing more urgent.
    spooled: VecDeque<Job>,
    /// How long flashes took, likewise: one message of it in each transaction.
    delays: VecDeque<Job>,
}

impl Aside {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.undelivered.is_empty() && self.spooled.is_empty() && self.delays.is_empty()
    }

    /// Fills a batch up to so many with what `next` has, but for what may wait: of that too no more
    /// is taken at once, however fast it comes.
    pub(super) fn fill(
        &mut self,
        batch: &mut Vec<Job>,
        most: usize,
        next: &mut dyn FnMut() -> Option<Job>,
    ) {
        let room = most.saturating_sub(batch.len());
        for job in iter::from_fn(next).take(room) {
            self.take(job, batch);
        }
    }

    /// Puts a job into the batch, or aside, if others may go before it.
    fn take(&mut self, job: Job, batch: &mut Vec<Job>) {
        match job {
            Job {
                entry: Entry::Undelivered(event),
                asker: Asker::Undelivered(answers),
            } => self.undelivered(event, answers),
            job @ Job {
                entry: Entry::Spooled(_),
                ..
            } => self.spooled.push_back(job),
            job @ Job {
                entry: Entry::Delays(_),
                ..
            } => {
                if self.delays.len() < DELAYS_WAITING {
                    self.delays.push_back(job);
                }
            }
            job => {
                if let Entry::Flash(flash) = &job.entry
                    && let Some(answers) = self.undelivered.remove(&flash.event)
                {
                    // Sent again, it must not be opened now: it counts for nothing.
                    batch.push(noting(flash.event, answers));
                }
                batch.push(job);
            }
        }
    }

    /// An event is undelivered; `answers` hears when that is stored, unless we found out ourselves.
    pub(super) fn undelivered(&mut self, event: EventId, answers: Option<Answers>) {
        let known = self.undelivered.entry(event).or_default();
        *known = answers.or(known.take());
    }

    /// Puts back what a relay kept, before the others that wait. Only its own relay's connection
    /// waits for it; that tries again when it is over.
    pub(super) fn put_back(&mut self, spooled: Job) {
        self.spooled.push_front(spooled);
    }

    /// Adds to a batch what may go along; `failing`: whether the last one could not be stored.
    pub(super) fn go_along(&mut self, batch: &mut Vec<Job>, most: usize, failing: bool) {
        let over = self.undelivered.len().saturating_sub(UNDELIVERED_WAITING);
        let beside_flashes = match batch.is_empty() {
            true => most,
            false => UNDELIVERED_AT_ONCE,
        };
        for _ in 0..over.max(beside_flashes) {
            let Some((event, answers)) = self.undelivered.pop_first() else {
                break;
            };
            batch.push(noting(event, answers));
        }
        // Beside flashes one of their frames in each transaction: they wait no longer for it than
        // that, and not at all while it may be what cannot be stored.
        let frames = match (batch.is_empty(), failing) {
            (true, false) => SPOOLED_AT_ONCE,
            (true, true) | (false, false) => 1,
            (false, true) => 0,
        };
        for _ in 0..frames {
            batch.extend(self.spooled.pop_front());
        }
        if !failing {
            batch.extend(self.delays.pop_front());
        }
    }
}

/// The job of noting that an event is undelivered.
fn noting(event: EventId, answers: Option<Answers>) -> Job {
    let entry = match &answers {
        Some(_) => Entry::Undelivered(event),
        None => Entry::Unheard(event),
    };
    let asker = Asker::Undelivered(answers);
    Job { entry, asker }
}
