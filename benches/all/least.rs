//! The least that can stand between doors and their answers: a relay and a central, written here with
//! twinkle's libraries, that pass flashes on in the protocol's frames and store them, and do nothing
//! else. What they leave of the model is what protocol and storing leave of it; what twinkle leaves of
//! theirs is the price of all that it does beside. One more does even less: it stores a number. Two, in
//! steps, do some of what twinkle does too.
//!
//! ```text
//! doors -> hop -> keeper of numbers -> its writer -> SQLite   row
//! doors -> hop -> keeper -> its writer -> SQLite              least
//! doors -> hop -> decider -> its writer -> SQLite             decides
//! doors -> hop with duties -> decider -> its writer -> SQLite dutiful
//! ```
//!
//! Each is a process with one thread for its connections, and the keeper or decider has one more that
//! stores: in one flushed transaction all that has come until it is decided.

use std::path::Path;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use twinkle::wire::{Message, codec};

use crate::cost::{self, Cost, SPOKEN};
use crate::generator::Speak;
use crate::least::duties::Duties;
use crate::page::Page;
use crate::server::{Server, Site};
use crate::storing::Piece;
use crate::two_hop::{CONNECTIONS, all_opened, both, flushed_commit, median, model, plan};

mod decider;
mod duties;
mod hop;
mod keeper;

/// How often each is measured, in turn.
const ROUNDS: usize = 5;
/// The most flashes that are sent on, or answers, before the next are looked for.
const AT_ONCE: usize = 1024;

/// What one round saw.
struct Round {
    model: f64,
    /// Of each of [`NAMES`], each as [`SPOKEN`].
    measured: [[Measured; 2]; NAMES.len()],
}

/// What one of them did.
struct Measured {
    rate: f64,
    cost: Cost<4>,
}

/// What was measured with so many doors.
struct Rounds {
    doors: usize,
    rounds: Vec<Round>,
}

/// A relay and a central that do little.
#[derive(Clone, Copy)]
pub enum Program {
    /// They pass on, and store a number.
    Row,
    /// They pass on, look the badge up and store.
    Least,
    /// They decide and store as twinkle does.
    Decides,
    /// So they do, and their relay does its duties.
    Dutiful,
}

/// What is measured in turn: those programs, and twinkle.
const NAMES: [&str; 5] = ["row", "least", "decides", "dutiful", "twinkle"];
/// The place of those with duties.
const DUTIFUL: usize = 3;
/// The place of twinkle.
const TWINKLE: usize = 4;

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("The least between doors and their answers");
    page.say("*least*: flashes a second through a relay and a central of a page each, with twinkle's libraries,");
    page.say("that only pass on in the protocol's frames, over one connection, what doors *speak*, look the badge");
    page.say("up, and store the flash (*badge* of the part before) in one flushed");
    page.say("transaction with all that comes until it is decided. They keep no deadlines, answer no flash twice");
    page.say("alike, survive nothing, and open for everybody. *row*: the same, but it looks nothing up, and stores a");
    page.say("number for each flash, as the model's commit does: what it leaves of the model is what the way costs");
    page.say("through two processes, and to the one thread that owns the database and back; what the least leaves of");
    page.say("it is what the storing of a flash costs. *decides*: as the least, but the central decides and");
    page.say("stores as twinkle's does, by the same code. *dutiful*: its relay also does what every relay owes its");
    page.say("site: it tells the central how long each flash took (`twinkle report delays`), and keeps in a file of");
    page.say("its own, by twinkle's code, what the central decided, for one that is restored from a backup.");
    page.say("*twinkle*, in turn with them, beside.");
    page.say("");
    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let site = Site::new();
    let [hop_of_row, keeper_of_row] = start(Program::Row, &site);
    let [least, keeper] = start(Program::Least, &site);
    let [site_of_decider, site_of_dutiful] = [Site::new(), Site::new()];
    let [hop_of_decider, decider] = start(Program::Decides, &site_of_decider);
    let [dutiful, decider_of_dutiful] = start(Program::Dutiful, &site_of_dutiful);
    let central = site.central();
    let relay = site.relay(&central);
    let measured = CONNECTIONS.map(|doors| {
        let rounds = (0..ROUNDS).map(|round| {
            let before = flushed_commit(site.folder());
            let bare = all_opened(runtime, &plan(hop.address, Speak::Plain, doors)).rate();
            let programs = [
                (&hop_of_row, &keeper_of_row),
                (&least, &keeper),
                (&hop_of_decider, &decider),
                (&dutiful, &decider_of_dutiful),
                (&relay, &central),
            ];
            let measured = programs.map(|(near, far)| {
                both(round, |speak| {
                    let meter = cost::of_twinkle(near, far);
                    let figures = all_opened(runtime, &plan(near.address, speak, doors));
                    Measured {
                        rate: figures.rate(),
                        cost: meter.stop(&figures),
                    }
                })
            });
            let commit = f64::midpoint(before, flushed_commit(site.folder()));
            Round {
                model: model(doors, bare, commit),
                measured,
            }
        });
        Rounds {
            doors,
            rounds: rounds.collect(),
        }
    });
    print_rates(page, &measured);
    print_costs(page, &measured);
}

