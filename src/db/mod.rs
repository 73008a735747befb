//! The database: one SQLite file, and every operation on it. All SQL of twinkle is in this folder;
//! the rest of the program sees a [`Store`] and plain values.

use std::marker::PhantomData;
use std::path::PathBuf;

use rusqlite::{Connection, ErrorCode};

use crate::db::writing::Writing;
use crate::domain::spool::ClockFault;

mod admit;
mod archive;
mod assignment;
mod at_hand;
mod attendance;
mod audit;
mod backup;
mod calendar;
mod central_schema;
mod checkpoint;
mod closing;
mod code;
mod correction;
mod day_rules;
mod delay;
mod device;
mod direction;
mod door_event;
mod employee;
mod event;
mod event_list;
mod grant;
mod guess;
mod identity;
mod import;
mod installation;
mod lock;
mod moving;
mod open;
mod original;
mod register;
mod relay_roll;
mod relay_schema;
mod retire;
mod roster;
mod roster_source;
mod schema;
mod seal;
mod spool;
mod spooled;
mod statements;
mod travel;
mod trial;
mod uncounted;
mod undelivered;
mod values;
mod watch;
mod writing;

pub use admit::{Entry, FlashEntry, Outcome};
pub use archive::Archived;
pub use assignment::Badge;
pub use audit::{AuditRow, Author};
pub use backup::Contents;
pub use closing::Closed;
pub use correction::{Corrected, NewCorrection, Whose};
pub use delay::{DelayFilter, DelayRow, ToldDelay, ToldDelays};
pub use device::{Device, DeviceKind, Seen, Sighting};
pub use door_event::DoorEventEntry;
pub use employee::{Change, Changed, Edit, Employee, NewEmployee};
pub use event_list::{EventRow, What};
pub use grant::{Grant, no_door};
pub use identity::Enrolled;
pub use import::{Everybody, Planned};
pub use moving::{Moved, Mover, OldFlash, OldMark};
pub use open::{Condition, Opened};
pub use original::{OldTable, old_tables};
pub use register::{Asked, Facts};
pub use retire::Retired;
pub use roster::{Confirmed, Draft as RosterDraft, RosterHead};
pub use roster_source::{BadgeRead, RosterRead};
use schema::Kind;
pub use schema::{Central, Relay};
pub use seal::code_key;
pub use spool::{Backlog, Batch, Draft};
pub use spooled::{SpoolFound, Spooled};

/// Why the database did not do as asked. What a caller can do about it differs by variant.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for is not there; says what, and what is near it.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for contradicts what is there; says what.
    #[error("{0}")]
    Conflict(String),
    /// There is no database in that place.
    #[error("no database at {}", .0.display())]
    Missing(PathBuf),
    /// The database is of an older version than this program's.
    #[error(
        "{} is of version {found}, this program needs {needed}: 'twinkle central init' brings it \
         up to date, as does starting the central",
        path.display()
    )]
    SchemaTooOld {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// This program's.
        needed: i64,
    },
    /// The database is of a newer version than this program's.
    #[error(
        "{} is of version {found}, newer than this program's {needed}: use the newer program",
        path.display()
    )]
    SchemaTooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// This program's.
        needed: i64,
    },
    /// The file is something else; says what.
    #[error("{} is {what}", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it is instead, and perhaps what to do.
        what: String,
    },
    /// Another server of its kind serves the database.
    #[error("another {server} serves {} already", path.display())]
    Served {
        /// The file.
        path: PathBuf,
        /// What serves such a file: "central", "relay".
        server: &'static str,
    },
    /// The file, or its folder, may not be used as needed; says why, and who may.
    #[error("{} cannot be {needed}: {why}", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
        /// What was to be done with it: "read", "written", "made".
        needed: &'static str,
        /// The system's word, and what to do.
        why: String,
    },
    /// The file was removed or replaced while it was open: what is written to it is lost.
    #[error("{} was removed or replaced while it was open: put it back, or restart", .0.display())]
    Replaced(PathBuf),
    /// The key outside the database cannot be used, or does not fit; says why.
    #[error("{0}")]
    Seal(String),
    /// Another program held the database's lock for longer than we wait.
    #[error("the database is locked by another program; try again when that is done")]
    Busy,
    /// The file's content is no longer what SQLite wrote.
    #[error(
        "{} is damaged: stop what uses it, put it aside, and go on with the last backup",
        .0.display()
    )]
    Damaged(PathBuf),
    /// Anything else that SQLite reports.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
            _ => Error::Sqlite(error),
        }
    }
}

impl Error {
    /// What SQLite says of the whole file, if this is such a word.
    fn of_file(&self) -> Option<ErrorCode> {
        match self {
            Error::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        }
    }
}

/// What this module's operations return.
pub type Result<T> = std::result::Result<T, Error>;

/// An open database of one of our two kinds.
#[derive(Debug)]
pub struct Database<K> {
    connection: Connection,
    path: PathBuf,
    /// Which file that was when it was opened.
    file: Option<(u64, u64)>,
    /// What the last batch left at hand for the next.
    at_hand: Option<at_hand::AtHand>,
    /// What is wrong with the clock by which entries are stored.
    doubt: Option<ClockFault>,
    /// What a central looks out for among flashes.
    watch: watch::Watch,
    /// Whether changes are tried out only, and undone at their end.
    rehearsing: bool,
    /// Held by a server for as long as it serves the database.
    served: Option<lock::Served>,
    kind: PhantomData<K>,
}

/// The organisation's database: a central serves it, and the office's commands open it beside that.
pub type Store = Database<schema::Central>;

/// A relay's own file.
pub type RelayStore = Database<schema::Relay>;

impl<K: Kind> Database<K> {
    /// Only tries changes out from now on: each is made, checked, and undone at its end.
    pub fn rehearse(&mut self) {
        self.rehearsing = true;
    }

    /// An error that is about the whole file, with the file's name.
    fn name(&self, error: Error) -> Error {
        match error.of_file() {
            Some(ErrorCode::ReadOnly) => open::denied(&self.path, "written", open::READ_ONLY),
            Some(ErrorCode::DatabaseCorrupt) => Error::Damaged(self.path.clone()),
            _ => error,
        }
    }

    /// Runs a change in one transaction that takes the write lock at once, so that what it reads
    /// stays true until it has written. An error leaves the database as it was.
    fn write<T>(&mut self, change: impl FnOnce(&Writing<'_>) -> Result<T>) -> Result<T> {
        // One look at the folder, beside a flush of the disk: an open file outlives its name.
        if open::identity(&self.path) != self.file {
            return Err(Error::Replaced(self.path.clone()));
        }
        self.at_hand = None;
        let run = || {
            let transaction = Writing::begin(&self.connection)?;
            let result = change(&transaction)?;
            if !self.rehearsing {
                transaction.commit()?;
            }
            Ok(result)
        };
        run().map_err(|error| self.name(error))
    }
}
