//! The replaced system's plain text on a socket: packets in, `Open` or `Dont_open` out, in order
//! and without a line end. There is no framing: silence ends what nothing else ends.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ipnet::IpNet;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::domain::ids::{DeviceName, EventId, TwinkletId};
use crate::domain::packet::{self, Scan};
use crate::wire::answers::{Answers, OwedReceiver};
use crate::wire::server::{Peer, Service};
use crate::wire::{DRAIN_WITHIN, Error, Flash, WRITE_WITHIN};

/// The reply to a packet that opens.
const OPEN: &[u8] = b"Open";
/// The reply to any other, and to what is no packet.
const DONT_OPEN: &[u8] = b"Dont_open";
/// A packet may come in pieces, each within this time of the last.
const PIECES_WITHIN: Duration = Duration::from_millis(500);
/// A packet of six fields is complete after this much silence.
const COMPLETE_AFTER: Duration = Duration::from_millis(50);
/// The most bytes without a packet in them.
const MAX_PACKET: usize = 1024;
/// How long a plain-text client's flash may take. The client does not say; it is the time after
/// which a door of our own gives up.
const BUDGET: Duration = Duration::from_secs(3);
/// How much longer to wait for the service, which keeps the time itself.
const GRACE: Duration = Duration::from_secs(1);

/// Whose packets are accepted: `DOOR` or `DOOR@ADDRESS-OR-NETWORK`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PlainRule {
    /// The door for which they count.
    pub door: DeviceName,
    /// Where they may come from; `None`: from anywhere.
    pub from: Option<IpNet>,
}

impl FromStr for PlainRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (door, from) = match text.split_once('@') {
            Some((door, from)) => (door, Some(parse_network(from)?)),
            None => (text, None),
        };
        Ok(Self {
            door: door.parse().map_err(|bad| format!("{bad}"))?,
            from,
        })
    }
}

impl TryFrom<String> for PlainRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// An address stands for itself alone.
fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| {
        format!("'{text}' is no address or network; write 192.168.1.20 or 192.168.1.0/24")
    })
}

/// The rules of one server.
#[derive(Debug, Clone, Default)]
pub struct PlainRules(Vec<PlainRule>);

impl PlainRules {
    /// Rules to be tried narrowest network first.
    pub fn new(mut rules: Vec<PlainRule>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.from.map(|network| network.prefix_len())));
        Self(rules)
    }

    /// The door for which packets from that address count; `None` if they are not accepted.
    pub fn door_at(&self, address: IpAddr) -> Option<&DeviceName> {
        let address = address.to_canonical();
        let applies =
            |rule: &&PlainRule| rule.from.is_none_or(|network| network.contains(&address));
        self.0.iter().find(applies).map(|rule| &rule.door)
    }

    /// Says in the log what it means to accept plain text at this server.
    pub fn warn_of_openness(&self, server: SocketAddr) {
        for PlainRule { door, from } in &self.0 {
            let from = from.map_or_else(|| "anywhere".to_owned(), |network| network.to_string());
            warn!(
                "plain text is accepted at {server} from {from}: whoever can send from there and \
                 knows a badge's number can open door '{door}'"
            );
        }
    }

    /// The rules, narrowest first.
    pub fn iter(&self) -> impl Iterator<Item = &PlainRule> {
        self.0.iter()
    }
}

/// Serves a plain-text connection until the client closes it or sends too much that is no packet.
///
/// # Errors
/// [`Error::TooLong`] after more than 1 KiB without a packet, [`Error::Io`] and [`Error::TimedOut`]
/// if the connection fails.
pub async fn serve<S: Service>(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin,
    peer: &Peer,
    service: &S,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let (answers, mut owed) = Answers::channel();
    let mut session = Session {
        write,
        peer,
        service,
        stop,
        asked: 0,
    };
    let ended = {
        let mut running = pin!(session.run(read, &answers, &mut owed));
        let drained = async {
            stop.cancelled().await;
            sleep(DRAIN_WITHIN).await;
        };
        tokio::select! {
            ended = &mut running => ended,
            () = drained => Ok(()),
        }
    };
    // An Open that was never written reached nobody.
    owed.close();
    while let Ok(lost) = owed.try_recv() {
        if let Some(event) = lost.open() {
            service.undelivered(event, None).await;
        }
    }
    ended
}

