//! The keys that lie beside a database and are no part of it, as copies of it take them along.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::db::{self, Contents};
use crate::exit::Unusable;
use crate::roles::central::authority;

/// One of them.
pub(super) struct Key {
    /// What it is.
    pub(super) what: &'static str,
    /// Where it lies, for a database.
    pub(super) place: fn(&Path) -> PathBuf,
    /// What whoever has it can do.
    pub(super) power: &'static str,
    /// Whose it is: they, as they do with it, or do not without it.
    pub(super) whose: &'static str,
    pub(super) with: &'static str,
    pub(super) without: &'static str,
    /// What is to be done where it is gone.
    pub(super) loss: &'static str,
    /// How many things in a database are of no use without it.
    pub(super) needed: fn(&Contents) -> i64,
}

/// All of them.
pub(super) const KEYS: [Key; 2] = [
    Key {
        what: "the authority's key",
        place: authority::place,
        power: "who has it can make devices that open doors",
        whose: "device",
        with: "will be known by identity",
        without: "will not be known",
        loss: "devices have to be enrolled anew",
        needed: |contents| contents.identities,
    },
    Key {
        what: "the key of one-time codes",
        place: db::code_key,
        power: "who has it and the database can make everybody's codes",
        whose: "employee",
        with: "can use one-time codes",
        without: "will not get in",
        loss: "codes have to be enabled anew",
        needed: |contents| contents.codes,
    },
];

/// The keys of one database, read to be put beside another.
pub(super) struct Carried(Vec<(PathBuf, Vec<u8>)>);

impl Carried {
    /// Reads those that are there.
    ///
    /// # Errors
    /// If one cannot be read; [`db::Error::Conflict`] if another one is in its new place already.
    pub(super) fn read(from: &Path, to: &Path) -> anyhow::Result<Self> {
        let mut carried = Vec::new();
        for key in &KEYS {
            let (old, new) = ((key.place)(from), (key.place)(to));
            let Some(content) = content(&old)? else {
                continue;
            };
            match self::content(&new)? {
                Some(there) if there == content => (),
                Some(_) => {
                    let why = format!(
                        "{} is another key than {}: move away the one that is not this \
                         database's",
                        new.display(),
                        old.display()
                    );
                    return Err(db::Error::Conflict(why).into());
                }
                None => carried.push((new, content)),
            }
        }
        Ok(Self(carried))
    }

    /// Puts them there, for their owner's eyes alone.
    ///
    /// # Errors
    /// If one cannot be written.
    pub(super) fn put(self) -> anyhow::Result<()> {
        for (place, content) in self.0 {
            authority::write_secret(&place, content)
                .with_context(|| format!("the database is there, but not {}", place.display()))?;
        }
        Ok(())
    }
}

/// What a key's file holds; `None` if it is not there.
fn content(file: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Ok(content) => Ok(Some(content)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => {
            let why = format!("cannot read {}: {cause}; its owner can", file.display());
            Err(Unusable(why).into())
        }
    }
}
