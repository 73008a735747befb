//! The relay's side of its doors' connections: everything they ask goes on to the central.

use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::ids::{DeviceName, EventId};
use crate::wire::answers::Answers;
use crate::wire::link::Link;
use crate::wire::server::{Greeting, Peer, Service};
use crate::wire::{Door, Flash, Happened, Role, refusal};

/// Hands requests to the [`Link`], which answers each in time.
#[derive(Debug)]
pub(super) struct Forwarder {
    name: DeviceName,
    link: Link,
    clock: Arc<dyn Clock>,
}

impl Forwarder {
    pub(super) fn new(name: DeviceName, link: Link, clock: Arc<dyn Clock>) -> Self {
        Self { name, link, clock }
    }
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
        match peer.role {
            Role::Door => {
                self.link.door_came(&peer.name);
                Ok(())
            }
            Role::Relay => Err(refusal::ROLE),
        }
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
        self.link.happened(happened, Some(answers.clone()));
    }

    fn goodbye(&self, peer: &Peer) {
        self.link.door_went(&peer.name);
    }
}
