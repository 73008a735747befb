//! The least that can stand between doors and their answers: a relay and a central, written here with
//! twinkle's libraries, that pass flashes on in the protocol's frames and store them, and do nothing
//! else. What they leave of the model is what protocol and storing leave of it; what twinkle leaves of
//! theirs is the price of all that it does beside.
//!
//! ```text
//! doors -> hop (plain text in, frames out) -> keeper -> its writer -> SQLite
//! ```
//!
//! Each is a process with one thread for its connections, and the keeper has one more that stores: in
//! one flushed transaction all that has come until it is decided.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use twinkle::domain::access::Verdict;
use twinkle::domain::ids::{DeviceName, EventId};
use twinkle::wire::codec::{self, FrameReader};
use twinkle::wire::{Answer, Flash, Message};

use crate::cost::{self, Cost, WRITER};
use crate::generator::Speak;
use crate::page::Page;
use crate::server::{Server, Site};
use crate::storing::{Bare, Piece};
use crate::two_hop::{CONNECTIONS, PACKET, REPLY, all_opened, flushed_commit, median, model, plan};

/// How often each is measured, in turn.
const ROUNDS: usize = 7;
/// The most flashes that are sent on, or answers, before the next are looked for.
const AT_ONCE: usize = 1024;

/// What one round saw.
struct Round {
    model: f64,
    least: f64,
    plain: f64,
    costs: [Cost<4>; 2],
}

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("The least between doors and their answers");
    page.say("*least*: flashes a second, of doors with plain text, through a relay and a central of a page each,");
    page.say("with twinkle's libraries, that only pass them on in the protocol's frames, over one connection, look");
    page.say("the badge up, and store the flash and its employee's day (*badge* of the part before) in one flushed");
    page.say("transaction with all that comes until it is decided. They keep no deadlines, answer no flash twice");
    page.say("alike, survive nothing, and open for everybody. *plain*: twinkle, in turn with them. Then what relay");
    page.say("and central cost, in microseconds of processor time a flash, and how busy all kept the machine.");
    page.say("");
    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let site = Site::new();
    let [least, keeper] = start(&site);
    let central = site.central();
    let relay = site.relay(&central);
    page.table(&[
        "doors",
        "model",
        "least",
        "plain",
        "least/model",
        "plain/model",
        "plain/least",
        "least us",
        "busy",
        "plain us",
        "busy",
    ]);
    for doors in CONNECTIONS {
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let load =
                    |at: &Server| all_opened(runtime, &plan(at.address, Speak::Plain, doors));
                let before = flushed_commit(site.folder());
                let bare = load(&hop).rate();
                let [(least, of_least), (plain, of_plain)] =
                    [(&least, &keeper), (&relay, &central)].map(|(near, far)| {
                        let meter = cost::of_twinkle(near, far);
                        let figures = load(near);
                        let cost = meter.stop(&figures);
                        (figures.rate(), cost)
                    });
                let commit = f64::midpoint(before, flushed_commit(site.folder()));
                Round {
                    model: model(doors, bare, commit),
                    least,
                    plain,
                    costs: [of_least, of_plain],
                }
            })
            .collect();
        let median = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(of));
        let mut row = vec![
            doors.to_string(),
            format!("{:.0}", median(&|r| r.model)),
            format!("{:.0}", median(&|r| r.least)),
            format!("{:.0}", median(&|r| r.plain)),
            format!("{:.2}", median(&|r| r.least / r.model)),
            format!("{:.2}", median(&|r| r.plain / r.model)),
            format!("{:.2}", median(&|r| r.plain / r.least)),
        ];
        for which in [0, 1] {
            row.push(format!("{:.0}", median(&|r| r.costs[which].of_servers())));
            row.push(format!("{:.0} %", median(&|r| r.costs[which].busy * 1e2)));
        }
        page.row(&row);
    }
}

/// Starts the two, with their database beside that site's: the one for doors, and the keeper.
pub fn start(site: &Site) -> [Server; 2] {
    let keeper = Server::this_program(&format!("keeper {}", site.folder().display()));
    let hop = Server::this_program(&format!("hop {}", keeper.address));
    [hop, keeper]
}

/// What this program is when it is one of the two: `hop` before a keeper at that address, or `keeper`
/// of a database in that folder.
pub async fn serve(listener: TcpListener, be: &str, of: &str) {
    match be {
        "hop" => pass_on(&listener, of.parse().unwrap()).await,
        "keeper" => keep(&listener, Path::new(of)).await,
        _ => panic!("'{be}' is nothing to be"),
    }
}

