//! Where the central's connections hand in what they bring: everything goes into one bounded
//! queue, and whoever finds it full waits, so that its peer is slowed down and nothing is lost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::clock::Clock;
use crate::db::{
    DeviceKind, DoorEventEntry, Entry, FlashEntry, SpoolFound, Spooled, ToldDelay, ToldDelays,
};
use crate::domain::access::Reason;
use crate::domain::ids::{DeviceName, EventId, InstallationId};
use crate::metrics::Metrics;
use crate::roles::central::kind_of;
use crate::roles::central::presence::Presence;
use crate::roles::central::roll::Registry;
use crate::roles::central::rosters::Rosters;
use crate::wire::answers::{Answers, Tally};
use crate::wire::delays::Delay;
use crate::wire::server::{Greeting, Peer, Service};
use crate::wire::spool::RelayWord;
use crate::wire::{Door, Flash, Happened, Role, refusal};

/// How many jobs may wait for the writer.
const QUEUE: usize = 4_096;
/// How often at the most it is said that a relay speaks for another's door: it could otherwise fill
/// the log.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// One thing to be stored, and who waits to hear of it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) entry: Entry,
    pub(super) asker: Asker,
}

impl Job {
    /// Notes whether there is still time for a door to hear the answer, if it waits for one.
    pub(super) fn look_at_time(&mut self, now: Instant) {
        if let (Entry::Flash(flash), Asker::Flash { deadline, .. }) = (&mut self.entry, &self.asker)
        {
            flash.in_time = now <= *deadline;
        }
    }
}

/// Who waits for a job.
#[derive(Debug)]
pub(super) enum Asker {
    /// A flash under this number, to be answered until then.
    Flash {
        seq: u64,
        deadline: Instant,
        answers: Answers,
    },
    /// Somebody who reported an undelivered event; nobody, if we found out ourselves.
    Undelivered(Option<Answers>),
    /// A device that says Hello, or whoever watches them: whether it could be noted.
    Device(oneshot::Sender<bool>),
    /// Whoever reported what happened at a door.
    Happened(Answers),
    /// A relay that asks what of its entries is stored.
    Spool(Answers),
    /// A relay that sent so many of them.
    Entries(usize, Answers),
    /// Nobody: it is as well if it is lost.
    Nobody,
    /// A relay that announces a door, and goes on.
    Announcement(Answers),
}

/// The central's side of every connection.
#[derive(Debug)]
pub(super) struct Desk {
    name: DeviceName,
    installation: InstallationId,
    clock: Arc<dyn Clock>,
    jobs: mpsc::Sender<Job>,
    presence: Arc<Presence>,
    /// Which identities hold; `None`: this central has no authority, and asks for none.
    registry: Option<Registry>,
    /// When it was last said that a relay speaks for another's door.
    said: Mutex<Option<Instant>>,
    rosters: Rosters,
    metrics: Option<Arc<Metrics>>,
}

impl Desk {
    /// A desk, and the queue it fills.
    pub(super) fn new(
        name: DeviceName,
        installation: InstallationId,
        clock: Arc<dyn Clock>,
        registry: Option<Registry>,
        rosters: Rosters,
        metrics: Option<Arc<Metrics>>,
    ) -> (Self, mpsc::Receiver<Job>) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let presence = Arc::new(Presence::new(Arc::clone(&clock)));
        (
            Self {
                name,
                installation,
                clock,
                jobs,
                presence,
                registry,
                said: Mutex::default(),
                rosters,
                metrics,
            },
            queue,
        )
    }

    /// What whoever looks on has to see: who is connected, and how much waits.
    pub(super) fn watched(&self) -> (Arc<Presence>, mpsc::WeakSender<Job>) {
        (Arc::clone(&self.presence), self.jobs.downgrade())
    }

    /// Keeps what is written down of who is connected, until told to stop.
    pub(super) fn watch_presence(
        &self,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let (presence, jobs) = (Arc::clone(&self.presence), self.jobs.clone());
        async move { presence.run(jobs, stop).await }
    }

    /// Whether a peer may speak for that door: its own name's, or one behind it.
    fn may_speak_for(&self, peer: &Peer, door: &DeviceName) -> bool {
        match (&self.registry, peer.role) {
            (Some(registry), Role::Relay) => registry.now().is_behind(&peer.name, door),
            _ => true,
        }
    }

    fn say_not_behind(&self, relay: &Peer, door: &DeviceName) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
            *said = Some(Instant::now());
            warn!(
                "relay '{}' at {} speaks for door '{door}', which is not enrolled with it: refused",
                relay.name, relay.address
            );
        }
    }

    /// Takes note of a device, and waits until that is stored.
    pub(super) async fn learn(&self, device: Entry) -> Result<(), &'static str> {
        let (asker, stored) = oneshot::channel();
        let job = Job {
            entry: device,
            asker: Asker::Device(asker),
        };
        let handed_in = self.jobs.send(job).await.is_ok();
        match handed_in && stored.await.unwrap_or(false) {
            true => Ok(()),
            false => Err(refusal::STORAGE),
        }
    }
}

