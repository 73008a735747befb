//! Flashes from receivers that speak the replaced system's plain text themselves: they connect to
//! the door as they did to the old relay, and get `Open` or `Dont_open` back.

use std::future;
use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::clock::Clock;
use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{DeviceName, EventId};
use crate::hw::{FlashSource, Reading};
use crate::wire::address::HostPort;
use crate::wire::answers::Answers;
use crate::wire::plain::{PlainRule, PlainRules};
use crate::wire::server::{self, Admission, Greeting, Peer, Service};
use crate::wire::{Answer, Door, Error, Flash, Happened, refusal};

/// How `--from` names an address to listen on for them.
pub(super) const WRITTEN: &str = "tcp:ADDR";

/// The address that `--from` names, if it does; an error says how to write it.
pub(super) fn address(from: &str) -> Option<Result<HostPort, &'static str>> {
    from.strip_prefix("tcp:").map(str::parse)
}

/// A port that receivers connect to.
pub(super) struct Receivers {
    listener: TcpListener,
    door: DeviceName,
    clock: Arc<dyn Clock>,
}

impl Receivers {
    /// Listens on that address; off this machine only if it is `open` to others.
    ///
    /// # Errors
    /// As [`server::bind`].
    pub(super) async fn bind(
        address: &HostPort,
        open: bool,
        door: DeviceName,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let listener = server::bind(address, open).await?;
        Ok(Self {
            listener,
            door,
            clock,
        })
    }
}

impl FlashSource for Receivers {
    fn describe(&self) -> String {
        "receivers that speak plain text".to_owned()
    }

    fn start(self: Box<Self>, readings: mpsc::Sender<Reading>) -> io::Result<()> {
        let address = self.listener.local_addr()?;
        info!("plain-text receivers may connect to {address}");
        let rule = PlainRule {
            door: self.door.clone(),
            from: None,
        };
        let plain = PlainRules::new(vec![rule]).map_err(io::Error::other)?;
        plain.warn_of_openness(address);
        let admission = Admission {
            plain,
            ..Admission::default()
        };
        let stop = CancellationToken::new();
        let counter = Arc::new(Counter {
            door: self.door,
            clock: self.clock,
            readings: readings.clone(),
        });
        let serving = server::serve(self.listener, counter, admission, stop.clone());
        tokio::spawn(async move {
            let nobody_takes_them = async {
                readings.closed().await;
                stop.cancel();
            };
            tokio::join!(serving, nobody_takes_them);
        });
        Ok(())
    }
}

/// Where receivers hand in what they read.
struct Counter {
    door: DeviceName,
    clock: Arc<dyn Clock>,
    readings: mpsc::Sender<Reading>,
}

impl Service for Counter {
    fn greeting(&self) -> Greeting {
        Greeting {
            name: self.door.clone(),
            installation: None,
            time: self.clock.now().timestamp_millis(),
        }
    }

    async fn hello(&self, _peer: &Peer) -> Result<(), &'static str> {
        // Whoever speaks frames has mistaken this door for a relay.
        Err(refusal::ROLE)
    }

    fn welcomed(&self, _peer: &Peer, _answers: &Answers) {}

    async fn dismissed(&self, _peer: &Peer) -> &'static str {
        future::pending().await
    }

    async fn flash(&self, flash: Flash, _from: &Peer, answers: &Answers) {
        let (reply, opened) = oneshot::channel();
        let reading = Reading {
            shown: flash.twinklet.into(),
            reply: Some(reply),
        };
        let asked = self.readings.send(reading).await.is_ok();
        if asked && opened.await.unwrap_or(false) {
            let answer = Answer {
                seq: flash.seq,
                verdict: Verdict::Open,
                name: None,
            };
            // The door is open all the same; its receiver has gone.
            let _heard = answers.verdict(flash.event, answer);
        } else {
            // Plain text has one word for every reason.
            answers.refuse(flash.seq, flash.event, Reason::CentralUnreachable);
        }
    }

    async fn undelivered(&self, _event: EventId, _answers: Option<&Answers>) {
        // The door was unlocked, whether or not its receiver heard so.
    }

    async fn door(&self, door: Door, _relay: &Peer, answers: &Answers) {
        answers.hang_up(door.name, refusal::ROLE);
    }

    fn door_gone(&self, _name: &DeviceName, _relay: &Peer) {}

    async fn happened(&self, _happened: Happened, _from: &Peer, _answers: &Answers) {
        // No receiver says this in plain text.
    }

    fn goodbye(&self, _peer: &Peer) {}
}
