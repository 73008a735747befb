//! Admitting a batch: every flash is looked up, decided and stored, all in one transaction. Only after
//! its commit may anybody be told. Attendance counts it with a later one.

use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::db::at_hand::AtHand;
use crate::db::code::{self, Proof};
use crate::db::delay::{self, ToldDelays};
use crate::db::device::{self, DeviceKind, Sighting};
use crate::db::door_event::{self, DoorEventEntry};
use crate::db::event::{self, NewEvent};
use crate::db::seal::SealingKey;
use crate::db::statements::Statements;
use crate::db::trial::{self, Gathered, Moment};
use crate::db::uncounted::Opens;
use crate::db::values::to_millis;
use crate::db::watch::Watch;
use crate::db::{Result, SpoolFound, Spooled, Store, guess, identity, spooled, undelivered};
use crate::domain::access::{self, Reason, Verdict};
use crate::domain::code::Code;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::guessing::Guesses;
use crate::domain::ids::{DeviceName, EventId, TwinkletId};

/// A resend of an event gets the stored verdict for this long.
const RESEND_WITHIN_MS: i64 = 10_000;

/// Something that a batch stores.
#[derive(Debug)]
pub enum Entry {
    /// A request to enter.
    Flash(FlashEntry),
    /// Something else happened at a door.
    DoorEvent(DoorEventEntry),
    /// An `Open` for this event reached no door.
    Undelivered(EventId),
    /// Nobody was left to hear an `Open` for this event.
    Unheard(EventId),
    /// A door has said Hello.
    Door(DeviceName),
    /// A relay has said Hello.
    Relay(DeviceName),
    /// A device has shown this identity.
    Used(Fingerprint),
    /// A relay tells what it keeps.
    SpoolFound(SpoolFound),
    /// Some of what a relay kept.
    Spooled(Spooled),
    /// How long flashes took through a relay.
    Delays(ToldDelays),
    /// Devices have come or gone, or it is only to be written that the central lives.
    Seen(Vec<Sighting>),
}

impl Entry {
    /// For how many things that happened it stands: a relay tells of many at once.
    pub fn count(&self) -> usize {
        match self {
            Entry::Spooled(spooled) => spooled.entries.len(),
            Entry::Delays(told) => told.delays.len(),
            Entry::Seen(sightings) => sightings.len(),
            _ => 1,
        }
    }
}

/// A flash, as it came to the central.
#[derive(Debug)]
pub struct FlashEntry {
    /// The event's id.
    pub event: EventId,
    /// The door's name.
    pub door: DeviceName,
    /// The relay it came through; `None` if straight from the door.
    pub relay: Option<DeviceName>,
    /// The badge.
    pub twinklet: TwinkletId,
    /// The one-time code that came with it.
    pub code: Option<Code>,
    /// When the device read it by its own clock, UTC milliseconds.
    pub device_at: i64,
    /// Whether there is still time for the door to hear the answer.
    pub in_time: bool,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A flash was decided so; with an `Open`, the employee's name.
    Decided(Verdict, Option<String>),
    /// The badge is unknown, as were so many before it: it is a guess, and written down as one.
    Guess(Guesses),
    /// What was to be noted is.
    Noted,
    /// So many of a relay's entries are here.
    Found(u64),
}

impl Store {
    /// Admits a batch at that time: returns one outcome for each entry, in order, once all of them
    /// are on the disk.
    ///
    /// # Errors
    /// Those of writing; then nothing of the batch was stored.
    #[cfg(test)]
    pub(crate) fn admit<'a>(
        &mut self,
        batch: impl Iterator<Item = &'a Entry>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>> {
        let mut batch: Vec<_> = batch.collect();
        self.admit_as_they_come(&mut batch, |entry| entry, |_| (), || now)
    }

    /// Admits a batch of jobs, each with an entry: returns one outcome for each, in order, once all
    /// of them are on the disk. Before it begins, and whenever it has come to the end of the batch,
    /// `come` may add what has come meanwhile, which then is admitted too, at the time that `clock`
    /// then shows.
    ///
    /// # Errors
    /// Those of writing; then nothing of the batch was stored.
    pub fn admit_as_they_come<J>(
        &mut self,
        batch: &mut Vec<J>,
        entry: impl Fn(&J) -> &Entry,
        mut come: impl FnMut(&mut Vec<J>),
        clock: impl Fn() -> DateTime<Utc>,
    ) -> Result<Vec<Outcome>> {
        let path = self.path().to_owned();
        let key = || SealingKey::read(&path);
        let (mut kept, doubt) = (self.at_hand.take(), self.doubt);
        let mut watch = std::mem::take(&mut self.watch);
        let outcomes = self.write(|transaction| {
            let at_hand = AtHand::current(transaction, kept.take())?;
            let at_hand = kept.insert(at_hand);
            watch.whereabouts.begin(transaction, to_millis(clock()))?;
            let mut statements = Statements::new(transaction);
            at_hand.uncounted.begin(&mut statements, Instant::now())?;
            let mut outcomes = Vec::new();
            loop {
                come(batch);
                if batch.len() == outcomes.len() {
                    return Ok(outcomes);
                }
                let at = Moment::new(&at_hand.rules, clock(), doubt);
                for job in batch.iter().skip(outcomes.len()) {
                    let entry = entry(job);
                    let outcome = admit_one(&mut statements, entry, at_hand, &at, key, &mut watch)?;
                    outcomes.push(outcome);
                }
            }
        });
        if outcomes.is_err() {
            // What came to be known in it may not be there.
            kept = None;
            watch.whereabouts.forget();
        }
        (self.at_hand, self.watch) = (kept, watch);
        outcomes
    }
}

