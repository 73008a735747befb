//! How many instructions relay and central need for a flash: the figure that carries over to another
//! machine. Counted by valgrind, where that is installed.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::generator::{self, Plan, Speak};
use crate::page::Page;
use crate::server::{Server, Site, relay};
use crate::two_hop::plan;

/// How many doors ask at once: batches as they are under load.
const DOORS: usize = 64;
/// For how long each role is watched: it is some fifty times slower then.
const LONG: Duration = Duration::from_secs(12);
const SHORT: Duration = Duration::from_secs(2);

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("Instructions");
    let there = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        page.say("Not counted: valgrind is not installed.");
        return;
    }
    page.say(&format!(
        "Instructions of each for a flash, with {DOORS} doors (valgrind's count)."
    ));
    page.say("");
    page.table(&["relay", "central", "of doors"]);
    let metrics: &[&str] = &["--metrics", "127.0.0.1:0"];
    for (speak, more, name) in [
        (Speak::Plain, [].as_slice(), "that speak plain text"),
        (Speak::Frames, &[], "that speak frames"),
        (Speak::Frames, metrics, "that speak frames, with metrics"),
    ] {
        let of = |relay| of_a_flash(runtime, relay, &speak, more);
        page.row(&[
            format!("{:.0}", of(true)),
            format!("{:.0}", of(false)),
            name.to_owned(),
        ]);
    }
}

/// The instructions of one flash: of many, less those of few, so that the start falls out.
fn of_a_flash(runtime: &Runtime, of_relay: bool, speak: &Speak, more: &[&str]) -> f64 {
    let (few, least) = watched(runtime, of_relay, speak, more, SHORT);
    let (many, most) = watched(runtime, of_relay, speak, more, LONG);
    (most - least) / (many - few)
}

/// How many flashes a run had, and how many instructions the watched role needed for it, which has
/// more arguments than the other.
fn watched(
    runtime: &Runtime,
    of_relay: bool,
    speak: &Speak,
    more: &[&str],
    measured: Duration,
) -> (f64, f64) {
    let site = Site::new();
    let counted = site.folder().join("callgrind.out");
    let out = format!("--callgrind-out-file={}", counted.display());
    let valgrind = ["valgrind", "--quiet", "--tool=callgrind", &out];
    let (over_relay, over_central): (&[&str], &[&str]) = match of_relay {
        true => (&valgrind, &[]),
        false => (&[], &valgrind),
    };
    let (of_relay_alone, of_central_alone) = match of_relay {
        true => (more, [].as_slice()),
        false => ([].as_slice(), more),
    };
    let listen = [&["central", "--listen", "127.0.0.1:0"], of_central_alone].concat();
    let central = Server::start(&mut site.command_under(over_central, &listen));
    let to = central.address.to_string();
    let mut through = relay("127.0.0.1:0", &to).to_vec();
    through.extend(["--deadline", "1m"]);
    through.extend(of_relay_alone);
    let through = Server::start(&mut site.command_under(over_relay, &through));
    let load = Plan {
        warm_up: Duration::ZERO,
        measured,
        deadline: Duration::from_secs(60),
        ..plan(through.address, speak.clone(), DOORS)
    };
    let flashes = runtime.block_on(generator::run(&load)).answered();
    through.process.stop();
    central.process.stop();
    let text = fs::read_to_string(counted).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("totals:") || line.starts_with("summary:"));
    let count = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    (flashes as f64, count)
}
