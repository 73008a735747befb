//! Deciding while the central is away: by the roster, while it is young enough.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use tracing::{error, info, warn};

use crate::clock::{self, Clock};
use crate::config::Period;
use crate::db::{self, Confirmed, RelayStore, RosterDraft, RosterHead};
use crate::domain::access::{Reason, Verdict};
use crate::domain::calendar::Days;
use crate::domain::guessing::Guesses;
use crate::domain::ids::{BootId, DeviceName};
use crate::domain::roster;
use crate::roles::relay::guesses::Guessing;
use crate::wire::Flash;
use crate::wire::hold::Held;
use crate::wire::roster::{Badges, Current};

/// How often it is written down that the roster is right: after a crash of this program, it counts
/// as older by so much.
const DATE_EVERY: Duration = Duration::from_secs(300);

/// See the module.
#[derive(Debug)]
pub(super) struct Offline {
    limit: Duration,
    clock: Arc<dyn Clock>,
    boot: BootId,
    head: Option<RosterHead>,
    /// When that was last written down, by the time that the machine has been up.
    dated: i64,
    /// The roster that is being changed.
    draft: Option<RosterDraft>,
    whole: Whole,
    /// Why nothing is decided, as it was last said.
    said: Option<&'static str>,
    guessing: Guessing,
}

/// How it stands with a whole roster, where ours was another one than the central's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    /// It is not needed.
    Unneeded,
    /// It is asked for. What the central told before it heard that is still under way, and is
    /// about the roster that is wrong.
    Awaited,
    /// It comes.
    Coming,
}

/// What became of the central's word that its roster is this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// So is ours.
    Same,
    /// Ours is another one: the whole is to be asked for.
    Different,
}

impl Offline {
    pub(super) fn new(limit: Duration, clock: Arc<dyn Clock>, boot: BootId) -> Self {
        Self {
            limit,
            clock,
            boot,
            head: None,
            dated: 0,
            draft: None,
            whole: Whole::Unneeded,
            said: None,
            guessing: Guessing::new(),
        }
    }

    /// A badge that the roster does not know was shown at that door; returns how many, if it is a
    /// guess.
    pub(super) fn unknown_badge(&mut self, door: &DeviceName) -> Option<Guesses> {
        self.guessing.count(door, uptime()?)
    }

    /// Where the answers to guesses wait.
    pub(super) fn held(&self) -> &Held {
        &self.guessing.held
    }

    /// How long this relay decides by itself.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// Reads what the file knows.
    pub(super) fn load(&mut self, store: &RelayStore) -> db::Result<()> {
        self.head = store.roster()?;
        Ok(())
    }

    /// When the roster was last known to be right, by this machine's uptime in milliseconds, as far as
    /// that is known since its start.
    pub(super) fn confirmed(&self) -> Option<i64> {
        let confirmed = self.head.as_ref()?.confirmed;
        (confirmed.boot == self.boot).then_some(confirmed.uptime)
    }

    /// Up to which of the central's changes the roster knows; 0 while a whole one is needed.
    pub(super) fn at(&self) -> u64 {
        match (&self.head, self.whole) {
            (Some(head), Whole::Unneeded) => head.at,
            _ => 0,
        }
    }

    /// A connection begins: what was half done begins anew.
    pub(super) fn start_over(&mut self) {
        self.draft = None;
        self.whole = Whole::Unneeded;
    }

    /// The central tells some badges.
    pub(super) fn badges(&mut self, store: &mut RelayStore, told: &Badges) -> db::Result<()> {
        if told.whole && self.whole == Whole::Awaited {
            self.whole = Whole::Coming;
        }
        let draft = match self.draft {
            Some(draft) if !told.whole => draft,
            _ => store.roster_draft(told.whole)?,
        };
        self.draft = Some(store.change_roster(draft, &told.badges, &told.gone)?);
        Ok(())
    }

    /// The central tells what its roster comes to now.
    pub(super) fn current(
        &mut self,
        store: &mut RelayStore,
        told: Current,
    ) -> db::Result<Confirmation> {
        let Some(uptime) = uptime().filter(|_| self.whole != Whole::Awaited) else {
            return Ok(Confirmation::Same);
        };
        let draft = match self.draft {
            Some(draft) => draft,
            None => store.roster_draft(false)?,
        };
        if draft.sum != told.sum {
            let before = std::mem::replace(&mut self.whole, Whole::Awaited);
            self.draft = None;
            if before == Whole::Unneeded {
                return Ok(Confirmation::Different);
            }
            // Another one is asked for with the next door or connection: not again and again.
            error!("the roster is not what the central says it is; nothing is decided by it");
            store.forget_roster()?;
            self.head = None;
            return Ok(Confirmation::Same);
        }
        self.whole = Whole::Unneeded;
        let time = DateTime::from_timestamp_millis(told.time).unwrap_or_default();
        let confirmed = Confirmed {
            time,
            boot: self.boot,
            uptime,
        };
        let head = RosterHead {
            at: told.at,
            sum: told.sum,
            zone: told.zone,
            day_starts_at: told.day_starts_at,
            confirmed,
        };
        let known = self.head.as_ref();
        let new = known.is_none_or(|known| {
            known.at != head.at
                || known.sum != head.sum
                || known.zone != head.zone
                || known.day_starts_at != head.day_starts_at
        });
        if new || self.draft.is_some() || !told.doors.is_empty() {
            store.confirm_roster(draft, &head, &told.doors)?;
            self.dated = uptime;
            if known.is_none() {
                info!("the roster is here: doors open by it when the central is away");
            }
        }
        self.draft = None;
        self.said = None;
        self.head = Some(head);
        if uptime.saturating_sub(self.dated) >= millis(DATE_EVERY) {
            self.date(store)?;
        }
        Ok(Confirmation::Same)
    }

