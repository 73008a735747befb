//! What a door makes of what it is told and what it senses: whether it should be unlocked, what
//! happened, and what somebody should look after. No I/O and no clock: times come as arguments.
//!
//! An `Open` or a press of the exit button unlocks for a while. Where a contact says whether the
//! door is open, one passage uses up one of them: the door locks when it is shut again, unless
//! there is another, for somebody who came meanwhile. A sensor that is lost unlocks nothing and
//! ends what it had to say.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::door_event::Kind;
use crate::domain::ids::EventId;
use crate::hw::{Change, Sensed, Sensor};

/// An opening so soon after the time to open was over, or after the door fell shut, is part of the
/// same passage: a contact moves later than the handle, and doors rebound.
const GRACE: Duration = Duration::from_secs(1);
/// How long a forced door is signalled at least, also if it is pushed shut at once.
const FORCED_AT_LEAST: Duration = Duration::from_secs(30);

/// How a door is to behave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// How long an `Open` unlocks.
    pub(super) open_for: Duration,
    /// How long the door may stand open.
    pub(super) held_after: Duration,
    /// Whether everybody who leaves is seen to: only then is an opening that nothing accounts for
    /// an alarm.
    pub(super) sees_exits: bool,
}

/// Something that happened, for the central.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) event: EventId,
    pub(super) kind: Kind,
    /// What it followed: an `Open`, a press of the exit button, or the alarm that it ends.
    pub(super) about: Option<EventId>,
}

/// What the lock should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Locked,
    /// Unlocked until then; without a time, until further notice.
    Unlocked(Option<Instant>),
}

/// What somebody should look after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    /// The door stands open for too long.
    Held,
    /// Somebody tampers with the device.
    Tamper,
    /// The door was opened while it was locked.
    Forced,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Doorway {
    rules: Rules,
    /// Those that nobody went through on yet, in the order of their ends.
    grants: VecDeque<Grant>,
    /// Whether the door is open; `None` where nobody knows.
    open: Option<bool>,
    /// Since when it stands open, as far as that is anybody's fault.
    open_since: Option<Instant>,
    /// Until when the lock stays open for the grant on which the door was opened.
    passing_until: Option<Instant>,
    /// Openings before this are accounted for.
    accounted_until: Option<Instant>,
    pressed: Option<bool>,
    fire: bool,
    tampered: bool,
    /// The events of what is not over yet.
    held: Option<EventId>,
    forced: Option<EventId>,
    on_fire: Option<EventId>,
    tampering: Option<EventId>,
    /// Until when a forced door is signalled, whatever becomes of it.
    forced_until: Option<Instant>,
    notes: Vec<Note>,
}

/// A leave to open the door once.
#[derive(Debug)]
struct Grant {
    event: EventId,
    by_button: bool,
    until: Instant,
    /// Whether somebody may have gone through on it unseen.
    may_be_used: bool,
}

