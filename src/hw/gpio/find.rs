//! Which line a name means.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gpio_cdev::{Chip, Line, LineDirection, LineInfo};

use crate::domain::near::nearest;
use crate::hw::gpio::{Consumer, Error, LineSpec, cause_of};

/// Where the kernel shows its chips.
const DEVICES: &str = "/dev";
/// How many names are listed to somebody who named none of them.
const LISTED: usize = 12;

/// A line that is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) line: Line,
    /// As in `gpiochip0:17`, with its own name behind it if it has one.
    pub(super) shown: String,
}

/// The chips of this machine that can be opened, and the paths of those that may not be.
///
/// # Errors
/// If `/dev` cannot be read.
pub(super) fn chips() -> Result<(Vec<Chip>, Vec<PathBuf>), Error> {
    let failed = |cause| Error::Failed {
        what: DEVICES.to_owned(),
        cause,
    };
    // A Pi 5 shows its chip under a second name too, a link: each counts once.
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(DEVICES).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with("gpiochip")
            && let Ok(path) = entry.path().canonicalize()
        {
            // By number: 10 comes after 9.
            paths.insert((path.as_os_str().len(), path));
        }
    }
    let (mut open, mut denied) = (Vec::new(), Vec::new());
    for (_, path) in paths {
        match open_chip(&path) {
            Ok(chip) => open.push(chip),
            Err(Error::Denied(path)) => denied.push(path),
            // One that is just being taken away is no matter of ours.
            Err(_) => (),
        }
    }
    Ok((open, denied))
}

fn open_chip(path: &Path) -> Result<Chip, Error> {
    Chip::new(path).map_err(|error| {
        let cause = cause_of(&error);
        match cause.kind() {
            ErrorKind::PermissionDenied => Error::Denied(path.to_owned()),
            _ => Error::Failed {
                what: path.display().to_string(),
                cause,
            },
        }
    })
}

/// Finds the line that is meant.
pub(super) fn find(spec: &LineSpec) -> Result<Found, Error> {
    let (chips, denied) = chips()?;
    let found = match spec.name.rsplit_once(':') {
        Some((chip, line)) => of_chip(chip, line, &chips),
        None => by_name(&spec.name, &spec.name, &chips),
    };
    match (found, denied.into_iter().next()) {
        // It may well be one of those that we may not look at.
        (Err(missing), Some(path)) if missing.is_not_found() => Err(Error::Denied(path)),
        (found, _) => found,
    }
}

/// A line of a chip that is named by its device or its label.
fn of_chip(chip: &str, line: &str, chips: &[Chip]) -> Result<Found, Error> {
    let file = chip.strip_prefix("/dev/").unwrap_or(chip);
    let aliased = Path::new(DEVICES).join(file).canonicalize().ok();
    let is_it = |known: &&Chip| {
        known.label() == chip || aliased.as_deref().is_some_and(|path| path == known.path())
    };
    let Some(known) = chips.iter().find(is_it) else {
        let names = chips.iter().flat_map(|chip| [chip.name(), chip.label()]);
        return Err(Error::NoChip {
            name: chip.to_owned(),
            there_is: there_is(file, names.collect(), "this machine has no GPIO chips"),
        });
    };
    let whole = format!("{chip}:{line}");
    match line.parse::<u32>() {
        Ok(offset) if offset < known.num_lines() => {
            let line = known.lines().nth(offset as usize);
            line.map(found).ok_or_else(|| no_line(&whole, known))
        }
        Ok(_) => Err(no_line(&whole, known)),
        Err(_) => by_name(line, &whole, std::slice::from_ref(known)),
    }
}

fn no_line(name: &str, chip: &Chip) -> Error {
    let last = chip.num_lines().saturating_sub(1);
    Error::NoLine {
        name: name.to_owned(),
        there_is: format!("{} ({}) has lines 0 to {last}", chip.name(), chip.label()),
    }
}

/// A line that is named by its own name, on any of these chips.
fn by_name(name: &str, given: &str, chips: &[Chip]) -> Result<Found, Error> {
    let lines = || chips.iter().flat_map(Chip::lines);
    let named: Vec<_> = lines()
        .filter_map(|line| Some((line.info().ok()?.name()?.to_owned(), line)))
        .collect();
    let mut same = named.iter().filter(|(known, _)| known == name);
    match (same.next(), same.next()) {
        (Some((_, line)), None) => Ok(found(line.clone())),
        (Some(_), Some(_)) => {
            let all = named.iter().filter(|(known, _)| known == name);
            let all: Vec<_> = all.map(|(_, line)| place(line)).collect();
            Err(Error::Several {
                name: given.to_owned(),
                all: all.join(", "),
            })
        }
        (None, _) => {
            let nothing = match chips.first() {
                Some(chip) => format!("say {}:LINE: its lines have no names", chip.name()),
                None => "this machine has no GPIO chips".to_owned(),
            };
            let names = named.iter().map(|(name, _)| name.as_str()).collect();
            Err(Error::NoLine {
                name: given.to_owned(),
                there_is: there_is(name, names, &nothing),
            })
        }
    }
}

/// What to tell somebody who named nothing that is there.
fn there_is(wanted: &str, names: Vec<&str>, nothing: &str) -> String {
    let near = nearest(wanted, names.iter().copied());
    if !near.is_empty() {
        let near: Vec<_> = near.iter().map(|name| format!("'{name}'")).collect();
        return format!("did you mean {}?", near.join(" or "));
    }
    match names.len() {
        0 => nothing.to_owned(),
        count => {
            let more = if count > LISTED { ", …" } else { "" };
            let listed: Vec<_> = names.into_iter().take(LISTED).collect();
            format!("there is: {}{more}", listed.join(", "))
        }
    }
}

fn found(line: Line) -> Found {
    let name = line
        .info()
        .ok()
        .and_then(|info| info.name().map(String::from));
    let shown = match name {
        Some(name) => format!("{} ({name})", place(&line)),
        None => place(&line),
    };
    Found { line, shown }
}

/// As in `gpiochip0:17`.
fn place(line: &Line) -> String {
    format!("{}:{}", line.chip().name(), line.offset())
}

impl Found {
    /// What the kernel knows of the line.
    pub(super) fn info(&self) -> Result<LineInfo, Error> {
        self.line.info().map_err(|error| self.failed(&error))
    }

    /// The system's word on the line.
    pub(super) fn failed(&self, error: &gpio_cdev::Error) -> Error {
        Error::Failed {
            what: self.shown.clone(),
            cause: cause_of(error),
        }
    }

    /// Why the line could not be requested.
    pub(super) fn refused(&self, error: &gpio_cdev::Error, consumer: &Consumer) -> Error {
        let cause = cause_of(error);
        if cause.kind() != ErrorKind::ResourceBusy {
            let what = self.shown.clone();
            return Error::Failed { what, cause };
        }
        let info = self.line.info().ok();
        let holder = info.as_ref().and_then(LineInfo::consumer);
        if holder == Some(&consumer.0) {
            return Error::Twice(self.shown.clone());
        }
        Error::Busy {
            line: self.shown.clone(),
            holder: holder.map_or_else(|| "somebody unnamed".to_owned(), |h| format!("'{h}'")),
            is_output: info.is_some_and(|info| info.direction() == LineDirection::Out),
        }
    }
}
