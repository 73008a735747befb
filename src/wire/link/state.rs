//! What a link remembers: which flashes wait for an answer and until when, what it must tell its
//! upstream as soon as it can, and the bytes to write. No I/O and no clock: times come as
//! arguments.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;
use tracing::error;

use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{DeviceName, EventId, InstallationId};
use crate::wire::answers::{Answers, Unheard};
use crate::wire::{Answer, Door, Event, Flash, Message, codec};

/// The most undelivered events that are remembered until the upstream has noted them. Each lost
/// connection adds what was in flight on it, so a site sees a handful.
const MAX_UNDELIVERED: usize = 100_000;

/// What is known about the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The first attempt to reach it is under way: flashes wait for its outcome.
    Trying,
    /// It answers.
    Up,
    /// It could not be reached or was lost: flashes are refused at once.
    Down,
}

/// See the module.
#[derive(Debug)]
pub(super) struct State {
    phase: Phase,
    next_seq: u64,
    pending: HashMap<u64, Pending>,
    /// When something is next due for a pending flash, soonest first.
    due: BTreeSet<(Instant, u64)>,
    /// What the timer was set to, if it was.
    armed: Option<Instant>,
    /// Events to be noted upstream as undelivered, and who wants to hear that they were.
    undelivered: BTreeMap<EventId, Vec<Answers>>,
    /// The doors that are connected to this relay, and how many connections each has.
    doors: BTreeMap<DeviceName, usize>,
    /// The upstream's installation, once known.
    pub(super) installation: Option<InstallationId>,
    /// Frames to be written.
    pub(super) out: BytesMut,
}

