//! `twinkle employee export`: everybody, as `import` reads it.

use crate::db::{Badge, Employee};
use crate::render::{self, Column, Format, Grid};
use crate::roles::employee::Office;
use crate::roles::employee::import::file::COLUMNS;

/// Writes all employees as CSV, those who left too.
pub(super) fn run(office: &mut Office) -> anyhow::Result<()> {
    let today = office.today;
    let everybody = office.store.everybody(today)?;
    let rows = everybody.employees.iter().map(|employee| {
        let badges = everybody
            .badges
            .get(&employee.number)
            .map_or(&[][..], Vec::as_slice);
        let held = badges
            .iter()
            .filter(|b| b.revoked.is_none() && !b.is_over(today));
        cells(employee, held)
    });
    let grid = Grid {
        rows: rows.collect(),
        columns: COLUMNS.into_iter().map(Column::text).collect(),
    };
    render::print_grid(&grid, Format::Csv)?;
    Ok(())
}

/// The cells of one employee, in the order of the columns.
fn cells<'a>(employee: &Employee, held: impl Iterator<Item = &'a Badge>) -> Vec<String> {
    let yes = |yes: bool| if yes { "yes" } else { "" }.to_owned();
    let badges: Vec<_> = held.map(|badge| twinklet(badge, employee)).collect();
    let doors = match employee.doors.as_deref() {
        None => String::new(),
        Some([]) => "none".to_owned(),
        Some(doors) => doors.join(", "),
    };
    vec![
        employee.number.to_string(),
        employee.name.clone(),
        badges.join(" "),
        employee.joined.to_string(),
        employee.left.map(|day| day.to_string()).unwrap_or_default(),
        employee.department.clone().unwrap_or_default(),
        employee
            .hours
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        doors,
        yes(employee.suspended.is_some()),
        yes(employee.off_register),
    ]
}

/// A badge, with its days unless they are an employee's usual ones.
fn twinklet(badge: &Badge, employee: &Employee) -> String {
    let Badge {
        twinklet,
        from,
        until,
        ..
    } = *badge;
    match until {
        None if from == employee.joined => twinklet.to_string(),
        None => format!("{twinklet}:{from}.."),
        Some(until) => format!("{twinklet}:{from}..{until}"),
    }
}
