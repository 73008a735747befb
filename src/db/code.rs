//! One-time codes: who needs one, the sealed seeds, the steps that are used, and the badges that
//! wrong codes have locked.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use tracing::error;

use crate::db::audit::{self, Author};
use crate::db::seal::SealingKey;
use crate::db::statements::Statements;
use crate::db::trial::Moment;
use crate::db::values::{from_millis, to_millis};
use crate::db::{Employee, FlashEntry, Result, Store, employee};
use crate::domain::access::Reason;
use crate::domain::calendar::Day;
use crate::domain::ids::{DeviceName, EmployeeNumber, EmployeeRef, TwinkletId};
use crate::domain::otp::{self, Algorithm, Finding, Generator};

/// A clock that stands before this, 2026-01-01 in UTC milliseconds, was never set: what codes are
/// right now, nobody knows.
const CLOCK_SET_FROM: i64 = 1_767_225_600_000;

/// What a flash's one-time code is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// None is needed.
    NotNeeded,
    /// It is right, and uses this step of the employee's up.
    Right(EmployeeNumber, i64),
    /// It is wrong: one more guess at this badge.
    Guess(TwinkletId),
    /// This speaks against it, or against looking at it.
    Objection(Reason),
}

impl Proof {
    /// What speaks against opening.
    pub(super) fn objection(self) -> Option<Reason> {
        match self {
            Proof::NotNeeded | Proof::Right(..) => None,
            Proof::Guess(_) => Some(Reason::CodeWrong),
            Proof::Objection(reason) => Some(reason),
        }
    }
}

/// Looks at a flash's code, which its employee needs everywhere if there is a seed, and else at some
/// doors. Writes nothing: see [`settle`].
pub(super) fn examine(
    statements: &mut Statements<'_>,
    key: impl FnOnce() -> Result<SealingKey>,
    flash: &FlashEntry,
    (employee, has_code): (EmployeeNumber, bool),
    door_requires: bool,
    at: &Moment,
) -> Result<Proof> {
    let row = match has_code {
        true => find(statements, employee)?,
        false => None,
    };
    let Some(row) = row else {
        return Ok(match door_requires {
            true => Proof::Objection(Reason::CodeMissing),
            false => Proof::NotNeeded,
        });
    };
    let Some(code) = &flash.code else {
        return Ok(Proof::Objection(Reason::CodeMissing));
    };
    if is_locked(statements.connection(), flash.twinklet, at.millis)? {
        return Ok(Proof::Objection(Reason::TooManyGuesses));
    }
    if at.doubt.is_some() || at.millis < CLOCK_SET_FROM {
        return Ok(Proof::Objection(Reason::ClockUnset));
    }
    let generator = match key().and_then(|key| row.unseal(&key)) {
        Ok(generator) => generator,
        Err(cause) => {
            error!("the one-time codes of employee {employee} cannot be checked: {cause}");
            return Ok(Proof::Objection(Reason::StorageFailed));
        }
    };
    Ok(match generator.judge(code, at.millis, row.last_step) {
        Finding::Right(step) => Proof::Right(employee, step),
        Finding::Reused => Proof::Objection(Reason::CodeReused),
        Finding::Wrong => Proof::Guess(flash.twinklet),
    })
}

/// Writes down what a code used up, once its flash is stored: in the same transaction, so that no
/// step is ever taken twice.
pub(super) fn settle(
    connection: &Connection,
    proof: Proof,
    twinklet: TwinkletId,
    now: i64,
) -> Result<()> {
    match proof {
        Proof::NotNeeded | Proof::Objection(_) => (),
        Proof::Right(employee, step) => {
            connection
                .prepare_cached("UPDATE code SET last_step = ?2 WHERE employee = ?1")?
                .execute((employee, step))?;
            unlock(connection, twinklet)?;
        }
        Proof::Guess(twinklet) => {
            let wrong: u32 = connection
                .prepare_cached(
                    "INSERT INTO code_lock (twinklet, wrong, until) VALUES (?1, 1, 0)
                     ON CONFLICT (twinklet) DO UPDATE SET wrong = wrong + 1 RETURNING wrong",
                )?
                .query_row([twinklet], |row| row.get(0))?;
            let until = now + otp::lock_after(wrong).num_milliseconds();
            connection
                .prepare_cached("UPDATE code_lock SET until = ?2 WHERE twinklet = ?1")?
                .execute((twinklet, until))?;
        }
    }
    Ok(())
}

fn unlock(connection: &Connection, twinklet: TwinkletId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM code_lock WHERE twinklet = ?1")?
        .execute([twinklet])?;
    Ok(())
}

/// Whether wrong codes have locked the badge. A lock longer than any we make is that of a clock
/// which was ahead.
fn is_locked(connection: &Connection, twinklet: TwinkletId, now: i64) -> Result<bool> {
    let mut select =
        connection.prepare_cached("SELECT until FROM code_lock WHERE twinklet = ?1")?;
    let until: Option<i64> = select.query_row([twinklet], |row| row.get(0)).optional()?;
    let left = until.unwrap_or_default().saturating_sub(now);
    Ok((1..=otp::lock_after(u32::MAX).num_milliseconds()).contains(&left))
}