struct Session<'a, W, S> {
    write: W,
    peer: &'a Peer,
    service: &'a S,
    stop: &'a CancellationToken,
    /// How many flashes were asked: the number of the last.
    asked: u64,
}

impl<W: AsyncWrite + Unpin, S: Service> Session<'_, W, S> {
    async fn run(
        &mut self,
        mut read: impl AsyncRead + Unpin,
        answers: &Answers,
        owed: &mut OwedReceiver,
    ) -> Result<(), Error> {
        let mut buffer = BytesMut::new();
        // Whether nothing more comes: for now, or ever.
        let (mut silent, mut closed) = (false, false);
        loop {
            let patience = match packet::scan(&buffer, silent || closed) {
                Scan::Packet { twinklet, used } => {
                    buffer.advance(used);
                    let verdict = self.ask(twinklet, answers, owed).await?;
                    self.reply(verdict).await?;
                    continue;
                }
                Scan::Malformed { used } => {
                    debug!("{}: {used} bytes that are no packet", self.peer.address);
                    buffer.advance(used);
                    self.reply(DONT_OPEN).await?;
                    continue;
                }
                Scan::Nothing => {
                    buffer.clear();
                    Duration::MAX
                }
                Scan::Partial => PIECES_WITHIN,
                Scan::CompleteUnlessMoreFollows => COMPLETE_AFTER,
            };
            if buffer.len() > MAX_PACKET {
                self.reply(DONT_OPEN).await?;
                return Err(Error::TooLong(MAX_PACKET));
            }
            if closed {
                return Ok(());
            }
            buffer.reserve(MAX_PACKET);
            tokio::select! {
                read = timeout(patience, read.read_buf(&mut buffer)) => match read {
                    Ok(count) => (silent, closed) = (false, count? == 0),
                    Err(_elapsed) => silent = true,
                },
                () = self.stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Asks the service, and waits for its answer.
    async fn ask(
        &mut self,
        twinklet: TwinkletId,
        answers: &Answers,
        owed: &mut OwedReceiver,
    ) -> Result<&'static [u8], Error> {
        self.asked += 1;
        let began = Instant::now();
        let event = EventId::generate();
        let flash = Flash {
            seq: self.asked,
            event,
            door: self.peer.name.clone(),
            twinklet,
            code: None,
            at: self.service.greeting().time,
            budget_ms: u32::try_from(BUDGET.as_millis()).unwrap_or(u32::MAX),
        };
        let answer = async {
            self.service.flash(flash, self.peer, answers).await;
            owed.recv().await
        };
        match timeout(BUDGET + GRACE, answer).await {
            Ok(Some(answer)) if answer.open() != Some(event) => Ok(DONT_OPEN),
            Ok(Some(_)) if began.elapsed() <= BUDGET => Ok(OPEN),
            Ok(Some(_)) => {
                self.service.undelivered(event, None).await;
                Ok(DONT_OPEN)
            }
            Ok(None) | Err(_) => Err(Error::TimedOut("its flash was not answered")),
        }
    }

    async fn reply(&mut self, reply: &'static [u8]) -> Result<(), Error> {
        let written = timeout(WRITE_WITHIN, self.write.write_all(reply)).await;
        Ok(written.map_err(|_| Error::TimedOut("it takes no reply"))??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_rule_names_the_door() {
        let rules = ["front", "back@10.0.0.0/8", "lab@10.1.2.3", "six@fd00::/8"];
        let rules = PlainRules::new(rules.iter().map(|rule| rule.parse().unwrap()).collect());
        let door = |address: &str| rules.door_at(address.parse().unwrap()).unwrap().to_string();
        assert_eq!(door("10.1.2.3"), "lab");
        assert_eq!(door("::ffff:10.1.2.3"), "lab");
        assert_eq!(door("10.1.2.4"), "back");
        assert_eq!(door("127.0.0.1"), "front");
        assert_eq!(door("fd00::1"), "six");

        let narrow = PlainRules::new(vec!["lab@10.1.2.3".parse().unwrap()]);
        assert_eq!(narrow.door_at("10.1.2.4".parse().unwrap()), None);
        for bad in ["", "@10.0.0.1", "lab@", "lab@10.0.0.0/33", "lab@nowhere"] {
            assert!(bad.parse::<PlainRule>().is_err(), "{bad:?}");
        }
    }
}