fn admit_one(
    statements: &mut Statements<'_>,
    entry: &Entry,
    at_hand: &mut AtHand,
    at: &Moment,
    key: impl FnOnce() -> Result<SealingKey>,
    watch: &mut Watch,
) -> Result<Outcome> {
    let (connection, now) = (statements.connection(), at.now);
    if !matches!(entry, Entry::Flash(_)) {
        // It may tell of more of them.
        at_hand.undelivered.forget();
    }
    if matches!(
        entry,
        Entry::Undelivered(_) | Entry::Unheard(_) | Entry::Spooled(_)
    ) {
        // It may take back what is not counted yet, or count what comes behind it.
        at_hand.uncounted.count_all(statements)?;
    }
    let AtHand { rules, devices, .. } = at_hand;
    match entry {
        Entry::Flash(flash) => {
            return admit_flash(statements, flash, at_hand, at, key, watch);
        }
        Entry::SpoolFound(found) => {
            return spooled::found(connection, found, now).map(Outcome::Found);
        }
        Entry::DoorEvent(new) => door_event::store(connection, new, rules.general),
        Entry::Undelivered(event) => undelivered::note(connection, *event, now),
        Entry::Unheard(event) => undelivered::presume(connection, *event, now),
        Entry::Door(name) => device::learn(connection, DeviceKind::Door, name, now),
        Entry::Relay(name) => device::learn(connection, DeviceKind::Relay, name, now),
        Entry::Used(shown) => identity::used(connection, shown, now),
        Entry::Spooled(entries) => spooled::store(statements, entries, at, rules, devices),
        Entry::Delays(told) => delay::store(statements, told, devices, now),
        Entry::Seen(sightings) => device::note(connection, sightings, now),
    }
    .map(|()| Outcome::Noted)
}

fn admit_flash(
    statements: &mut Statements<'_>,
    flash: &FlashEntry,
    at_hand: &mut AtHand,
    at: &Moment,
    key: impl FnOnce() -> Result<SealingKey>,
    watch: &mut Watch,
) -> Result<Outcome> {
    let connection = statements.connection();
    let AtHand {
        rules,
        devices,
        uncounted,
        ..
    } = at_hand;
    // Known to be undelivered before it is decided: it came late, and its door knows.
    let in_time = flash.in_time && !at_hand.undelivered.contains(statements, flash.event)?;
    let door = devices.door(statements, &flash.door)?;
    let relay = match &flash.relay {
        Some(name) => devices.relay(connection, name)?,
        None => None,
    };
    let Gathered {
        day,
        holder,
        has_code,
        mut facts,
    } = trial::gather(statements, door, flash.twinklet, rules, at, in_time)?;
    let mut verdict = access::decide(&facts);
    let mut proof = Proof::NotNeeded;
    if let (Verdict::Open, Some((employee, _))) = (verdict, &holder) {
        let door_requires = facts.door.is_some_and(|door| door.requires_code);
        let who = (*employee, has_code);
        proof = code::examine(statements, key, flash, who, door_requires, at)?;
        facts.code = proof.objection();
        verdict = access::decide(&facts);
    }
    if let (Verdict::DontOpen(Reason::UnknownTwinklet), Some(door)) = (verdict, door) {
        let moment = (at.millis, day);
        let guesses = guess::count(connection, door.id, relay, moment, watch.guesses_from)?;
        if guesses.is_guess() {
            return Ok(Outcome::Guess(guesses));
        }
    }
    let new = NewEvent {
        flash,
        at: at.millis,
        day,
        door: door.map(|door| door.id),
        relay,
        employee: holder.as_ref().map(|(employee, _)| *employee),
        verdict,
        doubt: at.doubt,
    };
    let Some(number) = event::append(statements, &new)? else {
        return again(statements, &new);
    };
    if let (Some(door), Some(_)) = (door, &holder) {
        let place = (door.id, &flash.door);
        watch
            .whereabouts
            .shown(connection, flash.twinklet, place, at.millis)?;
    }
    code::settle(connection, proof, flash.twinklet, at.millis)?;
    let Some((employee, name)) = holder.filter(|_| verdict == Verdict::Open) else {
        return Ok(Outcome::Decided(verdict, None));
    };
    let is_exit = door.is_some_and(|door| door.is_exit);
    let opens = Opens::one(number, at.millis, is_exit);
    uncounted.add(day, employee, opens);
    Ok(Outcome::Decided(Verdict::Open, Some(name)))
}

/// Answers a flash whose event is stored already: a resend gets the stored verdict, whatever would
/// be decided now; anything else that bears the id is refused.
fn again(statements: &mut Statements<'_>, new: &NewEvent<'_>) -> Result<Outcome> {
    let refused = |reason| Ok(Outcome::Decided(Verdict::DontOpen(reason), None));
    let Some(stored) = event::find(statements.connection(), new.flash.event)? else {
        return refused(Reason::EventReused);
    };
    let same = stored.door == new.door
        && stored.relay == new.relay
        && stored.twinklet == Some(new.flash.twinklet)
        && stored.device_at == new.flash.device_at;
    let soon = (0..=RESEND_WITHIN_MS).contains(&new.at.saturating_sub(stored.at));
    if !same || !soon {
        return refused(Reason::EventReused);
    }
    match stored.verdict {
        // What is undelivered counts for nothing, so it must not open a door later.
        Verdict::Open if undelivered::contains(statements, new.flash.event)? => {
            refused(Reason::TooLate)
        }
        Verdict::Open => Ok(Outcome::Decided(Verdict::Open, stored.name)),
        verdict => Ok(Outcome::Decided(verdict, None)),
    }
}

#[cfg(test)]
mod tests;