/// A row of the table.
struct Row {
    employee: EmployeeNumber,
    sealed: Vec<u8>,
    algorithm: Algorithm,
    digits: u8,
    last_step: i64,
}

impl Row {
    fn unseal(&self, key: &SealingKey) -> Result<Generator> {
        let context = context(self.employee, self.algorithm, self.digits);
        Ok(Generator {
            seed: key.unseal(&self.sealed, &context)?,
            algorithm: self.algorithm,
            digits: self.digits,
        })
    }
}

/// What a seed is sealed together with, so that it is of no use in another's row.
fn context(employee: EmployeeNumber, algorithm: Algorithm, digits: u8) -> Vec<u8> {
    format!("{employee} {} {digits}", algorithm.name()).into_bytes()
}

fn find(statements: &mut Statements<'_>, employee: EmployeeNumber) -> Result<Option<Row>> {
    let select = statements
        .get("SELECT sealed, algorithm, digits, last_step FROM code WHERE employee = ?1")?;
    let row = select.query_row([employee], |row| {
        let algorithm: String = row.get(1)?;
        Ok(Row {
            employee,
            sealed: row.get(0)?,
            algorithm: Algorithm::from_name(&algorithm).unwrap_or_default(),
            digits: row.get(2)?,
            last_step: row.get(3)?,
        })
    });
    Ok(row.optional()?)
}

/// Forgets an employee's seed. Returns whether there was one.
pub(super) fn forget(connection: &Connection, employee: EmployeeNumber) -> Result<bool> {
    let deleted = connection.execute("DELETE FROM code WHERE employee = ?1", [employee])?;
    Ok(deleted > 0)
}

impl Store {
    /// Since when an employee needs codes; `None` for one who needs none.
    ///
    /// # Errors
    /// Those of reading.
    pub fn code_since(&self, employee: EmployeeNumber) -> Result<Option<DateTime<Utc>>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT since FROM code WHERE employee = ?1")?;
        let since = select.query_row([employee], |row| row.get(0)).optional()?;
        Ok(since.map(from_millis))
    }

    /// Gives an employee a new seed: from now on that employee needs codes that come from it, and
    /// those of an earlier one are void. The seed is in what is returned, and cannot be had again.
    ///
    /// # Errors
    /// As [`Store::employee`]; those of the sealing key's file; those of writing.
    pub fn enable_code(
        &mut self,
        whom: &EmployeeRef,
        algorithm: Algorithm,
        digits: u8,
        today: Day,
        author: &Author,
    ) -> Result<(Employee, Generator)> {
        let path = self.path().to_owned();
        self.write(|transaction| {
            let employee = employee::find(transaction, whom, today)?;
            let none_yet: bool =
                transaction.query_row("SELECT NOT EXISTS (SELECT 1 FROM code)", [], |row| {
                    row.get(0)
                })?;
            let key = match none_yet {
                true => SealingKey::read_or_make(&path)?,
                false => SealingKey::read(&path)?,
            };
            let generator = Generator {
                seed: SealingKey::new_seed()?,
                algorithm,
                digits,
            };
            let context = context(employee.number, algorithm, digits);
            let sealed = key.seal(&generator.seed, &context)?;
            transaction.execute(
                "INSERT INTO code (employee, sealed, algorithm, digits, last_step, since)
                 VALUES (?1, ?2, ?3, ?4, 0, ?5)
                 ON CONFLICT (employee) DO UPDATE SET sealed = excluded.sealed,
                     algorithm = excluded.algorithm, digits = excluded.digits, last_step = 0,
                     since = excluded.since",
                (
                    employee.number,
                    sealed,
                    algorithm.name(),
                    digits,
                    to_millis(author.at),
                ),
            )?;
            for twinklet in &employee.twinklets {
                unlock(transaction, *twinklet)?;
            }
            audit::record(transaction, author, "enable code", employee.number, "", &[])?;
            Ok((employee, generator))
        })
    }

    /// Lets an employee in without codes again, and forgets the seed. Returns whether there was one.
    ///
    /// # Errors
    /// As [`Store::employee`]; those of writing.
    pub fn disable_code(
        &mut self,
        whom: &EmployeeRef,
        today: Day,
        author: &Author,
    ) -> Result<(Employee, bool)> {
        self.write(|transaction| {
            let employee = employee::find(transaction, whom, today)?;
            let had = forget(transaction, employee.number)?;
            if had {
                audit::record(
                    transaction,
                    author,
                    "disable code",
                    employee.number,
                    "",
                    &[],
                )?;
            }
            Ok((employee, had))
        })
    }

    /// Has everybody need a code at a door, or only those who do everywhere. Returns whether that
    /// changed anything.
    ///
    /// # Errors
    /// As [`Store::door`]; those of writing.
    pub fn require_code(
        &mut self,
        door: &DeviceName,
        required: bool,
        author: &Author,
    ) -> Result<bool> {
        self.door(door.as_str())?;
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE door SET requires_code = ?2 WHERE name = ?1 AND requires_code <> ?2",
                (door, required),
            )?;
            if changed > 0 {
                let action = if required {
                    "require code"
                } else {
                    "require no code"
                };
                audit::record(
                    transaction,
                    author,
                    action,
                    None::<EmployeeNumber>,
                    door.as_str(),
                    &[],
                )?;
            }
            Ok(changed > 0)
        })
    }
}
