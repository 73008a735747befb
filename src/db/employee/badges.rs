//! Badges that change hands: replaced, lost and found, lent.

use rusqlite::Connection;

use crate::db::assignment::{self, Badge};
use crate::db::audit::{self, Author};
use crate::db::employee::{Change, Changed, find};
use crate::db::{Employee, Error, Result, Store};
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, EmployeeRef, TwinkletId};

impl Store {
    /// All badges that an employee has, had or will have, in the order of their first days.
    ///
    /// # Errors
    /// Those of reading.
    pub fn badges(&self, employee: EmployeeNumber) -> Result<Vec<Badge>> {
        assignment::of_employee(&self.connection, employee)
    }

    /// Takes an employee's badge back and gives another from today on, for as long as that one
    /// would have been held. Who had none just gets it.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Conflict`]: nobody is meant, or several may be; which badge
    /// is not clear; the new one is somebody's. Else those of writing.
    pub fn replace_badge(
        &mut self,
        whom: &EmployeeRef,
        with: TwinkletId,
        today: Day,
        author: &Author,
    ) -> Result<Changed> {
        self.write(|transaction| {
            let employee = find(transaction, whom, today)?;
            still_here(&employee, today)?;
            let old = in_question(transaction, whom, &employee, today)?;
            if let Some(old) = &old {
                if old.twinklet == with && old.revoked.is_none() {
                    return unchanged(employee);
                }
                assignment::take_back(transaction, old, today, author)?;
            }
            let until = old.and_then(|old| old.until);
            assignment::give(
                transaction,
                employee.number,
                &Badge::new(with, today, until),
            )?;
            let change = Change {
                field: "twinklet",
                old: old.map(|old| old.twinklet.to_string()),
                new: Some(with.to_string()),
            };
            changed(
                transaction,
                &employee,
                "replace",
                vec![change],
                today,
                author,
            )
        })
    }

    /// Notes that a badge is lost: it opens nothing from now on, also for whoever is to have it
    /// later.
    ///
    /// # Errors
    /// As [`Self::replace_badge`].
    pub fn lose_badge(
        &mut self,
        whom: &EmployeeRef,
        today: Day,
        author: &Author,
    ) -> Result<(Changed, TwinkletId)> {
        self.write(|transaction| {
            let employee = find(transaction, whom, today)?;
            let Some(badge) = in_question(transaction, whom, &employee, today)? else {
                return Err(no_badge(&employee));
            };
            let twinklet = badge.twinklet;
            let mut lost = false;
            for (_, badge) in assignment::of_twinklet(transaction, twinklet)? {
                if badge.revoked.is_none() && !badge.is_over(today) {
                    assignment::set_revoked(transaction, badge.id, Some(author.at))?;
                    lost = true;
                }
            }
            let change = Change {
                field: "twinklet",
                old: Some(twinklet.to_string()),
                new: None,
            };
            let changes = lost.then_some(change).into_iter().collect();
            let changed = changed(transaction, &employee, "lost", changes, today, author)?;
            Ok((changed, twinklet))
        })
    }

    /// Notes that a lost badge is there again, and opens as before.
    ///
    /// # Errors
    /// As [`Self::replace_badge`]; also if somebody else has got it meanwhile.
    pub fn find_badge(
        &mut self,
        whom: &EmployeeRef,
        today: Day,
        author: &Author,
    ) -> Result<(Changed, TwinkletId)> {
        self.write(|transaction| {
            let employee = find(transaction, whom, today)?;
            let badges = assignment::of_employee(transaction, employee.number)?;
            let lost: Vec<_> = badges.into_iter().filter(|b| b.is_lost(today)).collect();
            let Some(badge) = one_of(whom, &employee, &lost)? else {
                return Err(Error::NotFound(match whom {
                    EmployeeRef::Twinklet(twinklet) => format!("twinklet {twinklet} is not lost"),
                    _ => format!("{} ({}) has lost no badge", employee.name, employee.number),
                }));
            };
            let twinklet = badge.twinklet;
            for (employee, badge) in assignment::of_twinklet(transaction, twinklet)? {
                if badge.is_lost(today) {
                    assignment::set_revoked(transaction, badge.id, None)?;
                    assignment::check_overlaps(transaction, employee)?;
                }
            }
            let change = Change {
                field: "twinklet",
                old: None,
                new: Some(twinklet.to_string()),
            };
            let changed = changed(transaction, &employee, "found", vec![change], today, author)?;
            Ok((changed, twinklet))
        })
    }

