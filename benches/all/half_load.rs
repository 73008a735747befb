//! How long answers take at half the rate that is possible, checkpoints of the database included.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::runtime::Runtime;

use crate::generator::{self, Plan, Speak};
use crate::least::{self, Program};
use crate::page::{Beside, Bound, Page, asked};
use crate::server::Site;
use crate::two_hop::{Commits, median, plan};

/// How many doors.
const DOORS: usize = 64;
/// How often, in turn with the least program and with the disk alone.
const ROUNDS: usize = 7;
/// For how long each time: several checkpoints.
const MEASURED: Duration = Duration::from_secs(6);
/// How often the disk alone is asked to flush: about as often as by the central.
const COMMIT_EVERY: Duration = Duration::from_millis(2);

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("At half the possible rate");
    let site = Site::new();
    let central = site.central();
    let relay = site.relay(&central);
    let fastest = plan(relay.address, Speak::Frames, DOORS);
    let [hop, _keeper] = least::start(Program::Least, &site);
    let mut not_opened = 0;
    let mut rates = Vec::new();
    let [mut flashes, mut least, mut commits] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        // Anew each time: whatever else runs on the machine makes it quicker or slower by the minute.
        let rate = runtime.block_on(generator::run(&fastest)).rate() / 2.0;
        rates.push(rate);
        let half = Plan {
            rate: Some(rate),
            measured: MEASURED,
            ..fastest.clone()
        };
        let of_least = Plan {
            server: hop.address,
            speak: Speak::Plain,
            ..half.clone()
        };
        for (plan, times) in [(&half, &mut flashes), (&of_least, &mut least)] {
            let figures = runtime.block_on(generator::run(plan));
            not_opened += figures.not_opened();
            times.push(figures.times);
        }
        commits.push(commits_alone(site.folder()));
    }
    page.say(&format!(
        "{DOORS} doors that speak frames, at half the rate that was possible just before: {:.0} to {:.0}\n\
         flashes a second, {ROUNDS} times for {} s, {not_opened} not opened.",
        rates.iter().copied().fold(f64::INFINITY, f64::min),
        rates.iter().copied().fold(0.0, f64::max),
        MEASURED.as_secs(),
    ));
    page.say(&format!(
        "Medians of the times to the answer in ms, the worst p99/p50 beside; below them, in turn, those of\n\
         the *least* of a part before at the same rate, and of a program that does nothing but a flushed\n\
         commit of one row every {} ms. A flash waits for a flush, or for two if it comes while one is under\n\
         way, so no program is steadier than the disk; and while a flush is slow, more flashes come that\n\
         wait for it than while one is quick.",
        COMMIT_EVERY.as_millis()
    ));
    page.say("");
    page.table(&["", "p50", "p90", "p99", "p99.9", "max", "p99/p50", "worst"]);
    for (what, rounds) in [
        ("flashes", &flashes),
        ("least", &least),
        ("commits", &commits),
    ] {
        let at = |times: &Histogram<u64>, share| times.value_at_quantile(share) as f64 / 1e3;
        let usual = |share| median(rounds.iter().map(|times| at(times, share)));
        let ratios = || rounds.iter().map(|times| at(times, 0.99) / at(times, 0.5));
        page.row(&[
            what.to_owned(),
            format!("{:.2}", usual(0.5)),
            format!("{:.2}", usual(0.9)),
            format!("{:.2}", usual(0.99)),
            format!("{:.2}", usual(0.999)),
            format!("{:.2}", usual(1.0)),
            format!("{:.1}", median(ratios())),
            format!("{:.1}", ratios().fold(0.0, f64::max)),
        ]);
        match what {
            "flashes" => page.ask(asked::TAIL, Bound::AtMost(5.0), median(ratios())),
            "least" => page.beside(Beside::Least, asked::TAIL, median(ratios())),
            _ => (),
        }
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
