//! Changing what is known about an employee, each change written down with old and new values.

use rusqlite::Connection;

use crate::db::assignment::{self, Badge};
use crate::db::audit::{self, Author};
use crate::db::employee::{badges, find};
use crate::db::values::to_millis;
use crate::db::{Employee, Error, Result, Store};
use crate::domain::calendar::Day;
use crate::domain::hours::Hours;
use crate::domain::ids::{Department, EmployeeNumber, EmployeeRef, PersonName, TwinkletId};

/// An employee to be.
#[derive(Debug, Clone)]
pub struct NewEmployee {
    /// The name.
    pub name: PersonName,
    /// The badge.
    pub twinklet: TwinkletId,
    /// The first day of employment and of the badge.
    pub joined: Day,
    /// The department.
    pub department: Option<Department>,
    /// When the employee may enter; `None` for at any time.
    pub hours: Option<Hours>,
}

/// What is to be changed about an employee; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The name.
    pub name: Option<PersonName>,
    /// The department; `Some(None)` for none.
    pub department: Option<Option<Department>>,
    /// The first day of employment.
    pub joined: Option<Day>,
    /// The last day of employment; `Some(None)` for none.
    pub left: Option<Option<Day>>,
    /// Whether access is suspended.
    pub suspended: Option<bool>,
    /// Whether there is no line for the employee on the register.
    pub off_register: Option<bool>,
    /// When the employee may enter; `Some(None)` for at any time.
    pub hours: Option<Option<Hours>>,
    /// The first day of the badge.
    pub badge_from: Option<Day>,
    /// The last day of the badge; `Some(None)` for none.
    pub badge_until: Option<Option<Day>>,
}

/// One value that a change changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which: a short name, the same in the audit and in reports.
    pub field: &'static str,
    /// What it was; `None` for nothing.
    pub old: Option<String>,
    /// What it is now.
    pub new: Option<String>,
}

/// An employee after a change, and what the change was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The employee as of now.
    pub employee: Employee,
    /// What is different from before; nothing, if everything was so already.
    pub changes: Vec<Change>,
}

impl Store {
    /// Adds an employee with a badge.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the badge is somebody's; else those of writing.
    pub fn add_employee(&mut self, new: &NewEmployee, author: &Author) -> Result<EmployeeNumber> {
        self.write(|transaction| {
            let employee = Employee {
                department: new.department.as_ref().map(ToString::to_string),
                hours: new.hours.clone(),
                ..Employee::new(new.name.as_str(), new.joined)
            };
            let number = insert(transaction, &employee)?;
            assignment::give(
                transaction,
                number,
                &Badge::new(new.twinklet, new.joined, None),
            )?;
            let mut changes = values_of(&employee);
            changes.push(Change {
                field: "twinklet",
                old: None,
                new: Some(new.twinklet.to_string()),
            });
            audit::record(transaction, author, "add", number, "", &changes)?;
            Ok(number)
        })
    }

    /// Changes what is known about an employee, under that name in the audit.
    ///
    /// # Errors
    /// [`Error::NotFound`] if nobody is meant, with the near names; [`Error::Conflict`] if several
    /// may be, or if the change makes no sense; else those of writing.
    pub fn edit_employee(
        &mut self,
        whom: &EmployeeRef,
        edit: &Edit,
        action: &str,
        today: Day,
        author: &Author,
    ) -> Result<Changed> {
        self.write(|transaction| {
            let before = find(transaction, whom, today)?;
            let employee = edited(&before, edit, author);
            let (from, until) = (edit.badge_from, edit.badge_until);
            let mut changes = store(transaction, &before, &employee)?;
            changes.extend(badges::set_days(
                transaction,
                whom,
                &before,
                from,
                until,
                today,
                author,
            )?);
            if !changes.is_empty() {
                audit::record(transaction, author, action, employee.number, "", &changes)?;
            }
            Ok(Changed { employee, changes })
        })
    }
}

