//! Whose the processor time of a flash is: where threads are when they are looked at a thousand times
//! a second. Seen by perf, where that is installed and may look.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::cost::{self, Cost, WRITER, cores};
use crate::generator::{Plan, Speak};
use crate::least::{self, Program};
use crate::page::Page;
use crate::server::{Server, Site};
use crate::two_hop::{all_opened, flushed_commit, median, model, plan};

/// How many doors ask at once: those of the two-hop part that share batches.
const DOORS: [usize; 3] = [8, 64, 512];
/// How often each is measured, in turn.
const ROUNDS: usize = 5;
/// For how long perf looks, while doors flash.
const WATCHED: Duration = Duration::from_secs(2);
/// How often in a second it looks at each thread that runs: not in step with anything.
const LOOKS: &str = "997";
/// What is asked of the model.
const ASKED: f64 = 0.8;

/// Whom a thread works for when it is seen.
#[derive(Clone, Copy)]
enum Owner {
    Kernel,
    Sqlite,
    CLibrary,
    Rust,
}

/// Their names, in that order.
const OWNERS: [&str; 4] = ["kernel", "SQLite", "C library", "Rust"];
/// The parts of a [`Cost`].
const PARTS: [&str; 4] = ["doors", "relay", "connections", "writer"];
/// The place of the writer among them.
const WRITERS: usize = 3;

/// The programs, as in [`Round::seen`].
const PROGRAMS: [&str; 3] = ["least", "dutiful", "twinkle"];

/// Microseconds of a flash: of each part, for each owner.
type Split = [[f64; 4]; 4];

/// What one round saw.
struct Round {
    model: f64,
    /// Of each of [`PROGRAMS`].
    seen: [Seen; 3],
}

/// What one of them did.
struct Seen {
    split: Split,
    busy: f64,
}

/// What was measured with so many doors.
type Measured = (usize, Vec<Round>);

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("Whose time it is");
    let site = Site::new();
    if !may_look(site.folder()) {
        page.say("Not told: perf is not installed, or may not look into the kernel.");
        return;
    }
    page.say("Microseconds of processor time of a flash, with doors that speak plain text: where threads were");
    page.say("when perf looked. In the *kernel*, for sockets, files and waking each other; in *SQLite*; in the");
    page.say("*C library*, which copies and compares for all; and in all that is written in *Rust*: twinkle,");
    page.say("and the libraries that it is made of. *least* and *dutiful*: programs of a part before. What a");
    page.say(
        "flash costs was measured just before, without perf, as to be looked at costs time itself.",
    );
    page.say("");
    let [hop, keeper] = least::start(Program::Least, &site);
    let site_of_dutiful = Site::new();
    let [dutiful, decider] = least::start(Program::Dutiful, &site_of_dutiful);
    let central = site.central();
    let relay = site.relay(&central);
    let echo = Server::this_program("echo");
    let bare = Server::this_program(&echo.address.to_string());
    let measured = DOORS.map(|doors| {
        let rounds = (0..ROUNDS).map(|_| {
            let bare = all_opened(runtime, &plan(bare.address, Speak::Plain, doors)).rate();
            let commit = flushed_commit(site.folder());
            Round {
                model: model(doors, bare, commit),
                seen: [(&hop, &keeper), (&dutiful, &decider), (&relay, &central)]
                    .map(|(near, far)| see(runtime, &site, near, far, doors)),
            }
        });
        (doors, rounds.collect::<Vec<_>>())
    });
    print_split(page, &measured);
    print_room(page, &measured);
}

/// Whether perf is there and may look into the kernel.
fn may_look(folder: &Path) -> bool {
    let recorded = folder.join("may-look.data");
    let mut looks = Command::new("perf");
    looks.args(["record", "-e", "cpu-clock", "-F", LOOKS, "-o"]);
    // Long enough in the kernel to be seen there.
    looks
        .arg(&recorded)
        .args(["--", "head", "-c", "1G", "/dev/zero"]);
    looks.stdout(Stdio::null()).stderr(Stdio::null());
    looks.status().is_ok_and(|status| status.success())
        && sights(&recorded)
            .iter()
            .any(|sight| matches!(sight.owner, Owner::Kernel))
}

/// Lets so many doors flash: first for what it costs, then for whose it is. To be looked at costs time
/// too, of which nothing may be in what is held against the model.
fn see(runtime: &Runtime, site: &Site, near: &Server, far: &Server, doors: usize) -> Seen {
    let load = plan(near.address, Speak::Plain, doors);
    let meter = cost::of_twinkle(near, far);
    let figures = all_opened(runtime, &load);
    let cost = meter.stop(&figures);
    let processes = [std::process::id(), near.process.id(), far.process.id()];
    let recorded = site.folder().join("owners.data");
    let mut perf = look(&recorded, &processes);
    let watched = Plan {
        // It ends after perf does, which begins as late as it likes.
        measured: WATCHED + Duration::from_secs(1),
        ..load
    };
    all_opened(runtime, &watched);
    assert!(perf.wait().unwrap().success());
    let mut seen = [[0.0; 4]; 4];
    for sight in sights(&recorded) {
        let place = processes.iter().position(|id| *id == sight.process);
        let part = match place.unwrap() {
            2 if sight.thread == WRITER => WRITERS,
            place => place,
        };
        seen[part][sight.owner as usize] += 1.0;
    }
    Seen {
        split: split(&seen, &cost),
        busy: cost.busy,
    }
}

