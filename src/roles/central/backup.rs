//! `twinkle central backup` and `restore`.

use std::io::{self, Write};
use std::path::Path;

use crate::db::{Contents, Store};
use crate::exit::Exit;
use crate::roles::central::keys::{Carried, KEYS};
use crate::site::Site;

/// `twinkle central backup`.
pub(super) fn back_up(site: &Site, to: &Path, with_keys: bool) -> anyhow::Result<Exit> {
    let (store, _days) = site.open()?;
    let keys = match with_keys {
        true => Some(Carried::read(store.path(), to)?),
        false => None,
    };
    let contents = store.back_up(to)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}", to.display(), describe(&contents))?;
    keys.map_or(Ok(()), Carried::put)?;
    for key in &KEYS {
        let (what, loss) = (key.what, key.loss);
        let (ours, copy) = ((key.place)(store.path()), (key.place)(to));
        match (ours.exists(), with_keys) {
            (true, true) => writeln!(out, "{}: {what}; {}", copy.display(), key.power)?,
            (true, false) => writeln!(
                out,
                "without {what}, {}: keep a copy of that apart, or {loss} after a restore \
                 (--with-keys copies it too)",
                ours.display()
            )?,
            (false, _) if (key.needed)(&contents) > 0 => writeln!(
                out,
                "{what} is gone: put {} back from an older copy, or {loss}",
                ours.display()
            )?,
            (false, _) => (),
        }
    }
    Ok(Exit::Done)
}

/// `twinkle central restore`.
pub(super) fn restore(site: &Site, from: &Path) -> anyhow::Result<Exit> {
    let to = site.database();
    let keys = Carried::read(from, to)?;
    let contents = Store::restore(from, to)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}", to.display(), describe(&contents))?;
    keys.put()?;
    for key in &KEYS {
        let (count, place) = ((key.needed)(&contents), (key.place)(to));
        let who = counted(count, key.whose);
        match (count, place.exists()) {
            (0, _) => (),
            (_, true) => writeln!(out, "{who} {}", key.with)?,
            (_, false) => writeln!(
                out,
                "{} is not there: {who} {} until it is put at {}; else {}",
                key.what,
                key.without,
                place.display(),
                key.loss
            )?,
        }
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
