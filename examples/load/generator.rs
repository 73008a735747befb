//! Doors that flash as fast as they are answered, or at a fixed rate all together, and what they
//! saw: used by the load generator and by the benchmarks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use hdrhistogram::Histogram;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};
use twinkle::domain::ids::{DeviceName, EventId, TwinkletId};
use twinkle::wire::codec::{self, FrameReader};
use twinkle::wire::identity::Identity;
use twinkle::wire::{Flash, Hello, Message, Role, VERSIONS};

/// How many doors of one machine share an address of it: some servers limit what comes from one.
const DOORS_PER_ADDRESS: usize = 250;
/// The longest time that is told from longer ones, in microseconds.
const LONGEST_US: u64 = 60_000_000;
/// How many doors connect at once.
const CONNECT_AT_ONCE: usize = 250;

/// What the doors speak.
#[derive(Debug, Clone)]
pub enum Speak {
    /// The wire protocol.
    Frames,
    /// The wire protocol over TLS, all doors with this one identity.
    Protected(Arc<Identity>),
    /// The replaced system's packets, with three fields.
    Plain,
}

/// What is to be asked, of whom, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The relay or the central.
    pub server: SocketAddr,
    /// What the doors speak.
    pub speak: Speak,
    /// How many doors there are; each waits for its answer before it asks again.
    pub doors: usize,
    /// How many flashes a second, by all doors together; `None`: as fast as they are answered.
    pub rate: Option<f64>,
    /// What is not counted, at the start.
    pub warm_up: Duration,
    /// What is counted.
    pub measured: Duration,
    /// The badges that are flashed, in turn, each door beginning elsewhere.
    pub badges: RangeInclusive<u64>,
    /// The share of flashes, from 0 to 1, with a badge beyond the range.
    pub unknown: f64,
    /// After this long a flash counts as lost.
    pub deadline: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Figures {
    /// The times from flash to answer, in microseconds. At a fixed rate they count from when the
    /// flash was due, so that a slow server does not hide its slowness by slowing the doors down.
    pub times: Histogram<u64>,
    /// How often each verdict was given.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// How many flashes had no answer within the deadline.
    pub lost: u64,
    /// For how long was counted.
    pub measured: Duration,
}

impl Figures {
    /// The answers that were counted.
    pub fn answered(&self) -> u64 {
        self.times.len()
    }

    /// The flashes that were not answered with `Open`, be it with another verdict or not at all.
    pub fn not_opened(&self) -> u64 {
        let opened = ["open", "Open"].map(|open| self.verdicts.get(open).copied().unwrap_or(0));
        self.answered() + self.lost - opened.iter().sum::<u64>()
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.answered() as f64 / self.measured.as_secs_f64()
    }

    /// The time within which this share of the answers came, in milliseconds.
    pub fn within_ms(&self, share: f64) -> f64 {
        self.times.value_at_quantile(share) as f64 / 1e3
    }
}

/// Has all doors connect, and then flash; returns what they saw.
pub async fn run(plan: &Plan) -> Figures {
    let figures = Figures {
        times: Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds that are allowed"),
        verdicts: BTreeMap::new(),
        lost: 0,
        measured: plan.measured,
    };
    let figures = Arc::new(Mutex::new(figures));
    let plan = Arc::new(plan.clone());
    let mut doors = Vec::with_capacity(plan.doors);
    for first in (0..plan.doors).step_by(CONNECT_AT_ONCE) {
        let together = first..plan.doors.min(first + CONNECT_AT_ONCE);
        let connecting: Vec<_> = together
            .map(|number| tokio::spawn(Connection::open(Arc::clone(&plan), number)))
            .collect();
        for connecting in connecting {
            doors.push(connecting.await.expect("a door fails"));
        }
    }
    let began = Instant::now();
    let flashing: Vec<_> = doors
        .into_iter()
        .enumerate()
        .map(|(number, connection)| {
            let door = Door {
                plan: Arc::clone(&plan),
                number,
                connection,
                figures: Arc::clone(&figures),
            };
            tokio::spawn(door.flash(began))
        })
        .collect();
    for door in flashing {
        door.await.expect("a door fails");
    }
    let figures = Arc::try_unwrap(figures).expect("all doors have ended");
    figures.into_inner().expect("no door has failed")
}

/// One door at work.
struct Door {
    plan: Arc<Plan>,
    number: usize,
    connection: Connection,
    figures: Arc<Mutex<Figures>>,
}

impl Door {
    async fn flash(mut self, began: Instant) {
        let plan = Arc::clone(&self.plan);
        let count_from = began + plan.warm_up;
        let until = count_from + plan.measured;
        let pause = plan
            .rate
            .map(|rate| Duration::from_secs_f64(plan.doors as f64 / rate));
        // The doors take turns.
        let mut due = began
            + pause
                .unwrap_or_default()
                .mul_f64(self.number as f64 / plan.doors as f64);
        for turn in 0.. {
            let mut asked = Instant::now();
            if let Some(pause) = pause {
                // A door that was still waiting when it was due has been slowed down, and that
                // counts; that a timer goes off late does not.
                let late = due < asked;
                sleep_until(due).await;
                asked = if late { due } else { Instant::now() };
                due += pause;
            }
            if asked >= until {
                return;
            }
            let badge = badge(&plan, self.number, turn);
            let answer = timeout(plan.deadline, self.connection.ask(badge)).await;
            let took = asked.elapsed();
            let lost = !matches!(answer, Ok(Some(_)));
            if asked >= count_from {
                let mut figures = self.figures.lock().expect("no door has failed");
                match answer {
                    Ok(Some(verdict)) => {
                        figures.times.saturating_record(took.as_micros() as u64);
                        *figures.verdicts.entry(verdict).or_default() += 1;
                    }
                    Ok(None) | Err(_) => figures.lost += 1,
                }
            }
            if lost {
                self.connection = Connection::open(Arc::clone(&plan), self.number).await;
            }
        }
    }
}

