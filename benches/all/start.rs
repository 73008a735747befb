//! How big the program is, how fast it starts, and what it costs while nothing happens.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::generator::{self, Plan, Speak};
use crate::page::{Bound, Page};
use crate::server::{Quiet, Site};
use crate::two_hop::{median, plan};

/// How often the program is started.
const STARTS: usize = 30;
/// For how long nothing happens.
const IDLE: Duration = Duration::from_secs(20);

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("Size, start and idleness");
    let site = Site::empty();
    let size = released_size(site.folder()) as f64 / 1024.0 / 1024.0;
    page.say(&format!("- the binary: {size:.1} MiB"));
    page.ask("MiB of the binary", Bound::AtMost(12.0), size);
    let start = median((0..STARTS).map(|_| {
        let began = Instant::now();
        let mut list = site.command(&["employee", "list"]);
        let listed = list.stdout(Stdio::null()).status().unwrap();
        assert!(listed.success());
        began.elapsed().as_secs_f64() * 1e3
    }));
    page.say(&format!(
        "- `twinkle employee list` on an empty database: {start:.1} ms (median of {STARTS})"
    ));
    let what = "ms of `employee list` on an empty database";
    page.ask(what, Bound::AtMost(20.0), start);

    let central = site.central();
    let relay = site.relay(&central);
    let to = relay.address.to_string();
    let mut door = site.command(&["door", "idle", "--relay", &to]);
    door.stdin(Stdio::piped()).stdout(Stdio::null());
    let door = Quiet::start(&mut door);
    // So that everything is connected.
    let once = Plan {
        measured: Duration::from_millis(500),
        ..plan(relay.address, Speak::Frames, 1)
    };
    runtime.block_on(generator::run(&once));
    let used = || [&central.process, &relay.process, &door].map(Quiet::processor_time);
    let before = used();
    runtime.block_on(async { tokio::time::sleep(IDLE).await });
    let after = used();
    let share = |role: usize| (after[role] - before[role]) / IDLE.as_secs_f64() * 100.0;
    page.say(&format!(
        "- processor time over {} s with one idle door: central {:.3} %, relay {:.3} %, door {:.3} %",
        IDLE.as_secs(),
        share(0),
        share(1),
        share(2),
    ));
    for (role, what) in ["central", "relay", "door"].into_iter().enumerate() {
        let what = format!("% of a processor, {what} with one idle door");
        page.ask(what, Bound::Below(0.1), share(role));
    }
}

/// The bytes of the binary as it is released: without the names that a benchmark needs in it.
fn released_size(folder: &Path) -> u64 {
    // Not 'twinkle', which is where a relay has its file.
    let stripped = folder.join("stripped");
    let mut strip = Command::new("strip");
    strip
        .arg("-o")
        .arg(&stripped)
        .arg(env!("CARGO_BIN_EXE_twinkle"));
    assert!(strip.status().unwrap().success());
    fs::metadata(stripped).unwrap().len()
}
