//! `twinkle employee grant` and `ungrant`: which doors an employee may use.

use crate::cli::employee::{ChangeArgs, GrantArgs, UngrantArgs};
use crate::db::Grant;
use crate::domain::ids::EmployeeRef;
use crate::roles::employee::{Office, say, shown, title};

/// Lets an employee use doors.
pub(super) fn grant(office: &mut Office, args: GrantArgs) -> anyhow::Result<()> {
    let grant = match args.all {
        true => Grant::All,
        false => Grant::Add(args.doors),
    };
    change(office, &args.employee, &grant, &args.change)
}

/// Takes doors away from an employee.
pub(super) fn ungrant(office: &mut Office, args: UngrantArgs) -> anyhow::Result<()> {
    let grant = match args.all {
        true => Grant::None,
        false => Grant::Remove(args.doors),
    };
    change(office, &args.employee, &grant, &args.change)
}

fn change(
    office: &mut Office,
    whom: &EmployeeRef,
    grant: &Grant,
    change: &ChangeArgs,
) -> anyhow::Result<()> {
    office.prepare(change);
    let changed = office
        .store
        .grant(whom, grant, office.today, &office.author)?;
    let title = title(&changed.employee);
    let doors = match changed.employee.doors.as_deref() {
        None => "every door".to_owned(),
        Some([]) => "no door".to_owned(),
        Some(doors) => doors.join(", "),
    };
    match changed.changes.first() {
        None => say(format_args!("{title} may use {doors} already")),
        Some(change) => {
            let until_now = shown(change.old.as_deref());
            say(format_args!(
                "{title} may use {doors} now (until now: {until_now})"
            ))
        }
    }?;
    Ok(())
}
