//! `twinkle employee list`.

use crate::cli::employee::ListArgs;
use crate::db::Employee;
use crate::domain::calendar::Day;
use crate::render::{self, Column, Format, Grid};
use crate::roles::employee::{Office, say};

/// Lists the employees; those who have left only if they are asked for.
pub(super) fn run(office: &Office, args: &ListArgs) -> anyhow::Result<()> {
    let today = office.today;
    let all = office.store.employees(today)?;
    let total = all.len();
    let gone = |employee: &Employee| employee.left.is_some_and(|left| left < today);
    let shown: Vec<_> = all
        .into_iter()
        .filter(|employee| args.all || !gone(employee))
        .collect();
    if total == 0 && args.format == Format::Table {
        say(format_args!(
            "no employees yet: twinkle employee add NAME --twinklet ID"
        ))?;
        return Ok(());
    }
    let mut columns = vec![
        Column::number("number"),
        Column::text("name"),
        Column::number("twinklet"),
        Column::code("joined"),
        Column::code("state"),
    ];
    // Where nobody has a department, people need not read about departments.
    let departments = args.format != Format::Table || shown.iter().any(|e| e.department.is_some());
    if departments {
        columns.push(Column::text("department"));
    }
    let rows = shown.iter().map(|employee| {
        let mut row = row(employee, today);
        if departments {
            row.push(employee.department.clone().unwrap_or_default());
        }
        row
    });
    let grid = Grid {
        columns,
        rows: rows.collect(),
    };
    render::print_grid(&grid, args.format)?;
    let hidden = total - shown.len();
    if hidden > 0 && args.format == Format::Table {
        say(format_args!("\n{hidden} more left; --all shows them too"))?;
    }
    Ok(())
}

fn row(employee: &Employee, today: Day) -> Vec<String> {
    let twinklets: Vec<_> = employee.twinklets.iter().map(ToString::to_string).collect();
    vec![
        employee.number.to_string(),
        employee.name.clone(),
        twinklets.join(" "),
        employee.joined.to_string(),
        state(employee, today).to_owned(),
    ]
}

/// How an employee stands that day.
pub(super) fn state(employee: &Employee, today: Day) -> &'static str {
    match (employee.suspended, employee.left) {
        (_, Some(left)) if left < today => "left",
        (Some(_), _) => "suspended",
        (None, _) if employee.joined > today => "to come",
        (None, _) => "active",
    }
}
