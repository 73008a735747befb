//! Registers as JSON: one object a line for each month.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::domain::attendance::{Correction, Note, Row};
use crate::domain::calendar::Days;
use crate::render::register::{Page, Report, Signed};

/// Writes a report.
///
/// # Errors
/// Those of writing.
pub(super) fn write(report: &Report, to: &mut impl Write) -> io::Result<()> {
    for page in &report.pages {
        serde_json::to_writer(&mut *to, &month(page, report))?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

fn month(page: &Page, report: &Report) -> Value {
    let register = &page.register;
    let days = register.days.iter().map(|column| {
        json!({
            "day": column.day,
            "holiday": column.holiday,
            "weekly_off": column.weekly_off,
            "to_come": column.to_come,
        })
    });
    let employees = register.rows.iter().map(|row| employee(row, page, report));
    json!({
        "month": register.month.first().format("%Y-%m").to_string(),
        "days": days.collect::<Vec<_>>(),
        "employees": employees.collect::<Vec<_>>(),
        "not_final": register.notes.iter().map(|n| note(n, report.days)).collect::<Vec<_>>(),
        "signed": page.signed.as_ref().map(|signed| signature(signed, report.days)),
    })
}

fn employee(row: &Row, page: &Page, report: &Report) -> Value {
    let local = |at| report.days.local(at).to_rfc3339();
    let days = page.register.days.iter().zip(&row.cells);
    let marks = days.clone().map(|(_, cell)| cell.mark.symbol());
    let mut employee = json!({
        "number": row.number.0,
        "name": row.name,
        "department": row.department,
        "marks": marks.collect::<Vec<_>>(),
        "TD": row.total_days.days(),
        "WO": row.work_off.days(),
        "L": row.leave,
        "corrections": row.corrections.iter().map(|c| correction(c, report.days)).collect::<Vec<_>>(),
    });
    if report.hours {
        let seen = days.map(|(column, _)| {
            let seen = row.times.get(&column.day)?;
            Some(json!({
                "first": seen.first.map(local),
                "last": local(seen.last),
                "minutes": seen.minutes(),
            }))
        });
        if let Some(fields) = employee.as_object_mut() {
            fields.insert("seen".to_owned(), seen.collect());
        }
    }
    employee
}

fn correction(set: &Correction, days: Days) -> Value {
    json!({
        "day": set.day,
        "mark": set.mark.symbol(),
        "reason": set.reason,
        "by": set.who,
        "at": days.local(set.at).to_rfc3339(),
    })
}

fn note(note: &Note, days: Days) -> Value {
    match note {
        Note::NobodySeen(of) => json!({ "why": "nobody-seen", "days": of }),
        Note::Unreported(relay, of) => json!({
            "why": "relay-unreported",
            "days": of,
            "relay": relay.relay,
            "since": days.local(relay.since).to_rfc3339(),
        }),
    }
}

fn signature(signed: &Signed, days: Days) -> Value {
    let amendments = signed.amendments.iter().map(|amendment| {
        json!({
            "number": amendment.number.0,
            "name": amendment.name,
            "day": amendment.day,
            "was": amendment.was.symbol(),
            "is": amendment.is.symbol(),
            "cause": amendment.cause,
        })
    });
    json!({
        "by": signed.who,
        "at": days.local(signed.at).to_rfc3339(),
        "amendments": amendments.collect::<Vec<_>>(),
    })
}
