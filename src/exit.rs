//! Exit codes, and which failure ends in which.

use std::error::Error;
use std::io::ErrorKind;
use std::process::ExitCode;

use crate::{config, db, hw, site, wire};

/// Something outside that cannot be reached or used; says what, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

/// A wrong use that the command line's own parser does not see; says what would be right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done; for a door's one flash: open.
    Done,
    /// 1: failed; for a door's one flash: not open.
    Failed,
    /// 2: the command line or the configuration is wrong.
    Usage,
    /// 3: what was asked for is not there, or contradicts what is.
    NotFound,
    /// 4: something outside cannot be reached or used: an upstream, a device, a disk.
    Unusable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::Unusable => 4,
        })
    }
}

impl Exit {
    /// How a command ends that fails for these causes: as the first says that says anything.
    pub fn of<'a>(mut causes: impl Iterator<Item = &'a (dyn Error + 'static)>) -> Self {
        causes.find_map(exit_of_cause).unwrap_or(Exit::Failed)
    }
}

fn exit_of_cause(cause: &(dyn Error + 'static)) -> Option<Exit> {
    if let Some(error) = cause.downcast_ref::<db::Error>() {
        return Some(match error {
            db::Error::NotFound(_)
            | db::Error::Conflict(_)
            | db::Error::Missing(_)
            | db::Error::SchemaTooOld { .. }
            | db::Error::SchemaTooNew { .. }
            | db::Error::Served { .. } => Exit::NotFound,
            db::Error::NotOurs { .. }
            | db::Error::Denied { .. }
            | db::Error::Replaced(_)
            | db::Error::Damaged(_)
            | db::Error::Seal(_)
            | db::Error::Busy
            | db::Error::Sqlite(_) => Exit::Unusable,
        });
    }
    if let Some(error) = cause.downcast_ref::<wire::Error>() {
        return Some(match error {
            wire::Error::Exposed(_) => Exit::Usage,
            _ => Exit::Unusable,
        });
    }
    if let Some(error) = cause.downcast_ref::<hw::gpio::Error>() {
        return Some(match error.is_not_found() {
            true => Exit::NotFound,
            false => Exit::Unusable,
        });
    }
    if cause.is::<wire::address::Exposed>()
        || cause.is::<wire::identity::Contradiction>()
        || cause.is::<config::Error>()
        || cause.is::<hw::UnknownDevice>()
        || cause.is::<Usage>()
    {
        return Some(Exit::Usage);
    }
    if cause.is::<Unusable>() || cause.is::<wire::identity::Error>() || cause.is::<site::Unusable>()
    {
        return Some(Exit::Unusable);
    }
    // Whoever read our output has had enough: that is no failure.
    cause
        .downcast_ref::<std::io::Error>()
        .map(|error| match error.kind() {
            ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Unusable,
        })
}
