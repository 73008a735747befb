//! The replaced system's plain text on a socket: packets in, `Open` or `Dont_open` out, in order
//! and without a line end. There is no framing: silence ends what nothing else ends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ipnet::IpNet;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::consume_budget;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::domain::ids::{DeviceName, EventId, TwinkletId};
use crate::domain::packet::{self, Scan};
use crate::wire::answers::{Answers, OwedReceiver};
use crate::wire::server::{Peer, Service};
use crate::wire::timer::Timer;
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
/// How much of a malformed packet is shown, in characters.
const MAX_SHOWN: usize = 80;
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

impl PlainRule {
    /// Where its packets come from, for people.
    fn whence(&self) -> String {
        self.from
            .map_or_else(|| "anywhere".to_owned(), |network| network.to_string())
    }
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
    ///
    /// # Errors
    /// If two rules name the same network, so that one of them would never apply.
    pub fn new(mut rules: Vec<PlainRule>) -> Result<Self, String> {
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.from.map(|network| network.prefix_len())));
        for (number, rule) in rules.iter().enumerate() {
            let same = |other: &&PlainRule| other.from == rule.from;
            if let Some(other) = rules.iter().skip(number + 1).find(same) {
                let from = rule.whence();
                let (one, two) = (&rule.door, &other.door);
                return Err(format!(
                    "plain text from {from} cannot be both '{one}' and '{two}'"
                ));
            }
        }
        Ok(Self(rules))
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
        for rule in &self.0 {
            let (door, from) = (&rule.door, rule.whence());
            let here = |network: IpNet| network.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST));
            if server.ip().is_loopback() && !rule.from.is_none_or(here) {
                warn!(
                    "no plain text for door '{door}' can come from {from}: {server} is reached \
                     from this machine only; give --listen another address, and --insecure"
                );
                continue;
            }
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
/// [`Error::Malformed`] after more than 1 KiB without a packet, [`Error::Io`] and [`Error::TimedOut`]
/// if the connection fails.
pub async fn serve<S: Service>(
    read: impl AsyncRead + Unpin,
    write: impl AsyncWrite + Unpin,
    peer: &Peer,
    service: &S,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let (answers, mut owed) = Answers::counted(service.tally());
    let mut session = Session {
        write,
        peer,
        service,
        stop,
        asked: 0,
        opening: None,
        said_malformed: false,
        timer: Timer::default(),
    };
    let drained = async {
        stop.cancelled().await;
        sleep(DRAIN_WITHIN).await;
    };
    let ended = tokio::select! {
        ended = session.run(read, &answers, &mut owed) => ended,
        () = drained => Ok(()),
    };
    // An Open that was not written reached nobody.
    for event in owed.close().into_iter().chain(session.opening) {
        service.undelivered(event, None).await;
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
    /// The event whose `Open` is being written.
    opening: Option<EventId>,
    /// Whether something malformed was shown already.
    said_malformed: bool,
    timer: Timer,
}

impl<W: AsyncWrite + Unpin, S: Service> Session<'_, W, S> {
    async fn run(
        &mut self,
        mut read: impl AsyncRead + Unpin,
        answers: &Answers,
        owed: &mut OwedReceiver,
    ) -> Result<(), Error> {
        let mut buffer = BytesMut::new();
        let mut stopped = pin!(self.stop.cancelled());
        // Whether nothing more comes: for now, or ever.
        let (mut silent, mut closed) = (false, false);
        loop {
            consume_budget().await;
            let scan = packet::scan(&buffer, silent || closed);
            let patience = match scan {
                Scan::Packet { used, .. } | Scan::Malformed { used } if used > MAX_PACKET => {
                    return self.too_much().await;
                }
                Scan::Packet { twinklet, used } => {
                    buffer.advance(used);
                    self.opening = self.ask(twinklet, answers, owed).await?;
                    self.reply(if self.opening.is_some() {
                        OPEN
                    } else {
                        DONT_OPEN
                    })
                    .await?;
                    self.opening = None;
                    continue;
                }
                Scan::Malformed { used } => {
                    self.say_malformed(&buffer.split_to(used));
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
                return self.too_much().await;
            }
            if closed {
                return Ok(());
            }
            buffer.reserve(MAX_PACKET);
            tokio::select! {
                read = self.timer.within(patience, read.read_buf(&mut buffer)) => match read {
                    Some(count) => (silent, closed) = (false, count? == 0),
                    None => silent = true,
                },
                () = &mut stopped => return Ok(()),
            }
        }
    }

    async fn too_much(&mut self) -> Result<(), Error> {
        self.reply(DONT_OPEN).await?;
        Err(Error::Malformed(format!(
            "more than {MAX_PACKET} bytes without a packet's end"
        )))
    }

    /// Shows whoever replaces an old receiver what it sends; once, or it could fill the log.
    fn say_malformed(&mut self, bytes: &[u8]) {
        let Peer { name, address, .. } = self.peer;
        let shown: String = String::from_utf8_lossy(bytes)
            .chars()
            .take(MAX_SHOWN)
            .collect();
        if std::mem::replace(&mut self.said_malformed, true) {
            debug!("{address}, door '{name}': no packet: {shown:?}");
        } else {
            warn!("{address}, door '{name}': no packet, answered Dont_open: {shown:?}");
        }
    }

    /// Asks the service, and waits for its answer; returns the event if it is `Open`, in time.
    async fn ask(
        &mut self,
        twinklet: TwinkletId,
        answers: &Answers,
        owed: &mut OwedReceiver,
    ) -> Result<Option<EventId>, Error> {
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
            let timed = answers.from_now(&self.peer.name);
            self.service
                .flash(flash, self.peer, timed.as_ref().unwrap_or(answers))
                .await;
            owed.next().await
        };
        let answer = self.timer.within(BUDGET + GRACE, answer).await.flatten();
        match answer
            .ok_or(Error::TimedOut("its flash was not answered"))?
            .open()
        {
            Some(opened) if began.elapsed() > BUDGET => {
                self.service.undelivered(opened, None).await;
                Ok(None)
            }
            opened => Ok(opened),
        }
    }

    async fn reply(&mut self, reply: &'static [u8]) -> Result<(), Error> {
        let written = self.write.write_all(reply);
        let written = self.timer.within(WRITE_WITHIN, written).await;
        Ok(written.ok_or(Error::TimedOut("it takes no reply"))??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_rule_names_the_door() {
        let rules = ["front", "back@10.0.0.0/8", "lab@10.1.2.3", "six@fd00::/8"];
        let rules =
            PlainRules::new(rules.iter().map(|rule| rule.parse().unwrap()).collect()).unwrap();
        let door = |address: &str| rules.door_at(address.parse().unwrap()).unwrap().to_string();
        assert_eq!(door("10.1.2.3"), "lab");
        assert_eq!(door("::ffff:10.1.2.3"), "lab");
        assert_eq!(door("10.1.2.4"), "back");
        assert_eq!(door("127.0.0.1"), "front");
        assert_eq!(door("fd00::1"), "six");

        let narrow = PlainRules::new(vec!["lab@10.1.2.3".parse().unwrap()]).unwrap();
        assert_eq!(narrow.door_at("10.1.2.4".parse().unwrap()), None);
        for bad in ["", "@10.0.0.1", "lab@", "lab@10.0.0.0/33", "lab@nowhere"] {
            assert!(bad.parse::<PlainRule>().is_err(), "{bad:?}");
        }
    }
}
