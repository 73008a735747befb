//! How fast a flash goes through relay and central, every `Open` stored, beside the same bytes
//! through a bare two-hop TCP echo.
//!
//! ```text
//! doors -> twinkle relay -> twinkle central -> SQLite          what is measured
//! doors -> hop           -> echo                               the bare limit
//! ```
//!
//! Each of the four is a process with one thread for its connections. A flushed commit takes t
//! seconds on this disk, so that N connections, each waiting for its answer, allow N / (N / R(N) +
//! t) flashes a second, where R(N) is the bare rate: the model that the ratios are held against.
//! Everything is measured in turn, several times, and the medians of the ratios are printed.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::cost::{self, Costs, Measured};
use crate::generator::{self, Figures, Plan, Speak};
use crate::page::{Bound, Page, of_doors};
use crate::server::{BADGES, Server, Site};

/// How many connections ask at once.
pub const CONNECTIONS: [usize; 4] = [1, 8, 64, 512];
/// From so many on, one connection and shared flushes should save as much as storing costs.
pub const MANY: usize = 64;
/// How often each is measured, one after the other.
const ROUNDS: usize = 7;
/// Of so many commits the mean time is taken, before and after each round.
const COMMITS: u32 = 100;
/// How long one measurement takes, after a start that is not counted.
const MEASURED: Duration = Duration::from_millis(1500);
const WARM_UP: Duration = Duration::from_millis(300);
/// The length of a packet such as `1*1000*02/01/2022`.
pub const PACKET: usize = 17;
/// Its first byte.
pub const PACKET_BEGINS: [u8; 1] = *b"1";
/// The reply to each.
pub const REPLY: &[u8] = b"Open";

/// What one round saw, at the same number of connections.
struct Round {
    bare: f64,
    model: f64,
    plain: Figures,
    frames: Figures,
    protected: Figures,
    costs: Costs,
}

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("Through relay and central");
    page.say("Flashes a second of so many doors, each of which waits for its answer before it flashes again.");
    page.say("*bare*: the plain-text packet through a two-hop TCP echo. *model*: what that rate and a flushed");
    page.say("commit of this disk allow. *plain*, *frames*, *TLS*: twinkle, every `Open` stored before it is");
    page.say("said. The times to the answer are those of frames.");
    page.say("");
    let site = Site::new();
    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let central = site.central();
    let relay = site.relay(&central);
    // A site with identities takes nothing unprotected.
    let careful = Site::new();
    let identities = careful.protect();
    let careful_central = careful.central();
    let careful_relay = careful.relay_at("127.0.0.1:0", &careful_central, Some(&identities));
    let protected = Speak::Protected(identities.doors);
    page.table(&[
        "doors",
        "commit ms",
        "bare",
        "model",
        "plain",
        "frames",
        "TLS",
        "plain/model",
        "frames/model",
        "plain/bare",
        "TLS/frames",
        "p50 ms",
        "p99 ms",
    ]);
    let mut measured = Vec::new();
    for doors in CONNECTIONS {
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|round| {
                let load = |server, speak| all_opened(runtime, &plan(server, speak, doors));
                let before = flushed_commit(site.folder());
                let meter = cost::of_bare(&hop, &echo);
                let bare = load(hop.address, Speak::Plain);
                let bare_cost = meter.stop(&bare);
                let bare = bare.rate();
                let metered = |speak| {
                    let meter = cost::of_twinkle(&relay, &central);
                    let figures = load(relay.address, speak);
                    let cost = meter.stop(&figures);
                    (figures, cost)
                };
                let [(plain, of_plain), (frames, of_frames)] = both(round, metered);
                let protected = load(careful_relay.address, protected.clone());
                let commit = f64::midpoint(before, flushed_commit(site.folder()));
                let model = model(doors, bare, commit);
                let round = Round {
                    bare,
                    model,
                    plain,
                    frames,
                    protected,
                    costs: Costs {
                        bare: bare_cost,
                        spoken: [of_plain, of_frames],
                    },
                };
                (commit, round)
            })
            .collect();
        let median = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(|(_, r)| of(r)));
        page.row(&[
            doors.to_string(),
            format!(
                "{:.2}",
                crate::two_hop::median(rounds.iter().map(|r| r.0 * 1e3))
            ),
            format!("{:.0}", median(&|r| r.bare)),
            format!("{:.0}", median(&|r| r.model)),
            format!("{:.0}", median(&|r| r.plain.rate())),
            format!("{:.0}", median(&|r| r.frames.rate())),
            format!("{:.0}", median(&|r| r.protected.rate())),
            format!("{:.2}", median(&|r| r.plain.rate() / r.model)),
            format!("{:.2}", median(&|r| r.frames.rate() / r.model)),
            format!("{:.2}", median(&|r| r.plain.rate() / r.bare)),
            format!("{:.2}", median(&|r| r.protected.rate() / r.frames.rate())),
            format!("{:.2}", median(&|r| r.frames.within_ms(0.5))),
            format!("{:.2}", median(&|r| r.frames.within_ms(0.99))),
        ]);
        page.ask(
            format!("TLS of {}, of frames in clear", of_doors(doors)),
            Bound::AtLeast(0.7),
            median(&|r| r.protected.rate() / r.frames.rate()),
        );
        let model = median(&|r| r.model);
        measured.push(Measured {
            doors,
            costs: rounds.into_iter().map(|(_, round)| round.costs).collect(),
            model,
        });
    }
    cost::print(page, &measured);
}

