//! `twinkle employee show`.

use chrono::{DateTime, Utc};

use crate::cli::employee::Whom;
use crate::db::{Badge, Employee};
use crate::domain::calendar::Day;
use crate::render;
use crate::roles::employee::list::state;
use crate::roles::employee::{Office, meant, say};

/// Shows what is known about an employee, a line for each.
pub(super) fn run(office: &Office, whom: Whom) -> anyhow::Result<()> {
    let today = office.today;
    let employee = office.store.employee(&meant(whom)?, today)?;
    let badges = office.store.badges(employee.number)?;
    let code = office.store.code_since(employee.number)?;
    for (what, value) in lines(&employee, &badges, code, office) {
        say(format_args!("{what:12}{}", render::one_line(&value)))?;
    }
    Ok(())
}

fn lines(
    employee: &Employee,
    badges: &[Badge],
    code: Option<DateTime<Utc>>,
    office: &Office,
) -> Vec<(&'static str, String)> {
    let minute = |time| office.days.local(time).format("%Y-%m-%d %H:%M");
    let today = office.today;
    let mut lines = vec![
        ("number", employee.number.to_string()),
        ("name", employee.name.clone()),
        (
            "department",
            employee
                .department
                .clone()
                .unwrap_or_else(|| "none".to_owned()),
        ),
        ("state", state(employee, today).to_owned()),
        ("joined", employee.joined.to_string()),
    ];
    if let Some(left) = employee.left {
        lines.push(("last day", left.to_string()));
    }
    if let Some(since) = employee.suspended {
        lines.push(("suspended", format!("since {}", minute(since))));
    }
    let hours = employee.hours.as_ref().map(ToString::to_string);
    lines.push(("hours", hours.unwrap_or_else(|| "at any time".to_owned())));
    let doors = match employee.doors.as_deref() {
        None => "every door".to_owned(),
        Some([]) => "none".to_owned(),
        Some(doors) => doors.join(", "),
    };
    lines.push(("doors", doors));
    if let Some(since) = code {
        lines.push(("code", format!("needed, since {}", minute(since))));
    }
    let register = if employee.off_register { "off" } else { "on" };
    lines.push(("register", register.to_owned()));
    for badge in badges {
        lines.push((
            "twinklet",
            format!("{badge}{}", remark(badge, employee, today)),
        ));
    }
    if badges.is_empty() {
        lines.push(("twinklet", "none".to_owned()));
    }
    lines
}

/// What is to be said about a badge that opens nothing today.
fn remark(badge: &Badge, employee: &Employee, today: Day) -> &'static str {
    if badge.is_lost(today) {
        ", lost"
    } else if badge.revoked.is_some() {
        ", taken back"
    } else if badge.is_over(today) || employee.left.is_some_and(|left| left < today) {
        ", over"
    } else if badge.from > today {
        ", to come"
    } else {
        ""
    }
}
