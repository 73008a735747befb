//! What a door does: the lock, the lamps and the central's log follow what [`Doorway`] makes of
//! verdicts and sensors.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::domain::ids::{DeviceName, EventId};
use crate::hw::{Change, Sensed};
use crate::roles::door::bolt::{Bolt, Stuck};
use crate::roles::door::doorway::{Doorway, Rules};
use crate::roles::door::lamps::{Lamps, Outcome, Signals};
use crate::roles::door::live::Live;
use crate::wire::Happened;
use crate::wire::link::Link;

/// See the module. Dropped, it locks.
pub(super) struct Doorkeeper {
    door: DeviceName,
    link: Link,
    clock: Arc<dyn Clock>,
    doorway: Doorway,
    bolt: Bolt,
    signals: Signals,
    lamps: Lamps,
    live: watch::Sender<Live>,
}

impl Doorkeeper {
    pub(super) fn new(
        door: DeviceName,
        link: Link,
        clock: Arc<dyn Clock>,
        rules: Rules,
        bolt: Bolt,
        lamps: Lamps,
    ) -> Self {
        let live = Live {
            door: door.to_string(),
            ..Live::default()
        };
        Self {
            door,
            link,
            clock,
            doorway: Doorway::new(rules),
            bolt,
            signals: Signals::default(),
            lamps,
            live: watch::Sender::new(live),
        }
    }

    /// How the door stands, as it changes.
    pub(super) fn watch(&self) -> watch::Receiver<Live> {
        self.live.subscribe()
    }

    /// Lets somebody in whom the central lets in.
    ///
    /// # Errors
    /// [`Stuck`] if the lock does not unlock; then nobody is let in.
    pub(super) fn let_in(&mut self, event: EventId, now: Instant) -> Result<(), Stuck> {
        self.doorway.grant(event, now);
        let unlocked = self.settle(now);
        let outcome = if unlocked.is_ok() {
            Outcome::Open
        } else {
            Outcome::Undecided
        };
        self.tell(outcome, now);
        unlocked
    }

    /// Shows somebody at the door what the flash came to.
    pub(super) fn tell(&mut self, outcome: Outcome, now: Instant) {
        self.signals.outcome(outcome, now);
        self.show(now);
    }

    /// Heeds what a sensor says.
    pub(super) fn sense(&mut self, change: Change, now: Instant) {
        if let Sensed::Is(active) = change.sensed {
            let state = if active {
                change.sensor.active()
            } else {
                change.sensor.idle()
            };
            info!("{}: {state}", change.sensor);
        }
        let active = match change.sensed {
            Sensed::Is(active) => Some(active),
            Sensed::Lost => None,
        };
        self.live.send_modify(|live| {
            live.sensors.insert(change.sensor.to_string(), active);
        });
        self.doorway.sense(change, now);
        // If it does not unlock now, it is told again until it does or need not.
        let _again = self.settle(now);
    }

    /// Shows whether the relay can be asked.
    pub(super) fn relay(&mut self, is_there: bool, now: Instant) {
        self.live.send_modify(|live| live.relay = is_there);
        self.signals.relay(is_there, now);
        self.show(now);
    }

    /// Does what is due now.
    pub(super) fn pass_time(&mut self, now: Instant) {
        let _again = self.settle(now);
    }

    /// Has everything be as the doorway wants it now.
    fn settle(&mut self, now: Instant) -> Result<(), Stuck> {
        self.doorway.pass_time(now);
        let driven = self.bolt.drive(self.doorway.want(now), now);
        if driven.is_err() {
            self.doorway.withdraw();
        }
        for note in self.doorway.take_notes() {
            if note.kind.is_alarm() {
                warn!("{}: {}", note.kind, note.kind.meaning());
            } else {
                info!("{}: {}", note.kind, note.kind.meaning());
            }
            let happened = Happened {
                event: note.event,
                door: self.door.clone(),
                kind: note.kind,
                at: self.clock.now().timestamp_millis(),
                age: 0,
                about: note.about,
            };
            self.link.happened(happened, None);
        }
        self.signals.alarm(self.doorway.alarm(now), now);
        self.show(now);
        driven
    }

    fn show(&mut self, now: Instant) {
        self.signals.unlocked = !self.bolt.is_locked();
        let unlocked = self.signals.unlocked;
        self.live
            .send_if_modified(|live| std::mem::replace(&mut live.unlocked, unlocked) != unlocked);
        self.signals.fire = self.doorway.is_on_fire();
        self.lamps.show(self.signals.lit(now).0);
    }

    /// When to let it pass time next.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let lamps = match self.lamps.any() {
            true => self.signals.lit(now).1,
            false => None,
        };
        [self.doorway.due(now), self.bolt.due(), lamps]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether nothing is left to be locked.
    pub(super) fn is_at_rest(&self) -> bool {
        self.bolt.is_locked()
    }

    /// Locks.
    pub(super) fn close(&mut self, now: Instant) {
        self.bolt.close(now);
    }
}