/// Passes the flashes of all doors on over one connection, and their answers back.
async fn pass_on(listener: &TcpListener, keeper: SocketAddr) {
    let upstream = TcpStream::connect(keeper).await.unwrap();
    upstream.set_nodelay(true).unwrap();
    let (answers, to_keeper) = upstream.into_split();
    let (flashes, queue) = mpsc::unbounded_channel();
    let doors = Arc::default();
    tokio::spawn(send(queue, to_keeper));
    tokio::spawn(answer(answers, Arc::clone(&doors)));
    loop {
        let (door, _) = listener.accept().await.unwrap();
        door.set_nodelay(true).unwrap();
        let (packets, back) = door.into_split();
        let number = {
            let mut doors = doors.lock().unwrap();
            doors.push(back);
            doors.len() - 1
        };
        tokio::spawn(flash(packets, number, flashes.clone()));
    }
}

/// Sends on what a door flashes, under the door's number.
async fn flash(mut door: OwnedReadHalf, number: usize, flashes: mpsc::UnboundedSender<Message>) {
    let name: DeviceName = "bench".parse().unwrap();
    let mut packet = [0; PACKET];
    while door.read_exact(&mut packet).await.is_ok() {
        let text = std::str::from_utf8(&packet).unwrap();
        let badge = text.split('*').nth(1).unwrap();
        let flash = Flash {
            seq: number as u64,
            event: EventId::generate(),
            door: name.clone(),
            twinklet: badge.parse().unwrap(),
            code: None,
            at: crate::storing::now().timestamp_millis(),
            budget_ms: 1_500,
        };
        flashes.send(Message::Flash(flash)).unwrap();
    }
}

/// Writes what is to be sent, as much at once as there is.
async fn send(mut queue: mpsc::UnboundedReceiver<Message>, mut to: OwnedWriteHalf) {
    let (mut some, mut bytes) = (Vec::new(), BytesMut::new());
    while queue.recv_many(&mut some, AT_ONCE).await > 0 {
        for message in some.drain(..) {
            codec::encode(&message, &mut bytes).unwrap();
        }
        to.write_all_buf(&mut bytes).await.unwrap();
    }
}

/// Tells the doors what the keeper answers.
async fn answer(keeper: OwnedReadHalf, doors: Arc<Mutex<Vec<OwnedWriteHalf>>>) {
    let mut frames = FrameReader::new(keeper);
    frames.greeting_is_over();
    while let Ok(Message::Verdict(answer)) = frames.next().await {
        let number = usize::try_from(answer.seq).unwrap();
        // A door that has gone wants no answer.
        let _gone = doors.lock().unwrap()[number].try_write(REPLY);
    }
}

/// Keeps what comes over one connection in a database in that folder.
async fn keep(listener: &TcpListener, folder: &Path) {
    let bare = Bare::new(folder, Piece::Badge);
    bare.move_log_by_itself();
    let (hop, _) = listener.accept().await.unwrap();
    hop.set_nodelay(true).unwrap();
    let (flashes, to_hop) = hop.into_split();
    let (jobs, queue) = blocking::channel();
    let (answers, to_be_sent) = mpsc::unbounded_channel();
    let writer = thread::Builder::new().name(WRITER.to_owned());
    writer
        .spawn(move || store(&bare, &queue, &answers))
        .unwrap();
    tokio::spawn(send(to_be_sent, to_hop));
    let mut frames = FrameReader::new(flashes);
    frames.greeting_is_over();
    while let Ok(Message::Flash(flash)) = frames.next().await {
        jobs.send(flash).unwrap();
    }
}

/// Stores all that has come in one transaction, and then answers it.
fn store(bare: &Bare, queue: &blocking::Receiver<Flash>, answers: &mpsc::UnboundedSender<Message>) {
    let mut store = bare.storer();
    while let Ok(first) = queue.recv() {
        let mut stored = Vec::new();
        bare.begin();
        for flash in std::iter::once(first).chain(queue.try_iter()) {
            let name = store(flash.twinklet.get().cast_signed(), flash.event);
            stored.push(Message::Verdict(Answer {
                seq: flash.seq,
                verdict: Verdict::Open,
                name,
            }));
        }
        bare.commit();
        for answer in stored {
            answers.send(answer).unwrap();
        }
    }
}
