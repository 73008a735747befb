//! The thread's part in deciding while the central is away, and in keeping what that rests on.

use std::time::Duration;

use crate::db::Draft;
use crate::domain::access::{Reason, Verdict};
use crate::domain::door_event::Kind;
use crate::domain::guessing::Guesses;
use crate::domain::ids::EventId;
use crate::domain::spool::{Acted, Happened, What};
use crate::roles::relay::offline::Confirmation;
use crate::roles::relay::writer::Work;
use crate::wire::answers::{Answers, Unheard};
use crate::wire::link::aid::Session;
use crate::wire::roster::{Badges, Current, Roster, Taken};
use crate::wire::{Answer, Flash, Message};

/// What is decided of a flash.
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    /// How many unknown badges it makes, if it is a guess.
    guesses: Option<Guesses>,
    /// Whether the central was asked, and the asker has waited for it.
    pub(super) sent: bool,
}

impl Work {
    /// Decides a flash that the central has not, for that reason, when so many others are still to
    /// be kept; returns what is to be kept of it. Guesses are one entry, however many there are:
    /// else they would fill the spool, and nobody would get in.
    ///
    /// # Errors
    /// The reason to refuse it with, if nobody here decides it.
    pub(super) fn decide(
        &mut self,
        flash: &Flash,
        (reason, sent): (Reason, bool),
        more: usize,
    ) -> Result<(Decision, Option<Draft>), Reason> {
        if self.offline.is_none() {
            return Err(reason);
        }
        if self.is_full(more) {
            return Err(Reason::SpoolFull);
        }
        let (Some(offline), Some(store)) = (&mut self.offline, &mut self.store) else {
            return Err(Reason::StorageFailed);
        };
        let decided = offline.decide(store, flash);
        let verdict = self.worked(decided).ok_or(Reason::StorageFailed)??;
        let guesses = match (verdict, &mut self.offline) {
            (Verdict::DontOpen(Reason::UnknownTwinklet), Some(offline)) => {
                offline.unknown_badge(&flash.door)
            }
            _ => None,
        };
        let decision = Decision {
            verdict,
            guesses,
            sent,
        };
        if guesses.is_some_and(|guesses| !guesses.is_first()) {
            return Ok((decision, None));
        }
        let guessing = || {
            What::Happened(Happened {
                event: EventId::generate(),
                door: flash.door.clone(),
                kind: Kind::Guessing,
                device_at: flash.at,
                about: None,
            })
        };
        let acted = || Acted {
            event: flash.event,
            door: flash.door.clone(),
            twinklet: flash.twinklet,
            device_at: flash.at,
            verdict,
            own: true,
        };
        let draft = self.draft(match guesses {
            Some(_) => guessing(),
            None => What::Flash(acted()),
        });
        Ok((decision, Some(draft.ok_or(Reason::StorageFailed)?)))
    }

    /// Answers a flash that was decided here, and is kept.
    pub(super) fn answer(&self, flash: &Flash, answers: Answers, decision: &Decision) {
        if let (Some(guesses), Some(offline)) = (decision.guesses, &self.offline) {
            // Its door must not take this relay for dead.
            let at_most = match decision.sent {
                true => Duration::ZERO,
                false => flash.budget() / 2,
            };
            if decision.sent {
                // The central may know the badge: what it still comes to decide counts for nothing.
                self.options.link.undelivered(flash.event, None);
            }
            let asked = (flash.seq, flash.event);
            let held = offline.held();
            return held.refuse(&flash.door, guesses, at_most, asked, answers);
        }
        let answer = Answer {
            seq: flash.seq,
            verdict: decision.verdict,
            name: None,
        };
        if let Err(Unheard(event)) = answers.verdict(flash.event, answer) {
            self.options.link.undelivered(event, None);
        }
    }

    /// Refuses a flash that nobody has decided; whatever the central may still come to decide about
    /// it counts for nothing.
    pub(super) fn refuse(&self, flash: &Flash, answers: &Answers, reason: Reason, sent: bool) {
        answers.refuse(flash.seq, flash.event, reason);
        if sent {
            self.options.link.undelivered(flash.event, None);
        }
    }

    /// Asks the central to keep the roster up to date, for all doors that there are.
    pub(super) fn ask_for_roster(&mut self) {
        let (Some(offline), Some(store), Some(drain)) = (&self.offline, &self.store, &self.drain)
        else {
            return;
        };
        let (session, at) = (drain.session(), offline.at());
        let known = store.roster_doors();
        let mut doors = self.options.link.doors();
        doors.extend(self.worked(known).unwrap_or_default());
        self.asked_for = doors.into_iter().collect();
        self.ask(session, at);
    }

    fn ask(&self, session: Session, at: u64) {
        let roster = Roster {
            at,
            doors: self.asked_for.iter().cloned().collect(),
        };
        self.options
            .link
            .send_later(session, &Message::Roster(roster));
    }

    /// The central tells some badges.
    pub(super) fn badges(&mut self, session: Session, badges: &Badges) {
        if let (Some(offline), Some(store)) = (&mut self.offline, &mut self.store) {
            let stored = offline.badges(store, badges);
            if self.worked(stored).is_some() {
                let taken = Message::Taken(Taken { n: badges.n });
                self.options.link.send_later(session, &taken);
            }
        }
    }

    /// The central tells what they come to.
    pub(super) fn current(&mut self, session: Session, current: Current) {
        if let (Some(offline), Some(store)) = (&mut self.offline, &mut self.store) {
            let confirmed = offline.current(store, current);
            if self.worked(confirmed) == Some(Confirmation::Different) {
                self.ask(session, 0);
            }
        }
    }

    /// The connection is lost.
    pub(super) fn lost(&mut self) {
        (self.connected, self.drain) = (None, None);
        self.date();
    }

    /// Writes down how old the roster is.
    pub(super) fn date(&mut self) {
        if let (Some(offline), Some(store)) = (&mut self.offline, &mut self.store) {
            let dated = offline.date(store);
            self.worked(dated);
        }
    }
}