/// A flash that was sent and not answered yet.
#[derive(Debug)]
struct Pending {
    /// The number under which its asker knows it.
    seq: u64,
    event: EventId,
    /// Who waits for the answer; `None` once told that none came in time.
    asker: Option<Answers>,
    /// When the asker must have an answer.
    answer_by: Instant,
    /// When the upstream has missed its deadline.
    give_up_at: Instant,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Trying,
            next_seq: 1,
            pending: HashMap::new(),
            due: BTreeSet::new(),
            armed: None,
            undelivered: BTreeMap::new(),
            doors: BTreeMap::new(),
            installation: None,
            out: BytesMut::new(),
        }
    }

    /// When [`Self::expire`] has something to do next; the timer is set to that now. It is not set
    /// anew for each flash: usually the answer comes, and what was due falls away.
    pub(super) fn arm_timer(&mut self) -> Option<Instant> {
        self.armed = self.due.first().map(|&(when, _)| when);
        self.armed
    }

    /// Whether something is due before the timer goes off.
    pub(super) fn timer_is_late(&self) -> bool {
        let due = self.due.first().map(|&(when, _)| when);
        due.is_some_and(|due| self.armed.is_none_or(|armed| due < armed))
    }

    /// Sends a flash on under a number of our own, or refuses it at once while the upstream is
    /// down. It gets an answer within `deadline`, and within its own budget.
    pub(super) fn ask(
        &mut self,
        mut flash: Flash,
        asker: Answers,
        deadline: Duration,
        now: Instant,
    ) {
        if self.phase == Phase::Down {
            return asker.refuse(flash.seq, flash.event, Reason::CentralUnreachable);
        }
        let budget = flash.budget().min(deadline);
        let pending = Pending {
            seq: flash.seq,
            event: flash.event,
            asker: Some(asker),
            answer_by: now + budget,
            give_up_at: now + deadline,
        };
        flash.seq = self.next_seq;
        flash.budget_ms = u32::try_from(budget.as_millis()).unwrap_or(u32::MAX);
        self.next_seq += 1;
        self.due.insert((pending.answer_by, flash.seq));
        self.pending.insert(flash.seq, pending);
        self.send(&Message::Flash(flash));
    }

    /// Hands an answer to whoever waits for it, if it came in time.
    pub(super) fn answered(&mut self, mut answer: Answer, now: Instant) {
        let Some(pending) = self.pending.remove(&answer.seq) else {
            return;
        };
        self.due.remove(&(pending.due_at(), answer.seq));
        answer.seq = pending.seq;
        let opens = answer.verdict == Verdict::Open;
        let heard = match pending.asker {
            Some(asker) if now <= pending.answer_by => asker.verdict(pending.event, answer),
            Some(asker) => {
                asker.refuse(pending.seq, pending.event, Reason::TooLate);
                if opens {
                    Err(Unheard(pending.event))
                } else {
                    Ok(())
                }
            }
            None if opens => Err(Unheard(pending.event)),
            None => Ok(()),
        };
        if let Err(Unheard(event)) = heard {
            self.undelivered(event, None);
        }
    }

    /// Refuses the flashes whose time is over. Returns whether the upstream has missed a deadline
    /// of ours, rather than one that an asker set shorter.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let mut missed = false;
        while let Some(&(when, seq)) = self.due.first().filter(|&&(when, _)| when <= now) {
            self.due.remove(&(when, seq));
            let Some(pending) = self.pending.get_mut(&seq) else {
                continue;
            };
            if let Some(asker) = pending.asker.take() {
                let reason = match pending.answer_by < pending.give_up_at {
                    true => Reason::TooLate,
                    false => Reason::CentralUnreachable,
                };
                asker.refuse(pending.seq, pending.event, reason);
            }
            if pending.give_up_at <= now {
                missed = true;
            } else {
                self.due.insert((pending.give_up_at, seq));
            }
        }
        missed
    }

    /// Notes that an `Open` for the event reached no door, and tells the upstream until it has
    /// stored that; `asker` hears then that it has.
    pub(super) fn undelivered(&mut self, event: EventId, asker: Option<Answers>) {
        if self.undelivered.len() >= MAX_UNDELIVERED
            && let Some((oldest, _)) = self.undelivered.pop_first()
        {
            error!("too many undelivered events to remember; forgetting {oldest}");
        }
        self.undelivered.entry(event).or_default().extend(asker);
        if self.phase == Phase::Up {
            self.send(&Message::Undelivered(Event { event }));
        }
    }

    /// The upstream has stored that the event was undelivered.
    pub(super) fn noted(&mut self, event: EventId) {
        for asker in self.undelivered.remove(&event).into_iter().flatten() {
            asker.noted(event);
        }
    }

    /// A door has connected: the upstream must know before its first flash.
    pub(super) fn door_came(&mut self, name: &DeviceName) {
        let connections = self.doors.entry(name.clone()).or_default();
        *connections += 1;
        if *connections == 1 && self.phase == Phase::Up {
            self.send(&Message::Door(Door { name: name.clone() }));
        }
    }

    /// A connection of a door has ended.
    pub(super) fn door_went(&mut self, name: &DeviceName) {
        if let Some(connections) = self.doors.get_mut(name) {
            *connections -= 1;
            if *connections == 0 {
                self.doors.remove(name);
            }
        }
    }

    /// The upstream has answered: it hears first of all doors and of what was undelivered, then of
    /// the flashes that waited.
    pub(super) fn up(&mut self) {
        self.phase = Phase::Up;
        let flashes = self.out.split();
        let doors: Vec<_> = self.doors.keys().cloned().collect();
        doors
            .into_iter()
            .for_each(|name| self.send(&Message::Door(Door { name })));
        let events: Vec<_> = self.undelivered.keys().copied().collect();
        events
            .into_iter()
            .for_each(|event| self.send(&Message::Undelivered(Event { event })));
        self.out.extend_from_slice(&flashes);
    }

    /// The upstream is lost or cannot be reached: every flash that waits is refused, and what was
    /// sent to it counts as undelivered, whatever it decides.
    pub(super) fn down(&mut self) {
        let was_up = self.phase == Phase::Up;
        self.phase = Phase::Down;
        self.out.clear();
        self.refuse_all(was_up);
    }

    /// We are about to end: every flash that waits is refused, and the upstream told so.
    pub(super) fn abandon(&mut self) {
        self.refuse_all(true);
    }

    fn refuse_all(&mut self, were_sent: bool) {
        self.due.clear();
        for (_, pending) in std::mem::take(&mut self.pending) {
            if let Some(asker) = pending.asker {
                asker.refuse(pending.seq, pending.event, Reason::CentralUnreachable);
            }
            if were_sent {
                self.undelivered(pending.event, None);
            }
        }
    }

    /// Queues a message to be written.
    pub(super) fn send(&mut self, message: &Message) {
        if let Err(cause) = codec::encode(message, &mut self.out) {
            // Every field of what we send is bounded far below a frame's length.
            error!("a message could not be sent: {cause}");
        }
    }
}

impl Pending {
    /// Under which time it stands in [`State::due`].
    fn due_at(&self) -> Instant {
        if self.asker.is_some() {
            self.answer_by
        } else {
            self.give_up_at
        }
    }
}

#[cfg(test)]
mod tests;
