//! How long answers take at half the rate that is possible, checkpoints of the database included.

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::generator::{self, Plan, Speak};
use crate::page::Page;
use crate::server::Site;
use crate::two_hop::plan;

/// How many doors.
const DOORS: usize = 64;
/// For how long: several checkpoints.
const MEASURED: Duration = Duration::from_secs(10);

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
    page.say(&format!(
        "{DOORS} doors that speak frames, {:.0} flashes a second for {} s, {} not opened. Times to the answer in ms:",
        possible / 2.0,
        MEASURED.as_secs(),
        figures.not_opened(),
    ));
    page.say("");
    page.table(&["p50", "p90", "p99", "p99.9", "max", "p99/p50"]);
    let at = |share| figures.within_ms(share);
    page.row(&[
        format!("{:.2}", at(0.5)),
        format!("{:.2}", at(0.9)),
        format!("{:.2}", at(0.99)),
        format!("{:.2}", at(0.999)),
        format!("{:.2}", at(1.0)),
        format!("{:.1}", at(0.99) / at(0.5)),
    ]);
}
