//! What stands below a register: holidays by name, why days are not final, why cells were
//! corrected, and what changed since it was signed.

use std::collections::BTreeMap;

use crate::domain::attendance::{Amendment, Mark, Note, Register};
use crate::domain::calendar::{Day, Days};
use crate::render::one_line;
use crate::render::register::Page;

/// How many names are listed for one reason.
const NAMES: usize = 6;

/// The lines below a page.
pub(super) fn lines(page: &Page, days: Days) -> Vec<String> {
    let register = &page.register;
    let mut lines = Vec::new();
    let holidays: Vec<_> = register
        .days
        .iter()
        .filter_map(|column| {
            Some(format!(
                "{} {}",
                short(column.day),
                one_line(column.holiday.as_deref()?)
            ))
        })
        .collect();
    if !holidays.is_empty() {
        lines.push(format!("Holidays: {}.", holidays.join(", ")));
    }
    lines.extend(register.notes.iter().map(|note| not_final(note, days)));
    lines.extend(corrections(register, days));
    if let Some(signed) = &page.signed {
        let at = days.local(signed.at).format("%Y-%m-%d %H:%M");
        lines.push(format!("Signed by {} on {at}.", one_line(&signed.who)));
        if !signed.amendments.is_empty() {
            lines.push("Changed since it was signed:".to_owned());
        }
        lines.extend(amendments(&signed.amendments));
    }
    lines
}

fn not_final(note: &Note, local: Days) -> String {
    match note {
        Note::NobodySeen(days) => format!(
            "Nobody was seen on {}: an outage or a holiday? Not counted as absent.",
            listed(days)
        ),
        Note::Unreported(relay, days) => format!(
            "Relay '{}' has not reported since {}, and may hold flashes of {}. Not counted as absent.",
            one_line(&relay.relay),
            local.local(relay.since).format("%Y-%m-%d %H:%M"),
            listed(days)
        ),
    }
}

/// A line for each reason, with those for whom it is.
fn corrections(register: &Register, days: Days) -> Vec<String> {
    let mut grouped: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for row in &register.rows {
        for set in &row.corrections {
            let on = days.local(set.at).date_naive();
            let key = (set.day, set.mark, &*set.reason, &*set.who, on);
            grouped.entry(key).or_default().push(&row.name);
        }
    }
    let line =
        |((day, mark, reason, who, on), names): ((Day, Mark, &str, &str, Day), Vec<&str>)| {
            let (reason, who) = (one_line(reason), one_line(who));
            format!(
                "* {} {} {}: {reason} ({who}, {on})",
                short(day),
                mark.symbol(),
                names_of(&names)
            )
        };
    grouped.into_iter().map(line).collect()
}

fn amendments(all: &[Amendment]) -> Vec<String> {
    let mut grouped: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for amendment in all {
        let key = (
            amendment.day,
            amendment.was,
            amendment.is,
            &*amendment.cause,
        );
        grouped.entry(key).or_default().push(&amendment.name);
    }
    let line = |((day, was, is, cause), names): ((Day, Mark, Mark, &str), Vec<&str>)| {
        let (was, is) = [was, is].map(shown).into();
        format!(
            "- {} {}: {was}, now {is}: {}",
            short(day),
            names_of(&names),
            one_line(cause)
        )
    };
    grouped.into_iter().map(line).collect()
}

fn shown(mark: Mark) -> &'static str {
    match mark {
        Mark::Blank => "blank",
        mark => mark.symbol(),
    }
}

/// The first few names.
fn names_of(names: &[&str]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(NAMES)
        .map(|name| one_line(name))
        .collect();
    match names.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// As in `3, 5, 12–17 Feb`: three days in a row, or more, as one.
pub(crate) fn listed(days: &[Day]) -> String {
    let runs = days.chunk_by(|one, next| one.succ_opt() == Some(*next));
    let number = |day: &Day| day.format("%-d").to_string();
    let texts: Vec<_> = runs
        .flat_map(|run| match run {
            [first, _, .., last] => vec![format!("{}–{}", number(first), number(last))],
            few => few.iter().map(number).collect(),
        })
        .collect();
    let month = days.first().map(|day| day.format(" %b").to_string());
    texts.join(", ") + &month.unwrap_or_default()
}

/// As in `20 Feb`.
fn short(day: Day) -> String {
    day.format("%-d %b").to_string()
}
