//! `twinkle employee import`: nothing of a file unless all of it can be taken in.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::employee::ImportArgs;
use crate::db::{Changed, Planned};
use crate::exit::Usage;
use crate::render;
use crate::roles::employee::{Office, say, say_changed, title};

use file::BadLine;

pub mod file;
mod plan;

/// How often a plan is made again because somebody changed something while it was made.
const ATTEMPTS: usize = 5;
/// Up to how many new employees are named one by one.
const NAMED: usize = 20;

/// Takes in a file of employees.
pub(super) fn run(office: &mut Office, args: &ImportArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let [path] = args.files.as_slice() else {
        let one = "say one file; several are for --from-original";
        return Err(Usage(one.to_owned()).into());
    };
    let bytes = read(path)?;
    let read = file::read(&bytes, office.today);
    let (rows, unread) = read.map_err(|bad| refuse(path, &[bad]))?;
    drop(bytes);
    let (today, now) = (office.today, office.author.at);
    let mut done = Vec::new();
    for _ in 0..ATTEMPTS {
        let everybody = office.store.everybody(today)?;
        let plan = match plan::plan(&rows, &everybody, today, now) {
            Ok(plan) if unread.is_empty() => plan,
            planned => {
                let mut bad = planned.err().unwrap_or_default();
                bad.extend(unread);
                bad.sort();
                return Err(refuse(path, &bad));
            }
        };
        let bar = progress(plan.len())?;
        let numbers = office
            .store
            .carry_out(&plan, &everybody, today, &office.author, || bar.inc(1))
            .with_context(|| {
                format!(
                    "stopped after {} of {}; import the file again to go on",
                    bar.position(),
                    plan.len()
                )
            })?;
        bar.finish_and_clear();
        let left = plan.len() - numbers.len();
        let numbered = plan.into_iter().zip(numbers);
        done.extend(numbered.map(|(mut planned, number)| {
            planned.after.number = number;
            planned
        }));
        if left == 0 {
            let same = rows.len() - done.len();
            return report(done, same);
        }
    }
    bail!("others keep changing employees; import the file again when they are done")
}

/// Reads a file, or standard input for `-`.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = match path == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => fs::read(path),
    };
    bytes.with_context(|| format!("cannot read {}", path.display()))
}

/// Names every bad line.
fn refuse(path: &Path, bad: &[BadLine]) -> anyhow::Error {
    let mut errors = io::stderr().lock();
    for BadLine { line, reason } in bad {
        // Where nobody reads, the exit code has to do.
        let _read = writeln!(errors, "line {line}: {reason}");
    }
    let lines = match bad.len() {
        1 => "a line".to_owned(),
        several => format!("{several} lines"),
    };
    anyhow::anyhow!(
        "nothing was imported: {lines} of {} cannot be taken in",
        path.display()
    )
}

/// A bar on standard error if that is a terminal.
fn progress(length: usize) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len}, {eta} to go")?;
    Ok(ProgressBar::new(length.try_into()?).with_style(style))
}

/// Says what was done.
fn report(done: Vec<Planned>, same: usize) -> anyhow::Result<()> {
    let (new, changed): (Vec<_>, Vec<_>) = done
        .into_iter()
        .partition(|planned| planned.before.is_none());
    let (added, edited) = (new.len(), changed.len());
    for planned in changed {
        let changes = planned.changes();
        let employee = planned.after;
        say_changed("edited", &Changed { employee, changes })?;
    }
    for planned in new.iter().filter(|_| added <= NAMED) {
        let values = planned
            .changes()
            .into_iter()
            .filter(|change| change.field != "name");
        let values =
            values.filter_map(|change| Some(format!(", {} {}", change.field, change.new?)));
        let (title, values) = (title(&planned.after), values.collect::<String>());
        say(format_args!("added {title}{}", render::one_line(&values)))?;
    }
    say(format_args!(
        "{added} added, {edited} changed, {same} the same"
    ))?;
    Ok(())
}
