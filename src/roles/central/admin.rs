//! What `twinkle central` does beside serving: its subcommands.

use std::io::{self, Write};

use crate::db::{Condition, Opened};
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