impl Doorway {
    /// A locked door of which nothing is known.
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            grants: VecDeque::new(),
            open: None,
            open_since: None,
            passing_until: None,
            accounted_until: None,
            pressed: None,
            fire: false,
            tampered: false,
            held: None,
            forced: None,
            on_fire: None,
            tampering: None,
            forced_until: None,
            notes: Vec::new(),
        }
    }

    /// The central lets somebody in.
    pub(super) fn grant(&mut self, event: EventId, now: Instant) {
        self.pass_time(now);
        self.forced_until = None;
        self.add_grant(event, false, now);
    }

    fn add_grant(&mut self, event: EventId, by_button: bool, now: Instant) {
        self.grants.push_back(Grant {
            event,
            by_button,
            until: now + self.rules.open_for,
            may_be_used: self.open != Some(false),
        });
    }

    /// The lock did not unlock: nobody was let in.
    pub(super) fn withdraw(&mut self) {
        self.grants.clear();
        self.passing_until = None;
    }

    /// A sensor says something.
    pub(super) fn sense(&mut self, change: Change, now: Instant) {
        self.pass_time(now);
        match change.sensor {
            Sensor::Contact => self.contact(change.sensed, now),
            Sensor::ExitButton => self.exit_button(change.sensed, now),
            Sensor::Fire => self.fire(change.sensed, now),
            Sensor::Tamper => self.tamper(change.sensed),
        }
    }

    fn contact(&mut self, sensed: Sensed, now: Instant) {
        let before = self.open;
        self.open = match sensed {
            Sensed::Is(open) => Some(open),
            Sensed::Lost => None,
        };
        match (before, self.open) {
            (Some(false), Some(true)) => self.opened(now),
            // It was open when we began to look: nobody knows why.
            (None, Some(true)) => self.stands_open_from(now),
            (_, Some(false)) => self.shut(now),
            (_, None) => {
                self.stands_no_more();
                self.grants
                    .iter_mut()
                    .for_each(|grant| grant.may_be_used = true);
            }
            (Some(true), Some(true)) => (),
        }
    }

    fn opened(&mut self, now: Instant) {
        self.stands_open_from(now);
        // One whose time is over may still be meant, but not before one whose time is not.
        let live = self.grants.iter().position(|grant| now < grant.until);
        if let Some(grant) = self.grants.remove(live.unwrap_or(0)) {
            self.passing_until = Some(grant.until);
            self.note(Kind::DoorOpened, Some(grant.event));
        } else if self.rules.sees_exits
            && !self.fire
            && self.accounted_until.is_none_or(|until| now >= until)
        {
            self.forced_until = Some(now + FORCED_AT_LEAST);
            self.forced = Some(self.note(Kind::DoorForced, None));
        }
    }

    fn stands_open_from(&mut self, now: Instant) {
        self.open_since = Some(now);
        self.grants
            .iter_mut()
            .for_each(|grant| grant.may_be_used = true);
    }

    fn stands_no_more(&mut self) {
        self.open_since = None;
        self.passing_until = None;
    }

    fn shut(&mut self, now: Instant) {
        if self.open_since.is_some() {
            self.account_for_openings(now);
        }
        self.stands_no_more();
        if let Some(forced) = self.forced.take() {
            self.note(Kind::DoorForcedOver, Some(forced));
        }
        if let Some(held) = self.held.take() {
            self.note(Kind::DoorHeldOver, Some(held));
        }
    }

    fn account_for_openings(&mut self, now: Instant) {
        self.accounted_until = Some(now + GRACE);
    }

    fn exit_button(&mut self, sensed: Sensed, now: Instant) {
        let before = self.pressed;
        self.pressed = match sensed {
            Sensed::Is(pressed) => Some(pressed),
            Sensed::Lost => None,
        };
        // A button that is down when we begin to look is stuck, or was pressed for somebody else.
        if (before, self.pressed) != (Some(false), Some(true)) {
            return;
        }
        let event = self.note(Kind::ExitButton, None);
        // Pressed again before anybody went, it is still one person's leave.
        self.grants.retain(|grant| !grant.by_button);
        self.add_grant(event, true, now);
    }

    fn fire(&mut self, sensed: Sensed, now: Instant) {
        let burnt = self.fire;
        self.fire = sensed == Sensed::Is(true);
        if burnt && !self.fire {
            // Who opened it, and when, was nobody's business until now.
            self.account_for_openings(now);
            self.open_since = self.open_since.map(|_| now);
        }
        match sensed {
            Sensed::Is(true) if self.on_fire.is_none() => {
                self.on_fire = Some(self.note(Kind::Fire, None));
            }
            Sensed::Is(false) => {
                if let Some(fire) = self.on_fire.take() {
                    self.note(Kind::FireOver, Some(fire));
                }
            }
            Sensed::Is(true) | Sensed::Lost => (),
        }
        self.look_for_tampering();
    }

    fn tamper(&mut self, sensed: Sensed) {
        self.tampered = sensed == Sensed::Is(true);
        self.look_for_tampering();
        if sensed == Sensed::Is(false)
            && let Some(tampering) = self.tampering.take()
        {
            self.note(Kind::TamperOver, Some(tampering));
        }
    }

    fn look_for_tampering(&mut self) {
        if self.tampered && !self.fire && self.tampering.is_none() {
            self.tampering = Some(self.note(Kind::Tamper, None));
        }
    }

    /// Lets time pass up to now.
    pub(super) fn pass_time(&mut self, now: Instant) {
        while let Some(grant) = self.grants.front()
            && grant.until + GRACE <= now
        {
            if !grant.may_be_used && !self.fire {
                let event = grant.event;
                self.note(Kind::NotOpened, Some(event));
            }
            self.grants.pop_front();
        }
        let too_long = |since: Instant| since + self.rules.held_after <= now;
        if !self.fire && self.held.is_none() && self.open_since.is_some_and(too_long) {
            self.held = Some(self.note(Kind::DoorHeld, None));
        }
    }

    /// When something will be different if nothing happens until then.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let lock = match self.want(now) {
            Want::Unlocked(until) => until,
            Want::Locked => None,
        };
        let lapse = self.grants.front().map(|grant| grant.until + GRACE);
        let held = self.open_since.map(|since| since + self.rules.held_after);
        let held = held.filter(|_| !self.fire && self.held.is_none());
        [lock, lapse, held, self.forced_until]
            .into_iter()
            .flatten()
            .filter(|&due| due > now)
            .min()
    }

    /// What the lock should be now.
    pub(super) fn want(&self, now: Instant) -> Want {
        if self.fire {
            return Want::Unlocked(None);
        }
        let last = self.grants.back().map(|grant| grant.until);
        match last.max(self.passing_until) {
            Some(until) if until > now => Want::Unlocked(Some(until)),
            _ => Want::Locked,
        }
    }

    /// What somebody should look after, the worst first.
    pub(super) fn alarm(&self, now: Instant) -> Option<Alarm> {
        let standing = self.open_since.is_some();
        let signalled = self.forced_until.is_some_and(|until| now < until);
        if self.fire {
            None
        } else if signalled || standing && self.forced.is_some() {
            Some(Alarm::Forced)
        } else if self.tampered && self.tampering.is_some() {
            Some(Alarm::Tamper)
        } else if standing && self.held.is_some() {
            Some(Alarm::Held)
        } else {
            None
        }
    }

    /// Whether the fire alarm is on.
    pub(super) fn is_on_fire(&self) -> bool {
        self.fire
    }

    /// What happened since the last call, in order.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    fn note(&mut self, kind: Kind, about: Option<EventId>) -> EventId {
        let event = EventId::generate();
        self.notes.push(Note { event, kind, about });
        event
    }
}

#[cfg(test)]
mod tests;
