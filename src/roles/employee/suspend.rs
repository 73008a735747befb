//! `twinkle employee suspend` and `resume`.

use crate::cli::employee::PersonArgs;
use crate::db::Edit;
use crate::roles::employee::{Office, meant, say, title};

/// Suspends an employee, or lets one in again.
pub(super) fn run(office: &mut Office, args: PersonArgs, suspended: bool) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let edit = Edit {
        suspended: Some(suspended),
        ..Edit::default()
    };
    let action = if suspended { "suspend" } else { "resume" };
    let (whom, today) = (meant(args.whom)?, office.today);
    let changed = office
        .store
        .edit_employee(&whom, &edit, action, today, &office.author)?;
    let title = title(&changed.employee);
    match (changed.changes.is_empty(), suspended) {
        (false, true) => say(format_args!("suspended {title}")),
        (false, false) => say(format_args!("resumed {title}")),
        (true, true) => say(format_args!("{title} was suspended already")),
        (true, false) => say(format_args!("{title} was not suspended")),
    }?;
    Ok(())
}
