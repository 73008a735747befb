//! `twinkle employee edit`.

use crate::cli::employee::{Choice, EditArgs};
use crate::db::Edit;
use crate::roles::employee::{Office, meant, say_changed};

/// Changes what is known about an employee, and from when until when a badge is one's own.
pub(super) fn run(office: &mut Office, args: EditArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let (whom, values, today) = (meant(args.whom)?, args.values, office.today);
    let edit = Edit {
        name: values.name,
        department: values.department.map(|choice| choice.0),
        joined: values.joined.map(|choice| office.day(choice)),
        off_register: match (values.off_register, values.on_register) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        hours: values.hours.map(|choice| choice.0),
        badge_from: values.valid_from.map(|choice| office.day(choice)),
        badge_until: values
            .valid_until
            .map(|Choice(until)| until.map(|choice| office.day(choice))),
        ..Edit::default()
    };
    let changed = office
        .store
        .edit_employee(&whom, &edit, "edit", today, &office.author)?;
    say_changed("edited", &changed)?;
    Ok(())
}
