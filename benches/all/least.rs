//! The least that can stand between doors and their answers: a relay and a central, written here with
//! twinkle's libraries, that pass flashes on in the protocol's frames and store them, and do nothing
//! else. What they leave of the model is what protocol and storing leave of it; what twinkle leaves of
//! theirs is the price of all that it does beside.
//!
//! ```text
//! doors -> hop -> keeper -> its writer -> SQLite
//! ```
//!
//! Each is a process with one thread for its connections, and the keeper has one more that stores: in
//! one flushed transaction all that has come until it is decided.

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
use crate::page::{Page, asked};
use crate::server::{Server, Site};
use crate::two_hop::{CONNECTIONS, MANY, all_opened, both, flushed_commit, median, model, plan};

mod hop;
mod keeper;

/// How often each is measured, in turn.
const ROUNDS: usize = 7;
/// The most flashes that are sent on, or answers, before the next are looked for.
const AT_ONCE: usize = 1024;

/// What one round saw.
struct Round {
    bare: f64,
    model: f64,
    /// The least and twinkle, each as [`SPOKEN`].
    measured: [[Measured; 2]; 2],
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

/// The place of the least in [`Round::measured`].
const LEAST: usize = 0;
/// The place of twinkle there.
const TWINKLE: usize = 1;

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("The least between doors and their answers");
    page.say("*least*: flashes a second through a relay and a central of a page each, with twinkle's libraries,");
    page.say("that only pass on in the protocol's frames, over one connection, what doors *speak*, look the badge");
    page.say("up, and store the flash and its employee's day (*badge* of the part before) in one flushed");
    page.say("transaction with all that comes until it is decided. They keep no deadlines, answer no flash twice");
    page.say(
        "alike, survive nothing, and open for everybody. *twinkle*, in turn with them, beside.",
    );
    page.say("");
    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let site = Site::new();
    let [least, keeper] = start(&site);
    let central = site.central();
    let relay = site.relay(&central);
    let measured = CONNECTIONS.map(|doors| {
        let rounds = (0..ROUNDS).map(|round| {
            let before = flushed_commit(site.folder());
            let bare = all_opened(runtime, &plan(hop.address, Speak::Plain, doors)).rate();
            let measured = [(&least, &keeper), (&relay, &central)].map(|(near, far)| {
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
                bare,
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
    page.table(&[
        "doors",
        "speak",
        "model",
        "least",
        "twinkle",
        "least/model",
        "twinkle/model",
        "twinkle/least",
    ]);
    for of in measured {
        for (speak, spoken) in SPOKEN.into_iter().enumerate() {
            let rate = |round: &Round, which: usize| round.measured[which][speak].rate;
            page.row(&[
                of.doors.to_string(),
                spoken.to_owned(),
                format!("{:.0}", of.median(|r| r.model)),
                format!("{:.0}", of.median(|r| rate(r, LEAST))),
                format!("{:.0}", of.median(|r| rate(r, TWINKLE))),
                format!("{:.2}", of.median(|r| rate(r, LEAST) / r.model)),
                format!("{:.2}", of.median(|r| rate(r, TWINKLE) / r.model)),
                format!("{:.2}", of.median(|r| rate(r, TWINKLE) / rate(r, LEAST))),
            ]);
        }
        let plain = |r: &Round| r.measured[LEAST][0].rate;
        page.least(&asked::model(of.doors), of.median(|r| plain(r) / r.model));
        if of.doors >= MANY {
            page.least(&asked::bare(of.doors), of.median(|r| plain(r) / r.bare));
        }
    }
}

fn print_costs(page: &mut Page, measured: &[Rounds]) {
    page.say("");
    page.say("And what a flash costs in either, in microseconds of processor time: in the *relay*, in the");
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
            for (which, who) in [(LEAST, "least"), (TWINKLE, "twinkle")] {
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
        "hop" => hop::serve(&listener, of.parse().unwrap()).await,
        "keeper" => keeper::serve(&listener, Path::new(of)).await,
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