impl Rounds {
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(of))
    }
}

fn print_rates(page: &mut Page, measured: &[Rounds]) {
    let mut headings = ["doors", "speak", "model"].map(str::to_owned).to_vec();
    headings.extend(NAMES.map(str::to_owned));
    headings.extend(NAMES.map(|name| format!("{name}/model")));
    headings.push("twinkle/dutiful".to_owned());
    page.table(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for of in measured {
        for (speak, spoken) in SPOKEN.into_iter().enumerate() {
            let rate = |round: &Round, which: usize| round.measured[which][speak].rate;
            let mut row = vec![of.doors.to_string(), spoken.to_owned()];
            row.push(format!("{:.0}", of.median(|r| r.model)));
            for which in 0..NAMES.len() {
                row.push(format!("{:.0}", of.median(|r| rate(r, which))));
            }
            for which in 0..NAMES.len() {
                row.push(format!("{:.2}", of.median(|r| rate(r, which) / r.model)));
            }
            let left = of.median(|r| rate(r, TWINKLE) / rate(r, DUTIFUL));
            row.push(format!("{left:.2}"));
            page.row(&row);
        }
    }
}

fn print_costs(page: &mut Page, measured: &[Rounds]) {
    page.say("");
    page.say(
        "And what a flash costs in each, in microseconds of processor time: in the *relay*, in the",
    );
    page.say("central's *connections* and in its *writer*; and how busy that and the doors kept the machine.");
    page.say("");
    page.table(&[
        "doors",
        "speak",
        "of",
        "relay us",
        "connections us",
        "writer us",
        "together",
        "busy",
    ]);
    for of in measured {
        for (speak, spoken) in SPOKEN.into_iter().enumerate() {
            for (which, who) in NAMES.into_iter().enumerate() {
                let cost = |round: &Round, part: usize| {
                    round.measured[which][speak].cost.of_servers()[part]
                };
                let each = [0, 1, 2].map(|part| of.median(|r| cost(r, part)));
                let mut row = vec![of.doors.to_string(), spoken.to_owned(), who.to_owned()];
                row.extend(each.map(|us| format!("{us:.0}")));
                row.push(format!("{:.0}", each.iter().sum::<f64>()));
                let busy = of.median(|r| r.measured[which][speak].cost.busy);
                row.push(format!("{:.0} %", busy * 1e2));
                page.row(&row);
            }
        }
    }
}

/// Starts the two of such a program, with what they keep beside that site's database: the one for
/// doors, and the one that stores. Those that decide do it by that database.
pub fn start(program: Program, site: &Site) -> [Server; 2] {
    let folder = site.folder().display();
    let far = match program {
        Program::Row => format!("keeper-of-numbers {folder}"),
        Program::Least => format!("keeper {folder}"),
        Program::Decides | Program::Dutiful => format!("decider {}", site.db().display()),
    };
    let far = Server::this_program(&far);
    let near = match program {
        Program::Row | Program::Least | Program::Decides => format!("hop {}", far.address),
        Program::Dutiful => format!("dutiful {} {folder}", far.address),
    };
    [Server::this_program(&near), far]
}

/// What this program is when it is one of the two: `hop` before a keeper or decider at that address, or
/// `dutiful` with a file in a folder too; `keeper` or `keeper-of-numbers` of a database in that folder,
/// or `decider` by that database.
pub async fn serve(listener: TcpListener, be: &str, of: &str) {
    match be {
        "hop" => hop::serve(&listener, of.parse().unwrap(), None).await,
        "dutiful" => {
            let (keeper, folder) = of.split_once(' ').unwrap();
            let duties = Duties::begin(Path::new(folder));
            hop::serve(&listener, keeper.parse().unwrap(), Some(duties)).await;
        }
        "keeper" => keeper::serve(&listener, Path::new(of), Piece::Badge).await,
        "keeper-of-numbers" => keeper::serve(&listener, Path::new(of), Piece::Row).await,
        "decider" => decider::serve(&listener, Path::new(of)).await,
        _ => panic!("'{be}' is nothing to be"),
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
