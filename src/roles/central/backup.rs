//! `twinkle central backup` and `restore`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::db::{Contents, Store};
use crate::exit::Exit;
use crate::roles::central::authority;
use crate::site::Site;

/// `twinkle central backup`.
pub(super) fn back_up(site: &Site, to: &Path, with_keys: bool) -> anyhow::Result<Exit> {
    let (store, _days) = site.open()?;
    let contents = store.back_up(to)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}", to.display(), describe(&contents))?;
    let key = authority::place(store.path());
    match (key.exists(), with_keys) {
        (false, _) => (),
        (true, true) => {
            copy_key(&key, &authority::place(to))?;
            writeln!(
                out,
                "{}: the authority's key; who has it can make devices that open doors",
                authority::place(to).display()
            )?;
        }
        (true, false) => writeln!(
            out,
            "without the authority's key, {}: keep a copy of that apart, or devices have to be \
             enrolled anew after a restore (--with-keys copies it too)",
            key.display()
        )?,
    }
    Ok(Exit::Done)
}

/// `twinkle central restore`.
pub(super) fn restore(site: &Site, from: &Path) -> anyhow::Result<Exit> {
    let to = site.database();
    let (key, beside) = (authority::place(to), authority::place(from));
    let contents = Store::restore(from, to)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}", to.display(), describe(&contents))?;
    if !key.exists() && beside.exists() {
        copy_key(&beside, &key)?;
    }
    match (contents.identities, key.exists()) {
        (0, _) => (),
        (devices, true) => {
            let devices = counted(devices, "device");
            writeln!(out, "{devices} will be known by identity")?;
        }
        (devices, false) => writeln!(
            out,
            "the authority's key is not there: {} will not be known until it is put at {}, or until \
             enrolled anew",
            counted(devices, "device"),
            key.display()
        )?,
    }
    writeln!(
        out,
        "start the central: its relays send by themselves what happened since"
    )?;
    Ok(Exit::Done)
}

fn describe(contents: &Contents) -> String {
    let employees = counted(contents.employees, "employee");
    let events = counted(contents.events, "event");
    match contents.newest {
        Some(newest) => format!(
            "{employees} and {events}, the newest of {}",
            newest.format("%Y-%m-%d %H:%M:%S UTC")
        ),
        None => format!("{employees}, no events"),
    }
}

/// As in `1 event`.
fn counted(count: i64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Copies the authority's key, for its owner's eyes alone.
fn copy_key(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copy = || -> io::Result<()> {
        let key = fs::read(from)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?;
        file.write_all(&key)?;
        file.sync_all()
    };
    copy().with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
