//! `twinkle employee suspend` and `resume`.

use crate::cli::employee::Whom;
use crate::db::Edit;
use crate::render;
use crate::roles::employee::{Office, say};

/// Suspends an employee, or lets one in again.
pub(super) fn run(office: &mut Office, whom: Whom, suspended: bool) -> anyhow::Result<()> {
    let edit = Edit {
        suspended: Some(suspended),
        ..Edit::default()
    };
    let action = if suspended { "suspend" } else { "resume" };
    let changed = office.edit(whom, &edit, action)?;
    let (number, name) = (changed.employee.number, &changed.employee.name);
    let name = render::one_line(name);
    match (changed.changes.is_empty(), suspended) {
        (false, true) => say(format_args!("suspended {number}: {name}")),
        (false, false) => say(format_args!("resumed {number}: {name}")),
        (true, true) => say(format_args!("{number}: {name} was suspended already")),
        (true, false) => say(format_args!("{number}: {name} was not suspended")),
    }?;
    Ok(())
}
