//! Where the central's connections hand in what they bring: everything goes into one bounded
//! queue, and whoever finds it full waits, so that its peer is slowed down and nothing is lost.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::db::{DeviceKind, DoorEventEntry, Entry, FlashEntry};
use crate::domain::access::Reason;
use crate::domain::ids::{DeviceName, EventId, InstallationId};
use crate::roles::central::presence::Presence;
use crate::wire::answers::Answers;
use crate::wire::server::{Greeting, Peer, Service};
use crate::wire::{Door, Flash, Happened, Role, refusal};

/// How many jobs may wait for the writer.
const QUEUE: usize = 4_096;

/// One thing to be stored, and who waits to hear of it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) entry: Entry,
    pub(super) asker: Asker,
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
}

impl Desk {
    /// A desk, and the queue it fills.
    pub(super) fn new(
        name: DeviceName,
        installation: InstallationId,
        clock: Arc<dyn Clock>,
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
            },
            queue,
        )
    }

    /// Keeps what is written down of who is connected, until told to stop.
    pub(super) fn watch_presence(
        &self,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let (presence, jobs) = (Arc::clone(&self.presence), self.jobs.clone());
        async move { presence.run(jobs, stop).await }
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
        let name = peer.name.clone();
        self.learn(match peer.role {
            Role::Door => Entry::Door(name),
            Role::Relay => Entry::Relay(name),
        })
        .await?;
        self.presence.came(device(peer), peer.address, None);
        Ok(())
    }

    async fn door(&self, door: Door, relay: &Peer, answers: &Answers) {
        let Door { name, plain } = door;
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
        self.presence.flashed(&flash.door);
        let deadline = Instant::now() + flash.budget();
        let entry = Entry::Flash(FlashEntry {
            event,
            door: flash.door,
            relay: relay(from),
            twinklet: flash.twinklet,
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

    fn goodbye(&self, peer: &Peer) {
        match peer.role {
            Role::Door => self.presence.went(&device(peer), peer.address),
            Role::Relay => self.presence.relay_went(peer.address),
        }
    }
}

fn device(peer: &Peer) -> (DeviceKind, DeviceName) {
    let kind = match peer.role {
        Role::Door => DeviceKind::Door,
        Role::Relay => DeviceKind::Relay,
    };
    (kind, peer.name.clone())
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