/// Splits what was paid as it was seen.
fn split(seen: &Split, cost: &Cost<4>) -> Split {
    std::array::from_fn(|part| {
        let sights: f64 = seen[part].iter().sum();
        seen[part].map(|of_owner| cost.each[part] * of_owner / sights)
    })
}

/// Has perf look at these processes for a while.
fn look(recorded: &Path, processes: &[u32]) -> Child {
    let processes: Vec<_> = processes.iter().map(u32::to_string).collect();
    let mut perf = Command::new("perf");
    perf.args([
        "record",
        "-e",
        "cpu-clock",
        "-F",
        LOOKS,
        "-p",
        &processes.join(","),
    ]);
    perf.arg("-o").arg(recorded);
    perf.args(["--", "sleep", &WATCHED.as_secs().to_string()]);
    perf.stdout(Stdio::null()).stderr(Stdio::null());
    perf.spawn().unwrap()
}

/// A thread, as it was seen once.
struct Sight {
    process: u32,
    thread: String,
    owner: Owner,
}

/// All that perf recorded there.
fn sights(recorded: &Path) -> Vec<Sight> {
    let mut script = Command::new("perf");
    script.arg("script").arg("-i").arg(recorded);
    script
        .args(["-F", "comm,pid,ip,sym,dso"])
        .stderr(Stdio::null());
    let output = script.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(sight).collect()
}

/// Reads a line such as `writer 4711 55d0c0de sqlite3VdbeExec (/usr/bin/twinkle)`.
fn sight(line: &str) -> Option<Sight> {
    let (line, object) = line.trim().rsplit_once(" (")?;
    let mut words = line.split_whitespace();
    let thread = words.next()?.to_owned();
    let process = words.next()?.parse().ok()?;
    let address = words.next()?;
    let symbol = words.next().unwrap_or_default();
    // The kernel, and what it brings along, lies in the upper half.
    let owner = if address.len() == 16 && address.starts_with("ffff") {
        Owner::Kernel
    } else if object.contains("libc.so") || object.contains("[vdso]") {
        Owner::CLibrary
    } else if symbol.contains("::")
        || ["<", "_R", "_ZN"]
            .iter()
            .any(|begin| symbol.starts_with(begin))
    {
        Owner::Rust
    } else {
        Owner::Sqlite
    };
    Some(Sight {
        process,
        thread,
        owner,
    })
}

fn print_split(page: &mut Page, measured: &[Measured]) {
    let headings = ["doors", "part", "of"].into_iter().chain(OWNERS);
    page.table(&headings.chain(["together"]).collect::<Vec<_>>());
    for (doors, rounds) in measured {
        let mut row = |part: &str, program: usize, of: &dyn Fn(&Split, usize) -> f64| {
            let owners = std::array::from_fn::<_, 4, _>(|owner| {
                median(rounds.iter().map(|r| of(&r.seen[program].split, owner)))
            });
            let mut row = [&doors.to_string(), part, PROGRAMS[program]]
                .map(str::to_owned)
                .to_vec();
            row.extend(owners.map(|us| format!("{us:.1}")));
            row.push(format!("{:.1}", owners.iter().sum::<f64>()));
            page.row(&row);
        };
        for (place, part) in PARTS.into_iter().enumerate() {
            for program in 0..PROGRAMS.len() {
                row(part, program, &|split, owner| split[place][owner]);
            }
        }
        for program in 0..PROGRAMS.len() {
            row("all", program, &of_all);
        }
    }
}

/// What all parts together cost for an owner.
fn of_all(split: &Split, owner: usize) -> f64 {
    split.iter().map(|part| part[owner]).sum()
}

fn print_room(page: &mut Page, measured: &[Measured]) {
    page.say("");
    page.say(&format!(
        "And what a flash *may* cost if {ASKED} of the model is to be reached, with the machine as *busy* as it is"
    ));
    page.say("kept; what it *costs*; and what it would if all that is written in Rust cost nothing. Where that");
    page.say("is too much as well, only who asks kernel and SQLite for less reaches it, or has less to wait for.");
    page.say("The model is that of these rounds, and moves with wire and disk: where another part sees the same");
    page.say("program reach it, this is no limit.");
    page.say("");
    page.table(&["doors", "of", "busy", "may us", "costs us", "without Rust"]);
    for (doors, rounds) in measured {
        for (program, name) in PROGRAMS.into_iter().enumerate() {
            let of = |of: &dyn Fn(&Round, &Seen) -> f64| {
                median(rounds.iter().map(|r| of(r, &r.seen[program])))
            };
            let paid = |seen: &Seen, owners: std::ops::Range<usize>| -> f64 {
                owners.map(|owner| of_all(&seen.split, owner)).sum()
            };
            let may = of(&|round, seen| seen.busy * cores() * 1e6 / (ASKED * round.model));
            page.row(&[
                doors.to_string(),
                name.to_owned(),
                format!("{:.0} %", of(&|_, seen| seen.busy * 1e2)),
                format!("{may:.1}"),
                format!("{:.1}", of(&|_, seen| paid(seen, 0..OWNERS.len()))),
                format!("{:.1}", of(&|_, seen| paid(seen, 0..Owner::Rust as usize))),
            ]);
        }
    }
}
