//! What a flash rests on, as found in the database: the same for one that is admitted and for one
//! that is only asked about.

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::db::day_rules::DayRules;
use crate::db::device::{self, KnownDoor};
use crate::db::statements::Statements;
use crate::db::values::to_millis;
use crate::db::{Result, Store, assignment};
use crate::domain::access::{self, Facts, Reason, Verdict};
use crate::domain::calendar::Day;
use crate::domain::ids::{DeviceName, EmployeeNumber, TwinkletId};
use crate::domain::spool::ClockFault;

/// When flashes are decided.
pub(super) struct Moment {
    /// UTC milliseconds.
    pub(super) millis: i64,
    /// The installation's day.
    day: Day,
    /// The time on the site's wall.
    wall: NaiveDateTime,
    pub(super) now: DateTime<Utc>,
    /// What is wrong with the clock that says so.
    pub(super) doubt: Option<ClockFault>,
}

impl Moment {
    pub(super) fn new(rules: &DayRules, now: DateTime<Utc>, doubt: Option<ClockFault>) -> Self {
        Self {
            millis: to_millis(now),
            day: rules.general.day_of(now),
            wall: rules.general.local(now).naive_local(),
            now,
            doubt,
        }
    }
}

/// All that a flash rests on.
pub(super) struct Gathered {
    /// The day for which it counts.
    pub(super) day: Day,
    /// Whose badge it is, or was last.
    pub(super) holder: Option<(EmployeeNumber, String)>,
    /// Whether the holder needs one-time codes, at whichever door.
    pub(super) has_code: bool,
    /// What is decided on.
    pub(super) facts: Facts,
}

/// Looks up all that a flash of that badge at that door, if it is known, rests on.
pub(super) fn gather(
    statements: &mut Statements<'_>,
    door: Option<KnownDoor>,
    twinklet: TwinkletId,
    rules: &DayRules,
    at: &Moment,
    in_time: bool,
) -> Result<Gathered> {
    // Most have the day of everybody, which all of a batch share.
    let day_of = |department: Option<&str>| {
        let own = rules.differing(department);
        own.map_or(at.day, |days| days.day_of(at.now))
    };
    let holder = assignment::holder(statements, twinklet, day_of, door.map(|door| door.id))?;
    let day = holder.as_ref().map_or(at.day, |holder| holder.day);
    let has_code = holder.as_ref().is_some_and(|holder| holder.has_code);
    let (holder, assignment) = holder.map(|h| ((h.employee, h.name), h.assignment)).unzip();
    let facts = Facts {
        door: door.map(|door| door.facts),
        assignment,
        today: day,
        wall: at.wall,
        in_time,
        code: None,
    };
    Ok(Gathered {
        day,
        holder,
        has_code,
        facts,
    })
}

impl Store {
    /// Decides, on the data of now, a flash of that badge without a code at that door and time, and
    /// stores nothing.
    ///
    /// # Errors
    /// Those of reading.
    pub fn try_flash(
        &self,
        door: &DeviceName,
        twinklet: TwinkletId,
        at: DateTime<Utc>,
    ) -> Result<Verdict> {
        let rules = DayRules::read(&self.connection)?;
        let at = Moment::new(&rules, at, None);
        let mut statements = Statements::new(&self.connection);
        let door = device::door(&mut statements, door)?;
        let Gathered {
            holder,
            has_code,
            mut facts,
            ..
        } = gather(&mut statements, door, twinklet, &rules, &at, true)?;
        let door_requires = facts.door.is_some_and(|door| door.requires_code);
        if holder.is_some() && (has_code || door_requires) {
            facts.code = Some(Reason::CodeMissing);
        }
        Ok(access::decide(&facts))
    }
}