impl Service for Desk {
    fn greeting(&self) -> Greeting {
        Greeting {
            name: self.name.clone(),
            installation: Some(self.installation),
            time: self.clock.now().timestamp_millis(),
        }
    }

    async fn hello(&self, peer: &Peer) -> Result<(), &'static str> {
        if let Some(registry) = &self.registry {
            let identity = peer.identity.ok_or(refusal::NO_IDENTITY)?;
            match registry.now().find(&identity) {
                None => return Err(refusal::DISOWNED),
                Some(true) => (),
                Some(false) => self.learn(Entry::Used(identity)).await?,
            }
        }
        let name = peer.name.clone();
        self.learn(match peer.role {
            Role::Door => Entry::Door(name),
            Role::Relay => Entry::Relay(name),
        })
        .await?;
        self.presence.came(device(peer), peer.address, None);
        Ok(())
    }

    fn welcomed(&self, peer: &Peer, answers: &Answers) {
        if let (Some(registry), Role::Relay) = (&self.registry, peer.role) {
            registry.tell(&peer.name, peer.address, answers);
        }
    }

    async fn dismissed(&self, peer: &Peer) -> &'static str {
        match (&self.registry, peer.identity) {
            (Some(registry), Some(identity)) => registry.until_ended(identity).await,
            _ => std::future::pending().await,
        }
        refusal::DISOWNED
    }

    async fn door(&self, door: Door, relay: &Peer, answers: &Answers) {
        if let Some(registry) = &self.registry {
            let roll = registry.now();
            if !roll.takes(&relay.name, &door) {
                return self.say_not_behind(relay, &door.name);
            }
            // If it cannot be stored now, then at its next announcement.
            if let Some(identity) = door.identity
                && roll.find(&identity) == Some(false)
            {
                let _stored = self.learn(Entry::Used(identity)).await;
            }
        }
        let Door { name, plain, .. } = door;
        let job = Job {
            entry: Entry::Door(name.clone()),
            asker: Asker::Announcement(answers.clone()),
        };
        if self.jobs.send(job).await.is_err() {
            return answers.hang_up(name, refusal::STORAGE);
        }
        if !plain {
            let through = Some(relay.name.clone());
            self.presence
                .came((DeviceKind::Door, name), relay.address, through);
        }
    }

    fn door_gone(&self, name: &DeviceName, relay: &Peer) {
        let door = (DeviceKind::Door, name.clone());
        self.presence.went(&door, relay.address);
    }

    async fn flash(&self, flash: Flash, from: &Peer, answers: &Answers) {
        let (seq, event) = (flash.seq, flash.event);
        if !self.may_speak_for(from, &flash.door) {
            self.say_not_behind(from, &flash.door);
            return answers.refuse(seq, event, Reason::UnknownDoor);
        }
        self.presence.flashed(&flash.door);
        let deadline = Instant::now() + flash.budget();
        let entry = Entry::Flash(FlashEntry {
            event,
            door: flash.door,
            relay: relay(from),
            twinklet: flash.twinklet,
            code: flash.code,
            device_at: flash.at,
            in_time: true,
        });
        let asker = Asker::Flash {
            seq,
            deadline,
            answers: answers.clone(),
        };
        if self.jobs.send(Job { entry, asker }).await.is_err() {
            answers.refuse(seq, event, Reason::StorageFailed);
        }
    }

    async fn undelivered(&self, event: EventId, answers: Option<&Answers>) {
        let asker = Asker::Undelivered(answers.cloned());
        // Without a writer nothing is decided any more either, and the peer will report again.
        let _ended = self
            .jobs
            .send(Job {
                entry: Entry::Undelivered(event),
                asker,
            })
            .await;
    }

    async fn happened(&self, happened: Happened, from: &Peer, answers: &Answers) {
        if !self.may_speak_for(from, &happened.door) {
            // Noted all the same, or the relay would repeat it for ever.
            self.say_not_behind(from, &happened.door);
            return answers.noted(happened.event);
        }
        let entry = Entry::DoorEvent(DoorEventEntry {
            event: happened.event,
            door: happened.door,
            relay: relay(from),
            kind: happened.kind,
            at: placed(self.clock.now(), happened.age),
            device_at: happened.at,
            about: happened.about,
        });
        let asker = Asker::Happened(answers.clone());
        // Without a writer nothing is noted, and the peer will repeat it.
        let _ended = self.jobs.send(Job { entry, asker }).await;
    }

    async fn relay(&self, word: RelayWord, from: &Peer, answers: &Answers) {
        let job = match word {
            RelayWord::Roster(mut roster) => {
                roster.doors.retain(|door| self.may_speak_for(from, door));
                return self.rosters.keep(from.address, roster, answers);
            }
            RelayWord::Taken(_) => return self.rosters.taken(from.address),
            RelayWord::Delays(told) => {
                let now = self.clock.now();
                let own = told.delays.into_iter();
                let own = own.filter(|delay| self.may_speak_for(from, &delay.door));
                let delays = own.map(|Delay { door, age, us }| ToldDelay {
                    door,
                    at: placed(now, age),
                    us,
                });
                Job {
                    entry: Entry::Delays(ToldDelays {
                        relay: from.name.clone(),
                        delays: delays.collect(),
                    }),
                    asker: Asker::Nobody,
                }
            }
            RelayWord::Spool(spool) => Job {
                entry: Entry::SpoolFound(SpoolFound {
                    relay: from.name.clone(),
                    spool: spool.id,
                    last: spool.last,
                    offline_for: spool.offline_for,
                }),
                asker: Asker::Spool(answers.clone()),
            },
            RelayWord::Entries(mut entries) => {
                let count = entries.places();
                // What is none of its own is dropped, or the relay would repeat it for ever.
                entries.entries.retain(|entry| {
                    let own = entry
                        .door()
                        .is_none_or(|door| self.may_speak_for(from, door));
                    if let (false, Some(door)) = (own, entry.door()) {
                        self.say_not_behind(from, door);
                    }
                    own
                });
                Job {
                    entry: Entry::Spooled(Spooled {
                        relay: from.name.clone(),
                        spool: entries.id,
                        entries: entries.entries,
                        to: entries.to,
                        last: entries.last,
                    }),
                    asker: Asker::Entries(count, answers.clone()),
                }
            }
        };
        // Without a writer nothing is acknowledged, and the relay will send it again.
        let _ended = self.jobs.send(job).await;
    }

    fn tally(&self) -> Option<Arc<dyn Tally>> {
        let metrics = self.metrics.clone()?;
        Some(metrics)
    }

    fn goodbye(&self, peer: &Peer) {
        match peer.role {
            Role::Door => self.presence.went(&device(peer), peer.address),
            Role::Relay => {
                self.presence.relay_went(peer.address);
                if let Some(registry) = &self.registry {
                    registry.forget(peer.address);
                }
                self.rosters.forget(peer.address);
            }
        }
    }
}

fn device(peer: &Peer) -> (DeviceKind, DeviceName) {
    (kind_of(peer.role), peer.name.clone())
}

/// The relay that speaks for a door, if it is one.
fn relay(from: &Peer) -> Option<DeviceName> {
    (from.role == Role::Relay).then(|| from.name.clone())
}

/// When it was, so many milliseconds ago; no earlier than the year in which computers' time begins.
fn placed(now: DateTime<Utc>, age: u64) -> DateTime<Utc> {
    let age = i64::try_from(age)
        .ok()
        .and_then(TimeDelta::try_milliseconds);
    age.and_then(|age| now.checked_sub_signed(age))
        .map_or(DateTime::UNIX_EPOCH, |at| at.max(DateTime::UNIX_EPOCH))
}
