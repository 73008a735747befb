//! What a link remembers: which flashes wait for an answer and until when, what it must tell its
//! upstream as soon as it can, and the bytes to write. No I/O and no clock: times come as
//! arguments.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;
use tracing::error;

use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{EventId, InstallationId};
use crate::wire::answers::Answers;
use crate::wire::link::aid::{Aid, Session};
use crate::wire::link::door_events::DoorEvents;
use crate::wire::link::pending::{Asker, Pending, give_up};
use crate::wire::link::probes::Probes;
use crate::wire::{Answer, Door, Event, Flash, Message, Role};

mod doors;
mod sending;

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
    /// Whether we are about to end: nothing is asked any more, only reported.
    leaving: bool,
    next_seq: u64,
    pending: HashMap<u64, Pending>,
    /// Under which number each event waits that does.
    by_event: HashMap<EventId, u64>,
    /// When something is next due for a pending flash, soonest first.
    due: BTreeSet<(Instant, u64)>,
    /// What the timer was set to, if it was.
    armed: Option<Instant>,
    /// Events to be noted upstream as undelivered, and who wants to hear that they were.
    undelivered: BTreeMap<EventId, Option<Answers>>,
    /// Round trips that are being measured.
    pub(super) probes: Probes,
    /// What happened at doors and is not stored upstream yet.
    pub(super) door_events: DoorEvents,
    /// The doors that are connected to this relay, and how many connections each has; those for
    /// plain text always count as one.
    doors: BTreeMap<Door, usize>,
    /// The upstream's installation, once known.
    pub(super) installation: Option<InstallationId>,
    /// Frames to be written.
    pub(super) out: BytesMut,
    /// Frames to be written when there is nothing else, one at a time.
    later: VecDeque<BytesMut>,
    /// Who helps a relay.
    aid: Option<Arc<dyn Aid>>,
    pub(super) session: Session,
}

/// How long flashes may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long the upstream may take to answer.
    pub deadline: Duration,
    /// How much earlier than its own budget ends an asker is told that no answer came, so that it
    /// hears it from us before it gives us up.
    pub margin: Duration,
}

impl State {
    pub(super) fn new(role: Role, installation: Option<InstallationId>) -> Self {
        Self {
            phase: Phase::Trying,
            leaving: false,
            next_seq: 1,
            pending: HashMap::new(),
            by_event: HashMap::new(),
            due: BTreeSet::new(),
            armed: None,
            undelivered: BTreeMap::new(),
            probes: Probes::default(),
            door_events: DoorEvents::new(role),
            doors: BTreeMap::new(),
            installation,
            out: BytesMut::new(),
            later: VecDeque::new(),
            aid: None,
            session: Session(0),
        }
    }

