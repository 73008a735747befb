//! Reports on a large database, beside the same site with a hundredth of the events: what a report
//! costs must not grow with them.
//!
//! The databases are made by `examples/large` the first time, in `target/tmp`, and kept. Each
//! command is the real binary, started anew each time; the median is printed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "../examples/large/fill.rs"]
mod fill;

/// How often each command is run on each database, in turn.
const ROUNDS: usize = 7;
const EMPLOYEES: u32 = 10_000;
const EVENTS: u64 = 10_000_000;
const FEW_EVENTS: u64 = EVENTS / 100;

/// Commands, and how long each may take on the large database, in milliseconds.
const REPORTS: &[(&str, u64)] = &[
    ("report --month 2025-12 --format csv", 400),
    ("report --month 2025-06 --format csv", 400),
    ("report events --last 20", 50),
    ("report events --employee 5000 --on 2025-12-30", 50),
    ("report why 5000 --on 2025-12-30", 50),
    ("report why 'Door 7' --on 2025-12-30", 50),
];

fn main() {
    let large = database("large", EVENTS);
    let small = database("small", FEW_EVENTS);
    let start = median(&small, "--version");
    println!(
        "reports of {EMPLOYEES} employees and a year, in ms; starting alone takes {start:.1}\n"
    );
    println!(
        "{:<46} {:>10} {:>10} {:>6} {:>6} {:>8}",
        "",
        format!("{FEW_EVENTS}"),
        format!("{EVENTS}"),
        "ratio",
        "limit",
        ""
    );
    for &(report, limit) in REPORTS {
        let (few, many) = (median(&small, report), median(&large, report));
        let verdict = if many <= limit as f64 { "" } else { "too slow" };
        println!(
            "{report:<46} {few:>10.1} {many:>10.1} {:>6.2} {limit:>6} {verdict:>8}",
            many / few
        );
    }
}

/// A database with so many events, made if it is not there, or is of another version.
fn database(name: &str, events: u64) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{name}.db"));
    let usable = path.exists()
        && Command::new(env!("CARGO_BIN_EXE_twinkle"))
            .args(["central", "init", "--db"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success();
    if !usable {
        println!("making {} with {events} events, once", path.display());
        // It may not be there.
        let _removed = fs::remove_file(&path);
        let site = fill::Site {
            employees: EMPLOYEES,
            doors: 40,
            days: 365,
            until: "2025-12-31".parse().unwrap(),
            events,
        };
        fill::fill(&path, &site).unwrap();
    }
    path
}

/// How long a command takes, in milliseconds.
fn median(db: &Path, command: &str) -> f64 {
    let mut times: Vec<_> = (0..ROUNDS).map(|_| once(db, command)).collect();
    times.sort();
    times[ROUNDS / 2].as_secs_f64() * 1e3
}

fn once(db: &Path, command: &str) -> Duration {
    let args = command
        .split('\'')
        .enumerate()
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(String::from).collect(),
            _ => vec![part.to_owned()],
        });
    let mut twinkle = Command::new(env!("CARGO_BIN_EXE_twinkle"));
    twinkle.args(args);
    twinkle
        .env("TWINKLE_DB", db)
        .env("TWINKLE_CONFIG", "/dev/null")
        .env("TWINKLE_TIMEZONE", "UTC")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let began = Instant::now();
    assert!(twinkle.status().unwrap().success(), "{command}");
    began.elapsed()
}
