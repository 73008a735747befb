//! `twinkle employee depart`.

use crate::cli::employee::DepartArgs;
use crate::db::Edit;
use crate::render;
use crate::roles::employee::{Office, say};

/// Sets an employee's last day, or takes it back.
pub(super) fn run(office: &mut Office, args: DepartArgs) -> anyhow::Result<()> {
    let today = office.today;
    let last = (!args.undo).then(|| args.on.map_or(today, |choice| choice.resolve(today)));
    let edit = Edit {
        left: Some(last),
        ..Edit::default()
    };
    let changed = office.edit(args.whom, &edit, "depart")?;
    let (number, name) = (changed.employee.number, &changed.employee.name);
    let name = render::one_line(name);
    match (last, changed.changes.is_empty()) {
        (Some(last), true) => say(format_args!("{number}: {name} leaves on {last} already")),
        (Some(last), false) if last < today => say(format_args!("{number}: {name} left on {last}")),
        (Some(last), false) => say(format_args!("{number}: {name}'s last day is {last}")),
        (None, true) => say(format_args!("{number}: {name} had no last day")),
        (None, false) => say(format_args!("{number}: {name} stays")),
    }?;
    Ok(())
}