    /// Lends a badge to an employee for some days. Whoever has it all that time otherwise gets it
    /// back after them, and is returned.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Conflict`]: nobody is meant, or several may be; somebody has
    /// the badge for a part of those days, or the employee has it already. Else those of writing.
    pub fn lend_badge(
        &mut self,
        whom: &EmployeeRef,
        badge: &Badge,
        today: Day,
        author: &Author,
    ) -> Result<(Changed, Option<Employee>)> {
        self.write(|transaction| {
            let employee = find(transaction, whom, today)?;
            still_here(&employee, badge.from)?;
            let mut owner = None;
            for (number, held) in assignment::of_twinklet(transaction, badge.twinklet)? {
                let all_the_time = held.revoked.is_none()
                    && held.from <= badge.from
                    && held
                        .until
                        .is_none_or(|last| badge.until.is_some_and(|day| day <= last));
                let other = find(transaction, &EmployeeRef::Number(number), today)?;
                let gone = other.left.is_some_and(|left| left < badge.from);
                if !all_the_time || gone || number == employee.number {
                    continue;
                }
                let around = interrupt(transaction, number, &held, badge)?;
                let change = Change {
                    field: "twinklet",
                    old: Some(held.to_string()),
                    new: around,
                };
                audit::record(transaction, author, "lend", number, "", &[change])?;
                owner = Some(other);
            }
            assignment::give(transaction, employee.number, badge)?;
            let change = Change {
                field: "twinklet",
                old: None,
                new: Some(badge.to_string()),
            };
            let changed = changed(transaction, &employee, "lend", vec![change], today, author)?;
            Ok((changed, owner))
        })
    }
}

/// Changes the first or the last day of an employee's badge; what is `None` stays as it is.
pub(super) fn set_days(
    connection: &Connection,
    whom: &EmployeeRef,
    employee: &Employee,
    from: Option<Day>,
    until: Option<Option<Day>>,
    today: Day,
    author: &Author,
) -> Result<Option<Change>> {
    if from.is_none() && until.is_none() {
        return Ok(None);
    }
    let badges = assignment::of_employee(connection, employee.number)?;
    let held: Vec<_> = badges.into_iter().filter(|b| b.revoked.is_none()).collect();
    let now: Vec<_> = held.iter().filter(|b| !b.is_over(today)).copied().collect();
    // One whose last day is over may be given more days.
    let held = if now.is_empty() { held } else { now };
    let Some(old) = one_of(whom, employee, &held)? else {
        return Err(no_badge(employee));
    };
    let new = Badge {
        from: from.unwrap_or(old.from),
        until: until.unwrap_or(old.until),
        ..old
    };
    new.check()?;
    assignment::set_days(connection, new.id, new.from, new.until)?;
    if let (Some(last), Some(was)) = (new.until, old.until)
        && last < was
    {
        give_back(connection, employee.number, &old, last, author)?;
    }
    assignment::check_overlaps(connection, employee.number)?;
    let change = Change {
        field: "twinklet",
        old: Some(old.to_string()),
        new: Some(new.to_string()),
    };
    Ok((new != old).then_some(change))
}

/// A loan ends sooner, on that day: whoever had the badge until just before it, and is to have it
/// after it, has it from the day that follows.
fn give_back(
    connection: &Connection,
    borrower: EmployeeNumber,
    loan: &Badge,
    last: Day,
    author: &Author,
) -> Result<()> {
    let others = assignment::of_twinklet(connection, loan.twinklet)?;
    let others = || others.iter().filter(|(number, _)| *number != borrower);
    let (before, after) = (
        loan.from.pred_opt(),
        loan.until.and_then(|day| day.succ_opt()),
    );
    let had_it = |number| others().any(|(other, held)| *other == number && held.until == before);
    let owner = others().find(|(number, held)| {
        held.revoked.is_none() && Some(held.from) == after && had_it(*number)
    });
    let (Some((number, held)), Some(from)) = (owner, last.succ_opt()) else {
        return Ok(());
    };
    let again = held.with_days(from, held.until);
    assignment::set_days(connection, held.id, again.from, again.until)?;
    let change = Change {
        field: "twinklet",
        old: Some(held.to_string()),
        new: Some(again.to_string()),
    };
    audit::record(connection, author, "edit", *number, "", &[change])
}

