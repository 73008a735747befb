//! What `twinkle central` does beside serving: its subcommands.

use std::io::{self, Write};

use crate::author;
use crate::cli::DoorWayArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::{Author, Condition, Opened};
use crate::exit::Exit;
use crate::site::Site;

/// `twinkle central init`.
pub(super) fn init(site: &Site) -> anyhow::Result<Exit> {
    let Opened { store, condition } = site.open_as_central()?;
    let path = store.path().display();
    let mut out = io::stdout().lock();
    match condition {
        Condition::Created => writeln!(out, "made {path}, days {}", store.days()?)?,
        Condition::Migrated => writeln!(out, "brought {path} up to date")?,
        Condition::Current => writeln!(out, "{path} is up to date")?,
    }
    Ok(Exit::Done)
}

/// `twinkle central door --require-code`, or `--no-require-code`.
pub(super) fn require_code(site: &Site, args: &DoorWayArgs) -> anyhow::Result<Exit> {
    let (door, code) = (&args.name, args.require_code);
    let (mut store, _) = site.open()?;
    let author = Author {
        who: author::who(args.author.by.as_ref()),
        at: SystemClock.now(),
    };
    let changed = store.require_code(door, code, &author)?;
    let what = match code {
        true => "opens with one-time codes only",
        false => "opens without a one-time code for those who need none",
    };
    let already = if changed { "" } else { " already" };
    writeln!(io::stdout(), "door '{door}' {what}{already}")?;
    Ok(Exit::Done)
}