/// The badge that a door flashes at its so-manieth turn.
fn badge(plan: &Plan, number: usize, turn: u64) -> u64 {
    let (first, last) = (*plan.badges.start(), *plan.badges.end());
    let count = last - first + 1;
    let place = (number as u64 * 7919 + turn) % count;
    // Spread evenly: one of so many turns passes a whole number.
    let before = (turn as f64 * plan.unknown) as u64;
    let after = ((turn + 1) as f64 * plan.unknown) as u64;
    match after > before {
        true => last + 1 + place,
        false => first + place,
    }
}

/// A door's connection.
enum Connection {
    Frames(Box<Framed>),
    Plain(TcpStream),
}

struct Framed {
    door: DeviceName,
    budget_ms: u32,
    asked: u64,
    reader: FrameReader<Box<dyn AsyncRead + Send + Unpin>>,
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    bytes: BytesMut,
}

impl Connection {
    /// Connects, and greets.
    async fn open(plan: Arc<Plan>, number: usize) -> Self {
        let stream = connect(plan.server, number).await;
        let budget_ms = plan.deadline.as_millis() as u32;
        let framed = match &plan.speak {
            Speak::Plain => return Self::Plain(stream),
            Speak::Frames => {
                let door = format!("load {number}").parse().expect("a name");
                let (reader, writer) = stream.into_split();
                Framed::greet(Box::new(reader), Box::new(writer), door, budget_ms).await
            }
            Speak::Protected(identity) => {
                let connected = identity.connector.connect(stream).await;
                let (reader, writer) = split(connected.expect("the server takes our identity"));
                let door = identity.name.clone();
                Framed::greet(Box::new(reader), Box::new(writer), door, budget_ms).await
            }
        };
        Self::Frames(Box::new(framed))
    }

    /// Flashes a badge; returns the verdict, or `None` if the connection broke.
    async fn ask(&mut self, badge: u64) -> Option<&'static str> {
        match self {
            Self::Frames(framed) => framed.ask(badge).await,
            Self::Plain(stream) => ask_plainly(stream, badge).await,
        }
    }
}

/// Connects, from one of many addresses if the server is on this machine.
async fn connect(server: SocketAddr, number: usize) -> TcpStream {
    let socket = match server {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.expect("a socket");
    if server.is_ipv4() && server.ip().is_loopback() {
        let group = (number / DOORS_PER_ADDRESS) as u8;
        let from = IpAddr::V4(Ipv4Addr::new(127, 77, group, 1));
        socket.bind((from, 0).into()).expect("a loopback address");
    }
    let stream = socket.connect(server).await.expect("the server listens");
    stream.set_nodelay(true).expect("a connection");
    stream
}

async fn ask_plainly(stream: &mut TcpStream, badge: u64) -> Option<&'static str> {
    let packet = format!("1*{badge}*02/01/2022");
    stream.write_all(packet.as_bytes()).await.ok()?;
    let mut reply = [0; 9];
    let (begins, ends) = reply.split_at_mut(4);
    stream.read_exact(begins).await.ok()?;
    if begins == b"Open" {
        return Some("Open");
    }
    stream.read_exact(ends).await.ok()?;
    (reply == *b"Dont_open").then_some("Dont_open")
}

impl Framed {
    async fn greet(
        reader: Box<dyn AsyncRead + Send + Unpin>,
        writer: Box<dyn AsyncWrite + Send + Unpin>,
        door: DeviceName,
        budget_ms: u32,
    ) -> Self {
        let mut framed = Self {
            door,
            budget_ms,
            asked: 0,
            reader: FrameReader::new(reader),
            writer,
            bytes: BytesMut::new(),
        };
        let hello = Message::Hello(Hello {
            versions: VERSIONS,
            role: Role::Door,
            name: framed.door.clone(),
        });
        framed.send(&hello).await.expect("the server reads");
        match framed.reader.next().await {
            Ok(Message::Welcome(_)) => framed.reader.greeting_is_over(),
            other => panic!("not welcomed: {other:?}"),
        }
        framed
    }

    async fn ask(&mut self, badge: u64) -> Option<&'static str> {
        self.asked += 1;
        let flash = Message::Flash(Flash {
            seq: self.asked,
            event: EventId::generate(),
            door: self.door.clone(),
            twinklet: TwinkletId::new(badge).expect("badges are in their range"),
            code: None,
            at: 0,
            budget_ms: self.budget_ms,
        });
        self.send(&flash).await?;
        loop {
            match self.reader.next().await.ok()? {
                Message::Verdict(answer) if answer.seq == self.asked => {
                    return Some(answer.verdict.code());
                }
                Message::Ping(echo) => self.send(&Message::Pong(echo)).await?,
                _ => (),
            }
        }
    }

    async fn send(&mut self, message: &Message) -> Option<()> {
        self.bytes.clear();
        codec::encode(message, &mut self.bytes).ok()?;
        self.writer.write_all(&self.bytes).await.ok()?;
        self.writer.flush().await.ok()
    }
}
