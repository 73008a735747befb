//! What the relay does beside forwarding: it hands what its link does to the thread that keeps it.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::warn;

use crate::clock::Clock;
use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{EventId, InstallationId};
use crate::domain::spool::Acted;
use crate::roles::relay::delays::Delays;
use crate::roles::relay::drafts;
use crate::roles::relay::drafts::Decided;
use crate::roles::relay::writer::Job;
use crate::wire::answers::Answers;
use crate::wire::link::aid::{Aid, Session};
use crate::wire::{Flash, Message};

/// Hands everything to the [`writer`].
#[derive(Debug)]
pub(super) struct Keeping {
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) decided: Decided,
    pub(super) delays: Delays,
    /// Whether this relay decides by itself when the central does not.
    pub(super) decides: bool,
    pub(super) clock: Arc<dyn Clock>,
}

impl Keeping {
    /// The queue is long; what finds it full is no worse off than without a file.
    fn hand_in(&self, job: Job) {
        if let Err(mpsc::error::TrySendError::Full(job)) = self.jobs.try_send(job) {
            warn!("too much happens at once to be kept: {job:?}");
        }
    }
}

impl Aid for Keeping {
    fn take_over(
        &self,
        flash: Flash,
        asker: Answers,
        reason: Reason,
        sent: bool,
    ) -> Result<(), (Flash, Answers)> {
        if !self.decides {
            return Err((flash, asker));
        }
        match self.jobs.try_reserve() {
            Ok(place) => {
                place.send(Job::Decide(flash, asker, reason, sent));
                Ok(())
            }
            Err(_full) => Err((flash, asker)),
        }
    }

    fn decides(&self) -> bool {
        self.decides
    }

    fn answered(&self, flash: &Flash, verdict: Verdict) {
        // The event is another flash's, or the central stored nothing.
        if let Verdict::DontOpen(reason) = verdict
            && (reason == Reason::EventReused || reason.is_undecided())
        {
            return;
        }
        let acted = Acted {
            event: flash.event,
            door: flash.door.clone(),
            twinklet: flash.twinklet,
            device_at: flash.at,
            verdict,
            own: false,
        };
        // The central has it; it is kept for one that is restored.
        if let Some(draft) = drafts::acted(&*self.clock, acted)
            && self.decided.add(draft)
        {
            self.hand_in(Job::Keep);
        }
    }

    fn undelivered(&self, event: EventId) {
        self.hand_in(Job::Undelivered(event));
    }

    fn connected(&self, session: Session, installation: Option<InstallationId>, _time: i64) {
        self.delays.connected(Some(session));
        self.hand_in(Job::Connected(session, installation));
    }

    fn lost(&self) {
        self.delays.connected(None);
        self.hand_in(Job::Lost);
    }

    fn told(&self, session: Session, message: Message) {
        match message {
            Message::Resume(stored) => self.hand_in(Job::Resume(session, stored.to)),
            Message::Stored(stored) => self.hand_in(Job::Stored(session, stored.to)),
            Message::Badges(badges) => self.hand_in(Job::Badges(session, badges)),
            Message::Current(current) => self.hand_in(Job::Current(session, current)),
            _ => (),
        }
    }
}