    /// Writes down when the roster was last known to be right.
    pub(super) fn date(&mut self, store: &mut RelayStore) -> db::Result<()> {
        if let Some(head) = &self.head
            && head.confirmed.boot == self.boot
            && head.confirmed.uptime > self.dated
        {
            store.date_roster(head.confirmed)?;
            self.dated = head.confirmed.uptime;
        }
        Ok(())
    }

    /// Decides a flash by the roster.
    ///
    /// # Errors
    /// `Ok(Err(reason))` if nobody here may decide it; the database's.
    pub(super) fn decide(
        &mut self,
        store: &mut RelayStore,
        flash: &Flash,
    ) -> db::Result<Result<Verdict, Reason>> {
        let undecided = Ok(Err(Reason::CentralUnreachable));
        let now = match self.now(store)? {
            Ok(now) => now,
            Err(why) => {
                self.say(why);
                return undecided;
            }
        };
        let Some(days) = self.head.as_ref().and_then(days) else {
            self.say("it knows no timezone of the central's name");
            return undecided;
        };
        let door = store.roster_door(&flash.door)?;
        let holdings = match store.roster_badge(flash.twinklet)? {
            Some(body) => match rmp_serde::from_slice::<Vec<roster::Holding>>(&body) {
                Ok(holdings) => holdings,
                Err(cause) => {
                    warn!("twinklet {} in the roster: {cause}", flash.twinklet);
                    return undecided;
                }
            },
            None => Vec::new(),
        };
        let wall = days.local(now).naive_local();
        let verdict = roster::decide(door.as_ref(), &holdings, days.day_of(now), wall);
        Ok(verdict.ok_or(Reason::CentralUnreachable))
    }

    /// The central's time now, as far as it can be told, if the roster is young enough; else why
    /// not. Checked at every decision.
    fn now(&mut self, store: &mut RelayStore) -> db::Result<Result<DateTime<Utc>, &'static str>> {
        let Some(head) = &mut self.head else {
            return Ok(Err("it has no roster yet"));
        };
        let Some(uptime) = uptime() else {
            return Ok(Err("the machine does not tell how long it is up"));
        };
        if head.confirmed.boot != self.boot {
            // How long the machine was off, only a clock can tell that ran meanwhile, or was set
            // since by one that did.
            let now = self.clock.now();
            let off = (now - head.confirmed.time).num_milliseconds();
            if !clock::is_trusted(now) {
                return Ok(Err(
                    "the machine was started anew, and its clock is not known to be right: the \
                     roster counts as too old",
                ));
            }
            if off < 0 {
                return Ok(Err(
                    "the machine was started anew, and its clock is behind its roster: that counts \
                     as too old",
                ));
            }
            // From now on, whoever sets the clock changes nothing.
            head.confirmed.boot = self.boot;
            head.confirmed.uptime = uptime.saturating_sub(off);
            let confirmed = head.confirmed;
            store.date_roster(confirmed)?;
        }
        let age = uptime.saturating_sub(head.confirmed.uptime);
        if age < 0 || age > millis(self.limit) {
            return Ok(Err("its roster is older than allowed"));
        }
        let now = TimeDelta::try_milliseconds(age)
            .and_then(|age| head.confirmed.time.checked_add_signed(age));
        Ok(now.ok_or("the roster's time cannot be right"))
    }

    fn say(&mut self, why: &'static str) {
        if self.said != Some(why) {
            self.said = Some(why);
            let limit = Period(self.limit);
            warn!("this relay decides nothing ({limit} offline are allowed): {why}");
        }
    }
}

/// When the installation's days begin.
fn days(head: &RosterHead) -> Option<Days> {
    Some(Days {
        timezone: head.zone.parse().ok()?,
        starts_at: NaiveTime::from_num_seconds_from_midnight_opt(
            head.day_starts_at.checked_mul(60)?,
            0,
        )?,
    })
}

fn uptime() -> Option<i64> {
    clock::uptime().ok().map(millis)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
