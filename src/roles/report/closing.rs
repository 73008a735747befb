//! `twinkle report --month M --close` and `--reopen`: a month as it is signed.

use std::io::{self, Write};

use anyhow::Context;
use tracing::warn;

use crate::db::{Asked, Author, Closed, Error, Store};
use crate::domain::attendance::sheet::Sheet;
use crate::domain::attendance::{Note, Register, amendments};
use crate::domain::calendar::{Day, Days, Month, department_key};
use crate::domain::remark::Remark;
use crate::render::register::{Page, Signed, listed};
use crate::roles::report::register::Moment;

/// Keeps a month as it is signed.
pub(super) fn close(
    store: &mut Store,
    month: Month,
    moment: &Moment,
    sheet: &Sheet,
    author: &Author,
) -> anyhow::Result<()> {
    if moment.today <= month.last() {
        let last = month.last();
        return Err(Error::Conflict(format!("{month} is not over: its last day is {last}")).into());
    }
    let asked = Asked {
        times: true,
        ..Asked::default()
    };
    let register = moment.derive(store, month.first(), month.last(), asked)?;
    for note in &register.notes {
        let days = match note {
            Note::NobodySeen(days) | Note::Unreported(_, days) => days,
        };
        warn!("signed although not final: {}", listed(days));
    }
    store.close_month(&register, sheet, author)?;
    Ok(())
}

/// Gives up a month as it was signed.
pub(super) fn reopen(
    store: &mut Store,
    month: Month,
    reason: Option<&Remark>,
    author: &Author,
) -> anyhow::Result<()> {
    let reason = reason.context("no reason was given")?;
    store.reopen_month(month, reason, author)?;
    writeln!(io::stdout(), "{month} is open again")?;
    Ok(())
}

/// The page of a month that was signed, with what changed since, of the days from the first to the
/// last.
pub(super) fn page(
    store: &mut Store,
    closed: Closed,
    moment: &Moment,
    asked: Asked<'_>,
    (first, last): (Day, Day),
    days: Days,
) -> anyhow::Result<Page> {
    let Closed {
        mut register,
        sheet,
        who,
        at,
    } = closed;
    let month = register.month;
    keep(&mut register, asked);
    let asked = Asked {
        times: true,
        ..asked
    };
    let now = moment.derive(store, month.first(), month.last(), asked)?;
    let mut amendments = amendments(&register, at, &now, days);
    amendments.retain(|amendment| (first..=last).contains(&amendment.day));
    register.cut(first, last);
    Ok(Page {
        register,
        sheet,
        signed: Some(Signed {
            who,
            at,
            amendments,
        }),
    })
}

/// Keeps the lines that were asked for.
fn keep(register: &mut Register, asked: Asked<'_>) {
    if let Some(number) = asked.employee {
        register.rows.retain(|row| row.number == number);
    }
    if let Some(wanted) = asked.department.map(department_key) {
        let department = |name: &Option<String>| name.as_deref().map(department_key);
        register
            .rows
            .retain(|row| department(&row.department).as_ref() == Some(&wanted));
    }
}
