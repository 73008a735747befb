//! The results: printed as they come, and kept as a page of the documents.

use std::path::Path;
use std::process::Command;
use std::{fs, mem};

use chrono::{DateTime, Utc};

/// The page, which grows as parts are measured.
pub struct Page {
    /// What it was measured on.
    head: String,
    parts: String,
    asked: Vec<Asked>,
}

/// What is asked of something.
#[derive(Clone, Copy)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

/// Something that was measured, and what is asked of it.
struct Asked {
    what: String,
    bound: Bound,
    here: f64,
    /// What each of [`Beside`] reaches of it, if that was measured.
    beside: [Option<f64>; 3],
}

/// Programs that are measured beside twinkle, as they stand on the page.
#[derive(Clone, Copy)]
pub enum Beside {
    /// Passes on, and stores a number.
    Row,
    /// Passes on, and stores the flash.
    Least,
    /// Also decides, and does its duties.
    Dutiful,
}

impl Page {
    /// A page that says on what it was measured.
    pub fn begin() -> Self {
        let head = format!(
            "# Benchmarks\n\n\
             Written by `make bench`, which measures all of it in one run. The times are those of this\n\
             machine; the ratios carry over better.\n\n{}\n",
            machine()
        );
        print!("{head}");
        Self {
            head,
            parts: String::new(),
            asked: Vec::new(),
        }
    }

    /// Begins a part.
    pub fn part(&mut self, title: &str) {
        self.say(&format!("\n## {title}\n"));
    }

    /// Adds a line.
    pub fn say(&mut self, line: &str) {
        println!("{line}");
        self.parts.push_str(line);
        self.parts.push('\n');
    }

    /// Begins a table, whose numbers stand to the right.
    pub fn table(&mut self, headings: &[&str]) {
        self.row(headings);
        self.row(&vec!["---:"; headings.len()]);
    }

    /// Adds a row to the table that was begun.
    pub fn row(&mut self, cells: &[impl AsRef<str>]) {
        let cells: Vec<_> = cells
            .iter()
            .map(|cell| format!("{:>9}", cell.as_ref()))
            .collect();
        self.say(&format!("| {} |", cells.join(" | ")));
    }

    /// Notes what is asked of something that was measured.
    pub fn ask(&mut self, what: impl Into<String>, bound: Bound, here: f64) {
        let what = what.into();
        self.asked.push(Asked {
            what,
            bound,
            here,
            beside: [None; 3],
        });
    }

    /// Notes what such a program reaches of something that is asked, if that was measured.
    pub fn beside(&mut self, program: Beside, what: &str, reached: f64) {
        for asked in self.asked.iter_mut().filter(|asked| asked.what == what) {
            asked.beside[program as usize] = Some(reached);
        }
    }

    /// Says of all that is asked whether it holds. It is printed last, and stands first on the page.
    pub fn say_what_is_asked(&mut self) {
        if self.asked.is_empty() {
            return;
        }
        let parts = mem::take(&mut self.parts);
        self.part("What is asked, and whether it holds");
        self.say("*row*: what is reached of the same by two programs that pass flashes on as twinkle's processes and");
        self.say("threads do, store a number for each, and do nothing else. *the least*: by two that store each flash as");
        self.say("an event. *dutiful*: by two that also decide, tell how long each flash took, and keep in the relay what");
        self.say("was decided, by twinkle's own code for deciding and keeping. *What is left of the model* says how sure");
        self.say("that is, and *The least between doors and their answers* what each costs. Where *row* does not reach");
        self.say("it, the way through processes and threads stands in the way. Where it does and the least do not, it is");
        self.say("the storing of events. Where the least do and *dutiful* do not, it is what deciding and those duties");
        self.say("cost in that code; that they could not cost less, it does not say. What bounds all, *What a flash");
        self.say("costs* says of the processors (*allowed/model*), *Whose time it is* for whom they work, *Where a round");
        self.say("goes* of the thread that decides and stores (*writer/model*), and *What storing costs* of what is");
        self.say("stored, piece by piece; of a large site its own part says what each batch writes there, and at a small");
        self.say("one.");
        self.say("");
        self.table(&[
            "here",
            "asked",
            "holds",
            "row",
            "the least",
            "dutiful",
            "of what",
        ]);
        for of in mem::take(&mut self.asked) {
            // As exact as it is shown.
            let here = (of.here * 100.0).round() / 100.0;
            let (asked, holds) = match of.bound {
                Bound::AtLeast(least) => (format!("≥ {least}"), here >= least),
                Bound::AtMost(most) => (format!("≤ {most}"), here <= most),
                Bound::Below(limit) => (format!("< {limit}"), here < limit),
            };
            let holds = if holds { "yes" } else { "no" };
            let mut row = vec![format!("{here:.2}"), asked, holds.to_owned()];
            row.extend(
                of.beside.map(|reached| {
                    reached.map_or(String::new(), |reached| format!("{reached:.2}"))
                }),
            );
            row.push(of.what);
            self.row(&row);
        }
        self.parts.push_str(&parts);
    }

    /// Writes the page to where the documents are.
    pub fn write(&self) {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
        fs::write(place, self.head.clone() + &self.parts).unwrap();
    }
}

/// So many doors, in words.
pub fn of_doors(count: usize) -> String {
    match count {
        1 => "1 door".to_owned(),
        _ => format!("{count} doors"),
    }
}

/// What is asked of twinkle and measured of the least program too, in words.
pub mod asked {
    use super::of_doors;

    pub fn model(doors: usize) -> String {
        format!("plain text of {}, of the model", of_doors(doors))
    }

    pub fn bare(doors: usize) -> String {
        format!("the same of {}, of the bare rate (an aim)", of_doors(doors))
    }

    pub fn frames(doors: usize) -> String {
        format!("frames of {}, of plain text", of_doors(doors))
    }

    pub const TAIL: &str = "p99/p50 at half the rate";
}

/// The machine and the program, in a line each.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = field("model name")
        .or_else(|| field("Model"))
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok());
    let memory = memory.map_or(0, |kib| kib / 1024);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map_or(String::new(), |out| {
        String::from_utf8_lossy(&out.stdout).into_owned()
    });
    let commit = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output();
    let commit = commit.map_or(String::new(), |out| {
        String::from_utf8_lossy(&out.stdout).into_owned()
    });
    #[expect(clippy::disallowed_methods, reason = "a page says when it was written")]
    let now: DateTime<Utc> = Utc::now();
    format!(
        "- {cores} cores of {model}, {memory} MiB, Linux {}\n- twinkle {} ({}), {}\n- {}; load of \
         the machine when it began: {load}",
        kernel.trim(),
        env!("CARGO_PKG_VERSION"),
        commit.trim(),
        rustc.trim(),
        now.format("%Y-%m-%d"),
    )
}
