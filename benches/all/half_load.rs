//! How long answers take at half the rate that is possible, checkpoints of the database included.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::runtime::Runtime;

use crate::generator::{self, Plan, Speak};
use crate::page::Page;
use crate::server::Site;
use crate::two_hop::{Commits, plan};

/// How many doors.
const DOORS: usize = 64;
/// For how long: several checkpoints.
const MEASURED: Duration = Duration::from_secs(10);
/// How often the disk alone is asked to flush: about as often as by the central.
const COMMIT_EVERY: Duration = Duration::from_millis(2);

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("At half the possible rate");
    let site = Site::new();
    let central = site.central();
    let relay = site.relay(&central);
    let fastest = plan(relay.address, Speak::Frames, DOORS);
    let possible = runtime.block_on(generator::run(&fastest)).rate();
    let half = Plan {
        rate: Some(possible / 2.0),
        measured: MEASURED,
        ..fastest
    };
    let figures = runtime.block_on(generator::run(&half));
    let commits = commits_alone(site.folder());
    page.say(&format!(
        "{DOORS} doors that speak frames, {:.0} flashes a second for {} s, {} not opened. Times to the answer in ms;",
        possible / 2.0,
        MEASURED.as_secs(),
        figures.not_opened(),
    ));
    page.say(&format!(
        "below them those of a program that does nothing but a flushed commit of one row every {} ms.",
        COMMIT_EVERY.as_millis()
    ));
    page.say("");
    page.table(&["", "p50", "p90", "p99", "p99.9", "max", "p99/p50"]);
    for (what, times) in [("flashes", &figures.times), ("commits", &commits)] {
        let at = |share| times.value_at_quantile(share) as f64 / 1e3;
        page.row(&[
            what.to_owned(),
            format!("{:.2}", at(0.5)),
            format!("{:.2}", at(0.9)),
            format!("{:.2}", at(0.99)),
            format!("{:.2}", at(0.999)),
            format!("{:.2}", at(1.0)),
            format!("{:.1}", at(0.99) / at(0.5)),
        ]);
    }
}

/// The times that commits take alone, in microseconds from when each was due, as those of flashes.
#[expect(
    clippy::disallowed_methods,
    reason = "a commit is due at its time, and not before"
)]
fn commits_alone(folder: &Path) -> Histogram<u64> {
    let mut times = Histogram::new(3).unwrap();
    let commits = Commits::new(folder);
    let began = Instant::now();
    let mut due = began;
    while due < began + MEASURED {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        commits.another();
        times.record(due.elapsed().as_micros() as u64).unwrap();
        due += COMMIT_EVERY;
    }
    times
}
