//! How fast the old plain-text packet goes through relay and central, every `Open` stored, beside
//! the same bytes through a bare two-hop TCP echo in the same run.
//!
//! ```text
//! clients -> twinkle relay -> twinkle central -> SQLite          what is measured
//! clients -> hop           -> echo                               the bare limit
//! ```
//!
//! Each of the four is a process with one thread for its connections. A flushed commit takes t
//! seconds on this disk, so that N connections, each waiting for its answer, allow N / (N / R(N) +
//! t) flashes a second, where R(N) is the bare rate: the model that the ratios are also held
//! against. Both are measured in turn, several times, and the median is printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a benchmark may fail loudly"
)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use twinkle::db::{Author, NewEmployee, Store};

/// How many connections ask at once.
const CONNECTIONS: [usize; 4] = [1, 8, 64, 512];
/// How often each is measured, bare and twinkle in turn.
const ROUNDS: usize = 3;
/// How long one measurement takes, after a start that is not counted.
const MEASURED: Duration = Duration::from_millis(1500);
const WARM_UP: Duration = Duration::from_millis(300);
/// The badges that are flashed: all with four digits, so that every packet has the same length.
const BADGES: std::ops::Range<u64> = 1000..2000;
/// The length of a packet such as `1*1000*02/01/2022`.
const PACKET: usize = 17;
/// The reply to each.
const REPLY: &[u8] = b"Open";
/// Set for the processes that this program starts of itself: what to be.
const BE: &str = "TWINKLE_BENCH_BE";

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    match std::env::var(BE).as_deref() {
        Ok("echo") => runtime.block_on(echo()),
        Ok(hop_to) => runtime.block_on(hop(hop_to.parse().unwrap())),
        Err(_) => measure(&runtime),
    }
}

fn measure(runtime: &tokio::runtime::Runtime) {
    twinkle::wire::server::raise_open_files();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let commit = flushed_commit(folder.path());
    println!(
        "one flushed SQLite commit on this disk: {:.3} ms (median)",
        commit * 1e3
    );
    println!("packets a second, and what they are of the bare rate and of the model\n");
    println!(
        "{:>11}  {:>9}  {:>9}  {:>9}  {:>7}  {:>7}  {:>16}",
        "connections", "bare", "model", "twinkle", "/bare", "/model", "p50 / p99 in ms"
    );

    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let db = folder.path().join("twinkle.db");
    fill(&db);
    let central = Server::twinkle(&db, &["central", "--listen", "127.0.0.1:0"]);
    let to_central = central.address.to_string();
    let relay = Server::twinkle(
        &db,
        &[
            "relay",
            "--listen",
            "127.0.0.1:0",
            "--central",
            &to_central,
            "--accept-plain",
            "bench",
        ],
    );
    for connections in CONNECTIONS {
        let mut rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let bare = runtime.block_on(load(hop.address, connections)).rate;
                let ours = runtime.block_on(load(relay.address, connections));
                let count = connections as f64;
                let model = count / (count / bare + commit);
                (ours.rate / bare, bare, model, ours)
            })
            .collect();
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, bare, model, ours) = &rounds[ROUNDS / 2];
        println!(
            "{connections:>11}  {bare:>9.0}  {model:>9.0}  {:>9.0}  {ratio:>7.2}  {:>7.2}  {:>7.2} / {:>6.2}",
            ours.rate,
            ours.rate / model,
            ours.p50 * 1e3,
            ours.p99 * 1e3,
        );
    }
}

/// The time that one commit of a small row takes, flushed, in seconds: the median of many.
fn flushed_commit(folder: &Path) -> f64 {
    let connection = Connection::open(folder.join("commit.db")).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    connection
        .execute_batch("CREATE TABLE t (a INTEGER)")
        .unwrap();
    let mut times: Vec<_> = (0..300)
        .map(|number| {
            let began = Instant::now();
            connection
                .execute("INSERT INTO t VALUES (?1)", [number])
                .unwrap();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// A database with an employee for each badge.
fn fill(db: &Path) {
    let mut store = Store::open_as_central(db, chrono_tz::UTC).unwrap().store;
    let author = Author {
        who: "bench".to_owned(),
        at: chrono::DateTime::UNIX_EPOCH,
    };
    for id in BADGES {
        let new = NewEmployee {
            name: format!("Person {id}").parse().unwrap(),
            twinklet: id.try_into().unwrap(),
            joined: "2020-01-01".parse().unwrap(),
            department: None,
        };
        store.add_employee(&new, &author).unwrap();
    }
}

/// What a load came to.
struct Load {
    /// Answers a second.
    rate: f64,
    /// The median time to an answer, in seconds.
    p50: f64,
    /// The time that one in a hundred took longer than, in seconds.
    p99: f64,
}

/// Has so many connections ask, each as soon as it has its answer.
async fn load(server: SocketAddr, connections: usize) -> Load {
    let began = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|number| tokio::spawn(client(server, number, began)))
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.unwrap());
    }
    times.sort();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64();
    Load {
        rate: times.len() as f64 / MEASURED.as_secs_f64(),
        p50: at(50),
        p99: at(99),
    }
}

/// One connection; returns the times of the answers that count.
async fn client(server: SocketAddr, number: usize, began: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let badge = BADGES.start + number as u64 % (BADGES.end - BADGES.start);
    let packet = format!("1*{badge}*02/01/2022");
    assert_eq!(packet.len(), PACKET);
    let mut reply = [0; REPLY.len()];
    let mut times = Vec::new();
    loop {
        let asked = Instant::now();
        stream.write_all(packet.as_bytes()).await.unwrap();
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(reply, REPLY, "{}", String::from_utf8_lossy(&reply));
        let since = began.elapsed();
        if since > WARM_UP + MEASURED {
            return times;
        }
        if since > WARM_UP {
            times.push(asked.elapsed());
        }
    }
}

/// Answers each packet itself.
async fn echo() {
    let listener = listen().await;
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let mut packet = [0; PACKET];
            while stream.read_exact(&mut packet).await.is_ok() {
                stream.write_all(REPLY).await.unwrap();
            }
        });
    }
}

/// Passes everything on over a connection of its own for each client, and back.
async fn hop(to: SocketAddr) {
    let listener = listen().await;
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let mut onward = TcpStream::connect(to).await.unwrap();
            onward.set_nodelay(true).unwrap();
            let _ended = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        });
    }
}

async fn listen() -> TcpListener {
    twinkle::wire::server::raise_open_files();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    listener
}

/// A process that is ended with this program.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn twinkle(db: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_twinkle"));
        command
            .args(args)
            .env("TWINKLE_DB", db)
            .env("TWINKLE_CONFIG", "/dev/null");
        Self::start(command.env("TWINKLE_LOG", "error"))
    }

    fn this_program(be: &str) -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()).env(BE, be))
    }

    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().expect("a server that listens").unwrap();
        let address = line.strip_prefix("listening on ").unwrap().parse().unwrap();
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}