/// Measures doors that speak plain text, and doors that speak frames, as [`SPOKEN`](cost::SPOKEN). Each
/// goes first in its turn: the second has the file that the first has grown.
pub fn both<T>(turn: usize, mut measure: impl FnMut(Speak) -> T) -> [T; 2] {
    if turn.is_multiple_of(2) {
        let plain = measure(Speak::Plain);
        [plain, measure(Speak::Frames)]
    } else {
        let frames = measure(Speak::Frames);
        [measure(Speak::Plain), frames]
    }
}

/// So many doors, as fast as they are answered.
pub fn plan(server: SocketAddr, speak: Speak, doors: usize) -> Plan {
    Plan {
        server,
        speak,
        doors,
        rate: None,
        warm_up: WARM_UP,
        measured: MEASURED,
        badges: BADGES,
        unknown: 0.0,
        deadline: Duration::from_secs(10),
    }
}

/// What doors saw of which each flash must have been opened: a refusal costs less.
pub fn all_opened(runtime: &Runtime, plan: &Plan) -> Figures {
    let figures = runtime.block_on(generator::run(plan));
    assert_eq!(figures.not_opened(), 0, "of {:?}", figures.verdicts);
    figures
}

/// The middle one.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How many flashes a second a bare rate and a flushed commit allow so many doors.
pub fn model(doors: usize, bare: f64, commit: f64) -> f64 {
    let doors = doors as f64;
    doors / (doors / bare + commit)
}

/// The time that one commit of a small row takes, flushed, in seconds: the mean of many, as the model
/// asks how many fit into a second.
pub fn flushed_commit(folder: &Path) -> f64 {
    let commits = Commits::new(folder);
    let began = Instant::now();
    (0..COMMITS).for_each(|_| commits.another());
    began.elapsed().as_secs_f64() / f64::from(COMMITS)
}

/// A database of which each commit stores one small row, flushed.
pub struct Commits(Connection);

impl Commits {
    pub fn new(folder: &Path) -> Self {
        let connection = Connection::open(folder.join("commit.db")).unwrap();
        let set = |name, value| connection.pragma_update(None, name, value).unwrap();
        set("journal_mode", "WAL");
        set("synchronous", "FULL");
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
            .unwrap();
        Self(connection)
    }

    pub fn another(&self) {
        self.0.execute("INSERT INTO t VALUES (1)", []).unwrap();
    }
}

/// What this program is when it is one of the two hops: `echo`, or a hop to that address.
pub async fn serve(listener: TcpListener, be: &str) {
    let onward: Option<SocketAddr> = be.parse().ok();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        match onward {
            Some(to) => tokio::spawn(pass_on(stream, to)),
            None => tokio::spawn(answer(stream)),
        };
    }
}

/// Answers each packet itself.
async fn answer(mut stream: TcpStream) {
    let mut packet = [0; PACKET];
    while stream.read_exact(&mut packet).await.is_ok() {
        stream.write_all(REPLY).await.unwrap();
    }
}

/// Passes everything on over a connection of its own, and back.
async fn pass_on(mut stream: TcpStream, to: SocketAddr) {
    let mut onward = TcpStream::connect(to).await.unwrap();
    onward.set_nodelay(true).unwrap();
    let _ended = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
}
