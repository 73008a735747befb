//! Reports on a large database, beside the same site with a hundredth of the events: what a report
//! costs must not grow with them.
//!
//! The databases are made the first time, in `target/tmp`, and kept. Each command is the real binary,
//! started anew each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use tokio::runtime::Runtime;

use crate::fill;
use crate::page::Page;
use crate::two_hop::median;

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

pub fn run(_: &Runtime, page: &mut Page) {
    page.part("Reports");
    let large = database("large", EVENTS);
    let small = database("small", FEW_EVENTS);
    let start = time(&small, "--version");
    page.say(&format!(
        "What commands take, in ms, on {FEW_EVENTS} and on {EVENTS} events of {EMPLOYEES} employees in a \
         year, and what they may take (medians of {ROUNDS}). Starting alone takes {start:.1}."
    ));
    page.say("");
    page.table(&["few", "many", "ratio", "limit", "of `twinkle`"]);
    for &(report, limit) in REPORTS {
        let (few, many) = (time(&small, report), time(&large, report));
        page.row(&[
            format!("{few:.1}"),
            format!("{many:.1}"),
            format!("{:.2}", many / few),
            limit.to_string(),
            format!("`{report}`"),
        ]);
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
fn time(db: &Path, command: &str) -> f64 {
    median((0..ROUNDS).map(|_| once(db, command)))
}

fn once(db: &Path, command: &str) -> f64 {
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
    began.elapsed().as_secs_f64() * 1e3
}