/// The employee as the edit leaves it.
fn edited(before: &Employee, edit: &Edit, author: &Author) -> Employee {
    let mut after = before.clone();
    let Edit {
        name,
        department,
        joined,
        left,
        suspended,
        off_register,
        hours,
        ..
    } = edit.clone();
    if let Some(name) = name {
        name.as_str().clone_into(&mut after.name);
    }
    if let Some(department) = department {
        after.department = department.map(|department| department.to_string());
    }
    after.joined = joined.unwrap_or(after.joined);
    after.left = left.unwrap_or(after.left);
    after.suspended = match suspended {
        // Since when stays as it was for one who is suspended already.
        Some(true) => after.suspended.or(Some(author.at)),
        Some(false) => None,
        None => after.suspended,
    };
    after.off_register = off_register.unwrap_or(after.off_register);
    after.hours = hours.unwrap_or(after.hours);
    after
}

/// Stores an employee's values where they differ from those before; returns what did.
fn store(connection: &Connection, before: &Employee, after: &Employee) -> Result<Vec<Change>> {
    let changes = differences(before, after);
    if changes.is_empty() {
        return Ok(changes);
    }
    if let Some(left) = after.left.filter(|&left| left < after.joined) {
        return Err(Error::Conflict(format!(
            "{} ({}) joined on {}: the last day cannot be {left}, before that",
            after.name, after.number, after.joined
        )));
    }
    update(connection, after)?;
    // Who stays longer keeps the badges longer; somebody else may have them by then.
    if after.left != before.left {
        assignment::check_overlaps(connection, after.number)?;
    }
    Ok(changes)
}

/// Adds an employee, under a number of its own if it has one; returns the number.
pub(in crate::db) fn insert(
    connection: &Connection,
    employee: &Employee,
) -> Result<EmployeeNumber> {
    let own = Some(employee.number).filter(|number| number.0 != 0);
    connection
        .prepare_cached(
            "INSERT INTO employee (number, name, department, joined, left_on, suspended,
                 off_register, hours)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            own,
            &employee.name,
            &employee.department,
            employee.joined,
            employee.left,
            employee.suspended.map(to_millis),
            employee.off_register,
            &employee.hours,
        ))?;
    Ok(EmployeeNumber(connection.last_insert_rowid()))
}

/// Stores an employee's values, but for badges and doors.
pub(in crate::db) fn update(connection: &Connection, employee: &Employee) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE employee SET name = ?2, department = ?3, joined = ?4, left_on = ?5,
                 suspended = ?6, off_register = ?7, hours = ?8
             WHERE number = ?1",
        )?
        .execute((
            employee.number,
            &employee.name,
            &employee.department,
            employee.joined,
            employee.left,
            employee.suspended.map(to_millis),
            employee.off_register,
            &employee.hours,
        ))?;
    Ok(())
}

/// What differs between two states of an employee, but for badges and doors.
pub(in crate::db) fn differences(before: &Employee, after: &Employee) -> Vec<Change> {
    let pairs = values(before).into_iter().zip(values(after));
    pairs
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| Change { field, old, new })
        .collect()
}

/// The values of a new employee, but for badges and doors, as a change from nothing.
pub(in crate::db) fn values_of(employee: &Employee) -> Vec<Change> {
    let set = values(employee)
        .into_iter()
        .filter(|(_, new)| new.is_some());
    set.map(|(field, new)| Change {
        field,
        old: None,
        new,
    })
    .collect()
}

/// What can be edited, by the names that the audit and reports use.
fn values(employee: &Employee) -> [(&'static str, Option<String>); 7] {
    let yes = |yes: bool| yes.then(|| "yes".to_owned());
    [
        ("name", Some(employee.name.clone())),
        ("department", employee.department.clone()),
        ("joined", Some(employee.joined.to_string())),
        ("left", employee.left.map(|day| day.to_string())),
        ("suspended", yes(employee.suspended.is_some())),
        ("off-register", yes(employee.off_register)),
        ("hours", employee.hours.as_ref().map(ToString::to_string)),
    ]
}
