//! Where the time of a round goes, in which each of so many doors is answered once: over the wire, and
//! in the batches of the central's writer.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::generator::Speak;
use crate::page::Page;
use crate::server::{Server, Site};
use crate::two_hop::{CONNECTIONS, all_opened, flushed_commit, median, model, plan};
use crate::writer::{Batch, Done};

/// How often each is measured, one after the other.
const ROUNDS: usize = 3;
/// Of so many bare flushes the mean time is taken.
const FLUSHES: u32 = 200;
/// They write over a file of so many bytes.
const FILE: u64 = 4 << 20;

/// One measurement; times in seconds.
struct Round {
    all: f64,
    wire: f64,
    batches: f64,
    batch: Batch,
    bare_flush: f64,
    /// What the writer could do if it were always at a batch, of the model.
    writer: f64,
}

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("Where a round goes");
    page.say("In a *round* each of so many doors, which speak frames, is answered once; times in ms. *wire*: a");
    page.say("round of the bare echo. In a round the central's writer stores so many *batches* of so many");
    page.say("*flashes*, each of which writes so much (*KiB*) to the database's log and takes *batch*: that is");
    page.say("its processor time (*deciding*) and what it waits: for its *flush*, and under load for a processor.");
    page.say("*bare flush*: what a program takes that does nothing but write and flush as much, after as long a");
    page.say("pause as the writer has. Then wire and batches one after the other, as a part of the round: above 1");
    page.say("they overlap. And how many flashes a second the writer could store if it were always at a batch,");
    page.say("as a part of the model.");
    page.say("");
    let site = Site::new();
    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let (central, figures) = site.measured_central();
    let relay = site.relay(&central);
    page.table(&[
        "doors",
        "round",
        "wire",
        "batches",
        "flashes",
        "KiB",
        "batch",
        "deciding",
        "flush",
        "bare flush",
        "(wire + batches)/round",
        "writer/model",
    ]);
    for doors in CONNECTIONS {
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let load = |server, speak| all_opened(runtime, &plan(server, speak, doors)).rate();
                let bare = load(hop.address, Speak::Plain);
                let before = Done::by(&central, &figures);
                let rate = load(relay.address, Speak::Frames);
                let batch = Done::by(&central, &figures).since(&before);
                round(site.folder(), doors, (bare, rate), batch)
            })
            .collect();
        let median = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(of));
        let ms = |of: &dyn Fn(&Round) -> f64| format!("{:.2}", median(of) * 1e3);
        page.row(&[
            doors.to_string(),
            ms(&|r| r.all),
            ms(&|r| r.wire),
            format!("{:.1}", median(&|r| r.batches)),
            format!("{:.1}", median(&|r| r.batch.entries)),
            format!("{:.0}", median(&|r| r.batch.kib())),
            ms(&|r| r.batch.seconds),
            ms(&|r| r.batch.worked),
            ms(&|r| r.batch.waited()),
            ms(&|r| r.bare_flush),
            format!(
                "{:.2}",
                median(&|r| (r.wire + r.batches * r.batch.seconds) / r.all)
            ),
            format!("{:.2}", median(&|r| r.writer)),
        ]);
    }
}

fn round(folder: &Path, doors: usize, (bare, rate): (f64, f64), batch: Batch) -> Round {
    let model = model(doors, bare, flushed_commit(folder));
    let doors = doors as f64;
    let (all, batches) = (doors / rate, doors / batch.entries);
    let pause = (all / batches - batch.seconds).max(0.0);
    Round {
        all,
        wire: doors / bare,
        batches,
        bare_flush: bare_flush(folder, batch.bytes as usize, Duration::from_secs_f64(pause)),
        writer: batch.entries / batch.seconds / model,
        batch,
    }
}

/// How long it takes to write and flush so many bytes, in seconds, each time after that pause: the
/// mean of many.
#[expect(clippy::disallowed_methods, reason = "a pause as long as another's")]
fn bare_flush(folder: &Path, bytes: usize, pause: Duration) -> f64 {
    let path = folder.join("flushed");
    fs::write(&path, vec![1; FILE as usize]).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.sync_all().unwrap();
    let what = vec![2; bytes];
    let mut at = 0;
    let mut took = Duration::ZERO;
    for _ in 0..FLUSHES {
        sleep(pause);
        let began = Instant::now();
        file.write_all_at(&what, at).unwrap();
        file.sync_data().unwrap();
        took += began.elapsed();
        at = (at + bytes as u64) % (FILE - bytes as u64);
    }
    took.as_secs_f64() / f64::from(FLUSHES)
}
