//! `twinkle employee edit`.

use crate::cli::employee::EditArgs;
use crate::db::Edit;
use crate::roles::employee::{Office, say_changed};

/// Changes what is known about an employee.
pub(super) fn run(office: &mut Office, args: EditArgs) -> anyhow::Result<()> {
    let change = args.change;
    let edit = Edit {
        name: change.name,
        department: change.department.map(|choice| choice.0),
        joined: change.joined.map(|choice| choice.resolve(office.today)),
        off_register: match (change.off_register, change.on_register) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        ..Edit::default()
    };
    let changed = office.edit(args.whom, &edit, "edit")?;
    say_changed("edited", &changed)?;
    Ok(())
}
