//! The relay's side of its doors' connections: everything they ask goes on to the central, and what
//! they tell is kept first.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{DeviceName, EventId};
use crate::roles::relay::delays::Timing;
use crate::roles::relay::writer::Job;
use crate::wire::answers::{Answers, Tally};
use crate::wire::link::Link;
use crate::wire::server::{Greeting, Peer, Service};
use crate::wire::{Door, Flash, Happened, Role, refusal};

/// Hands requests to the [`Link`], which answers each in time.
#[derive(Debug)]
pub(super) struct Forwarder {
    pub(super) name: DeviceName,
    pub(super) link: Link,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timing: Arc<Timing>,
}

impl Service for Forwarder {
    fn greeting(&self) -> Greeting {
        Greeting {
            name: self.name.clone(),
            installation: self.link.installation(),
            time: self.clock.now().timestamp_millis(),
        }
    }

    async fn hello(&self, peer: &Peer) -> Result<(), &'static str> {
        if peer.role == Role::Relay {
            return Err(refusal::ROLE);
        }
        if !is_on(&self.link.roll().borrow(), peer) {
            return Err(refusal::DISOWNED);
        }
        self.link.door_came(&announced(peer));
        // Without the thread, nobody but the central decides for it.
        let _ended = self.jobs.send(Job::Door(peer.name.clone())).await;
        Ok(())
    }

    fn welcomed(&self, _peer: &Peer, _answers: &Answers) {}

    async fn dismissed(&self, peer: &Peer) -> &'static str {
        let mut roll = self.link.roll();
        if roll.wait_for(|roll| !is_on(roll, peer)).await.is_ok() {
            return refusal::DISOWNED;
        }
        // Without a link nobody says anything any more.
        std::future::pending().await
    }

    async fn door(&self, door: Door, _relay: &Peer, answers: &Answers) {
        // Only relays announce doors, and none is taken here.
        answers.hang_up(door.name, refusal::ROLE);
    }

    fn door_gone(&self, _name: &DeviceName, _relay: &Peer) {}

    async fn flash(&self, flash: Flash, _from: &Peer, answers: &Answers) {
        self.link.ask(flash, answers);
    }

    async fn undelivered(&self, event: EventId, answers: Option<&Answers>) {
        self.link.undelivered(event, answers.cloned());
    }

    async fn happened(&self, happened: Happened, _from: &Peer, answers: &Answers) {
        // Without the thread, nothing is noted, and the door repeats it.
        let _ended = self
            .jobs
            .send(Job::Happened(happened, answers.clone()))
            .await;
    }

    fn tally(&self) -> Option<Arc<dyn Tally>> {
        let timing = Arc::clone(&self.timing);
        Some(timing)
    }

    fn probe(&self, n: u64, answers: &Answers) {
        self.link.measure(n, answers);
    }

    fn goodbye(&self, peer: &Peer) {
        self.link.door_went(&announced(peer));
    }
}

/// A door, as the central hears of it.
fn announced(peer: &Peer) -> Door {
    Door {
        name: peer.name.clone(),
        plain: false,
        identity: peer.identity,
    }
}

/// Whether a door may come: its certificate says so, and the central, if it has said anything yet,
/// does not know otherwise.
fn is_on(roll: &Option<HashSet<Fingerprint>>, peer: &Peer) -> bool {
    match (roll, peer.identity) {
        (Some(roll), Some(identity)) => roll.contains(&identity),
        _ => true,
    }
}