/// Takes the days of a loan out of the assignment around them; returns what is left of that.
fn interrupt(
    connection: &Connection,
    owner: EmployeeNumber,
    held: &Badge,
    loan: &Badge,
) -> Result<Option<String>> {
    let before = loan.from.pred_opt().filter(|&day| day >= held.from);
    let after = loan.until.and_then(|until| until.succ_opt());
    let after = after.filter(|&day| held.until.is_none_or(|until| day <= until));
    let before = before.map(|until| Badge {
        until: Some(until),
        ..*held
    });
    let after = after.map(|from| Badge { from, ..*held });
    match (&before, &after) {
        (Some(before), _) => assignment::set_days(connection, held.id, before.from, before.until)?,
        (None, Some(after)) => assignment::set_days(connection, held.id, after.from, after.until)?,
        (None, None) => {
            return Err(Error::Conflict(format!(
                "employee {owner} has twinklet {held} for just that time; lend another one"
            )));
        }
    }
    if let (Some(_), Some(after)) = (&before, &after) {
        assignment::insert(connection, owner, after)?;
    }
    let parts: Vec<_> = [before, after]
        .iter()
        .flatten()
        .map(Badge::to_string)
        .collect();
    Ok(Some(parts.join(", ")))
}

/// The badge that is to be replaced or is lost: one that is held, else one that was lost.
fn in_question(
    connection: &Connection,
    whom: &EmployeeRef,
    employee: &Employee,
    today: Day,
) -> Result<Option<Badge>> {
    let mut badges = assignment::of_employee(connection, employee.number)?;
    badges.retain(|badge| match badge.revoked {
        Some(_) => badge.is_lost(today),
        None => !badge.is_over(today),
    });
    if !matches!(whom, EmployeeRef::Twinklet(_)) && badges.iter().any(|b| b.revoked.is_none()) {
        badges.retain(|badge| badge.revoked.is_none());
    }
    one_of(whom, employee, &badges)
}

/// The one badge that is meant: the one that names the employee, or the only one.
fn one_of(whom: &EmployeeRef, employee: &Employee, badges: &[Badge]) -> Result<Option<Badge>> {
    if let EmployeeRef::Twinklet(twinklet) = whom {
        return Ok(badges
            .iter()
            .find(|badge| badge.twinklet == *twinklet)
            .copied());
    }
    match badges {
        [] => Ok(None),
        [badge] => Ok(Some(*badge)),
        several => {
            let ids: Vec<_> = several
                .iter()
                .map(|badge| badge.twinklet.to_string())
                .collect();
            Err(Error::Conflict(format!(
                "{} ({}) has twinklets {}; say which with --twinklet ID instead of the name",
                employee.name,
                employee.number,
                ids.join(" and ")
            )))
        }
    }
}

fn no_badge(employee: &Employee) -> Error {
    Error::NotFound(format!(
        "{} ({number}) has no badge; 'twinkle employee replace {number} --with ID' gives one",
        employee.name,
        number = employee.number
    ))
}

fn still_here(employee: &Employee, day: Day) -> Result<()> {
    match employee.left.filter(|&left| left < day) {
        Some(left) => Err(Error::Conflict(format!(
            "{} ({number}) left on {left}; 'twinkle employee depart {number} --undo' takes that back",
            employee.name,
            number = employee.number
        ))),
        None => Ok(()),
    }
}

fn unchanged(employee: Employee) -> Result<Changed> {
    let changes = Vec::new();
    Ok(Changed { employee, changes })
}

/// Writes a change down, and returns it with the employee as of now.
fn changed(
    connection: &Connection,
    employee: &Employee,
    action: &str,
    changes: Vec<Change>,
    today: Day,
    author: &Author,
) -> Result<Changed> {
    if !changes.is_empty() {
        audit::record(connection, author, action, employee.number, "", &changes)?;
    }
    let employee = find(connection, &EmployeeRef::Number(employee.number), today)?;
    Ok(Changed { employee, changes })
}