    /// Has somebody, or nobody, told of all that happens from now on.
    pub(super) fn set_aid(&mut self, aid: Option<Arc<dyn Aid>>) {
        self.aid = aid;
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
    /// down. It gets an answer within the deadline, and before its own budget ends.
    pub(super) fn ask(
        &mut self,
        mut flash: Flash,
        answers: Answers,
        patience: Patience,
        now: Instant,
    ) {
        let asker = Asker {
            seq: flash.seq,
            answers,
        };
        if self.undelivered.contains_key(&flash.event) {
            // Its door is not known to have opened, and so it counts for nothing.
            let Asker { seq, answers } = asker;
            answers.refuse(seq, flash.event, Reason::TooLate);
            return;
        }
        if self.phase == Phase::Down || self.leaving {
            let reason = Reason::CentralUnreachable;
            give_up(self.aid.as_deref(), &flash, [asker], reason, false);
            return;
        }
        let Some(asker) = self.ask_again(&flash, asker) else {
            return;
        };
        let margin = patience.margin.min(flash.budget() / 10);
        let budget = (flash.budget() - margin).min(patience.deadline);
        let pending = Pending {
            flash: flash.clone(),
            taken_over: false,
            askers: vec![asker],
            answer_by: now + budget,
            give_up_at: now + patience.deadline,
        };
        flash.seq = self.next_seq;
        flash.budget_ms = u32::try_from(budget.as_millis()).unwrap_or(u32::MAX);
        self.next_seq += 1;
        self.due.insert((pending.answer_by, flash.seq));
        self.by_event.entry(flash.event).or_insert(flash.seq);
        self.pending.insert(flash.seq, pending);
        self.send(&Message::Flash(flash));
    }

    /// Has a flash that was sent again wait for the answer that is under way. Gives the asker back
    /// if it has to be asked anew: there is none, or it is another flash that bears the same id.
    fn ask_again(&mut self, flash: &Flash, asker: Asker) -> Option<Asker> {
        let known = self.by_event.get(&flash.event);
        let Some(pending) = known.and_then(|seq| self.pending.get_mut(seq)) else {
            return Some(asker);
        };
        if pending.flash.door != flash.door || pending.flash.twinklet != flash.twinklet {
            return Some(asker);
        }
        if pending.askers.is_empty() {
            // It was given up: whatever the upstream decides counts for nothing.
            asker
                .answers
                .refuse(asker.seq, flash.event, Reason::TooLate);
        } else {
            pending.askers.push(asker);
        }
        None
    }

    /// Hands an answer to whoever waits for it, if it came in time.
    pub(super) fn answered(&mut self, mut answer: Answer, now: Instant) {
        let Some(mut pending) = self.pending.remove(&answer.seq) else {
            return;
        };
        self.due.remove(&(pending.due_at(), answer.seq));
        let event = pending.flash.event;
        self.forget_event(event, answer.seq);
        let opens = answer.verdict == Verdict::Open;
        let mut heard = false;
        if now > pending.answer_by {
            pending.give_up(self.aid.as_deref(), Reason::TooLate, true);
        } else if answer.verdict == Verdict::DontOpen(Reason::StorageFailed) {
            pending.give_up(self.aid.as_deref(), Reason::StorageFailed, false);
        } else if let Some(Asker { seq, answers }) = pending.askers.pop() {
            for Asker { seq, answers } in pending.askers {
                let answer = Answer {
                    seq,
                    ..answer.clone()
                };
                heard |= answers.verdict(event, answer).is_ok();
            }
            if let Some(aid) = &self.aid {
                aid.answered(&pending.flash, answer.verdict);
            }
            answer.seq = seq;
            heard |= answers.verdict(event, answer).is_ok();
        }
        if opens && !heard && !pending.taken_over {
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
            let reason = match pending.answer_by < pending.give_up_at {
                true => Reason::TooLate,
                false => Reason::CentralUnreachable,
            };
            pending.give_up(self.aid.as_deref(), reason, true);
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
        // A door whose connection was lost, and that asks again over another one, may still be
        // opened: only its own word says that it was not.
        let asked_again = self
            .by_event
            .get(&event)
            .and_then(|seq| self.pending.get(seq));
        if asker.is_none() && asked_again.is_some_and(|pending| !pending.askers.is_empty()) {
            return;
        }
        if self.undelivered.len() >= MAX_UNDELIVERED
            && !self.undelivered.contains_key(&event)
            && let Some((oldest, _)) = self.undelivered.pop_first()
        {
            error!("too many undelivered events to remember; forgetting {oldest}");
        }
        let known = self.undelivered.entry(event).or_default();
        *known = asker.or(known.take());
        if let Some(aid) = &self.aid {
            aid.undelivered(event);
        }
        if self.phase == Phase::Up {
            self.send(&Message::Undelivered(Event { event }));
        }
    }

    /// Whether the upstream has noted everything that it was told.
    pub(super) fn has_reported_all(&self) -> bool {
        self.undelivered.is_empty() && self.door_events.is_empty()
    }

    /// The upstream has stored that the event was undelivered, or what happened.
    pub(super) fn noted(&mut self, event: EventId, now: Instant) {
        let asker = match self.undelivered.remove(&event) {
            Some(asker) => asker,
            None => self.door_events.noted(event, now),
        };
        if let Some(asker) = asker {
            asker.noted(event);
        }
    }

    /// Queues what happened at doors, as far as it is time to send it.
    pub(super) fn send_door_events(&mut self, now: Instant) {
        while let Some(happened) = self.door_events.next(now) {
            self.send(&Message::Happened(happened));
        }
    }

    /// The upstream has answered: it hears first of all doors and of what was undelivered, then of
    /// the flashes that waited.
    pub(super) fn up(&mut self, time: i64) {
        self.phase = Phase::Up;
        self.session = Session(self.session.0 + 1);
        // What a connection was to say whose place this one takes.
        self.later.clear();
        self.probes.give_up();
        if let Some(aid) = &self.aid {
            aid.connected(self.session, self.installation, time);
        }
        self.door_events.start_over();
        let flashes = self.out.split();
        let doors: Vec<_> = self.doors.keys().cloned().collect();
        doors.into_iter().for_each(|door| self.announce(door));
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
        self.later.clear();
        if was_up && let Some(aid) = &self.aid {
            aid.lost();
        }
        self.refuse_all(was_up);
    }

    /// Whether nobody waits for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// We are about to end: every flash that waits is refused, and the upstream is told so.
    pub(super) fn leave(&mut self) {
        self.leaving = true;
        self.refuse_all(self.phase == Phase::Up);
    }

    /// Sends a probe, or gives it up at once while the upstream is away.
    pub(super) fn probe(&mut self, n: u64, asker: &Answers, now: Instant) {
        if let Some(probe) = self.probes.begin(n, asker, self.phase, now) {
            self.send(&probe);
        }
    }

    fn refuse_all(&mut self, were_sent: bool) {
        self.probes.give_up();
        self.due.clear();
        self.by_event.clear();
        for (_, mut pending) in std::mem::take(&mut self.pending) {
            pending.give_up(self.aid.as_deref(), Reason::CentralUnreachable, were_sent);
            if were_sent && !pending.taken_over {
                self.undelivered(pending.flash.event, None);
            }
        }
    }

    fn forget_event(&mut self, event: EventId, seq: u64) {
        if let Entry::Occupied(entry) = self.by_event.entry(event)
            && *entry.get() == seq
        {
            entry.remove();
        }
    }

    /// What becomes of flashes while the upstream is away, for people.
    pub(super) fn meanwhile(&self) -> &'static str {
        match &self.aid {
            Some(aid) if aid.decides() => "this relay decides meanwhile",
            _ => "no door opens meanwhile",
        }
    }

    /// Tells whoever helps here something that is not about a flash; returns whether anybody does.
    pub(super) fn tell_aid(&self, message: Message) -> bool {
        if let Some(aid) = &self.aid {
            aid.told(self.session, message);
        }
        self.aid.is_some()
    }
}

#[cfg(test)]
mod tests;
