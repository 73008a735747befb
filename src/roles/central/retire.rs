//! `twinkle central retire`.

use std::io::{self, Write};

use crate::author;
use crate::cli::RetireArgs;
use crate::clock::{Clock, SystemClock};
use crate::db::{Author, DeviceKind};
use crate::exit::Exit;
use crate::roles::central::kind_of;
use crate::site::Site;

/// `twinkle central retire`.
pub(super) fn run(site: &Site, args: &RetireArgs) -> anyhow::Result<Exit> {
    let (mut store, _days) = site.open()?;
    let author = Author {
        who: author::who(None),
        at: SystemClock.now(),
    };
    let kind = args.role.map(kind_of);
    let (name, retire) = (&args.name, !args.undo);
    let done = store.retire(name, kind, retire, &author)?;
    let kind = done.kind;
    let already = if done.changed { "" } else { " already" };
    let what = match (kind, retire) {
        (DeviceKind::Door, true) => {
            "out of service: no flash opens it, until that is undone (--undo)"
        }
        (DeviceKind::Relay, true) => {
            "out of service: days are final without it, until it connects again"
        }
        (DeviceKind::Door, false) => "in service: it opens to those who may enter",
        (DeviceKind::Relay, false) => "in service: days wait for what it may have kept",
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{kind} '{name}' is{already} {what}")?;
    if retire && done.waiting > 0 {
        writeln!(
            out,
            "it had {} entries left when it was last heard",
            done.waiting
        )?;
    }
    Ok(Exit::Done)
}
