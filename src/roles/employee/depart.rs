//! `twinkle employee depart`.

use crate::cli::employee::DepartArgs;
use crate::db::Edit;
use crate::roles::employee::{Office, meant, say, title};

/// Sets an employee's last day, or takes it back.
pub(super) fn run(office: &mut Office, args: DepartArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let (whom, today) = (meant(args.whom)?, office.today);
    let last = (!args.undo).then(|| args.on.map_or(today, |choice| office.day(choice)));
    let edit = Edit {
        left: Some(last),
        ..Edit::default()
    };
    let changed = office
        .store
        .edit_employee(&whom, &edit, "depart", today, &office.author)?;
    let title = title(&changed.employee);
    match (last, changed.changes.is_empty()) {
        (Some(last), true) => say(format_args!("{title} leaves on {last} already")),
        (Some(last), false) if last < today => say(format_args!("{title} left on {last}")),
        (Some(last), false) => say(format_args!("{title}'s last day is {last}")),
        (None, true) => say(format_args!("{title} had no last day")),
        (None, false) => say(format_args!("{title} stays")),
    }?;
    Ok(())
}
