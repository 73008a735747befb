//! `twinkle employee history`.

use crate::cli::employee::HistoryArgs;
use crate::db::AuditRow;
use crate::render::{self, Column, Format, Grid};
use crate::roles::employee::{Office, meant, shown};

/// Shows the changes of an employee, newest last.
pub(super) fn run(office: &Office, args: HistoryArgs) -> anyhow::Result<()> {
    let employee = office.store.employee(&meant(args.whom)?, office.today)?;
    let columns = vec![
        Column::code("time"),
        Column::text("who"),
        Column::code("action"),
        Column::text("change"),
    ];
    let history = office.store.history(employee.number)?;
    let rows = history
        .into_iter()
        .map(|row| cells(row, args.format, office));
    let grid = Grid {
        columns,
        rows: rows.collect(),
    };
    render::print_grid(&grid, args.format)?;
    Ok(())
}

fn cells(row: AuditRow, format: Format, office: &Office) -> Vec<String> {
    let time = office.days.local(row.at);
    let time = match format {
        Format::Csv => time.format("%Y-%m-%dT%H:%M:%S%:z"),
        _ => time.format("%Y-%m-%d %H:%M:%S"),
    };
    let mut parts: Vec<_> = row
        .values
        .into_iter()
        .map(|(field, old, new)| match (old, new) {
            (None, Some(new)) => format!("{field} {new}"),
            (old, new) => {
                format!(
                    "{field} {} -> {}",
                    shown(old.as_deref()),
                    shown(new.as_deref())
                )
            }
        })
        .collect();
    if !row.detail.is_empty() {
        parts.push(row.detail);
    }
    vec![time.to_string(), row.who, row.action, parts.join("; ")]
}
