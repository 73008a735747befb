//! Finding out what a file of employees changes: whom each line means, what differs, and what
//! contradicts. Pure: everybody as they are, and the lines, come in; a plan comes out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::db::{Badge, Employee, Everybody, Planned, no_door};
use crate::domain::calendar::Day;
use crate::domain::ids::{EmployeeNumber, TwinkletId};
use crate::roles::employee::import::file::{BadLine, Given, Numbered, Row};

/// Makes the plan: what is to be done, in the order of the lines, without those that change nothing.
///
/// # Errors
/// Every line that cannot be carried out.
pub(super) fn plan(
    rows: &[Row],
    everybody: &Everybody,
    today: Day,
    now: DateTime<Utc>,
) -> Result<Vec<Planned>, Vec<BadLine>> {
    let known = Known::new(everybody);
    let mut bad = Vec::new();
    let mut taken_lines: HashMap<EmployeeNumber, u64> = HashMap::new();
    let mut new_names: HashMap<String, u64> = HashMap::new();
    let mut all = Vec::new();
    for row in rows {
        let reason = match known.whom(row) {
            Err(reason) => reason,
            Ok(before) => {
                let before_line = match (before, row.number) {
                    (Some(before), _) => taken_lines.insert(before.number, row.line),
                    (None, Numbered::As(number)) => taken_lines.insert(number, row.line),
                    (None, Numbered::No) if row.badges().is_empty() => {
                        let name = row.name.as_ref().map(|name| name.as_str().to_lowercase());
                        new_names.insert(name.unwrap_or_default(), row.line)
                    }
                    (None, _) => None,
                };
                match before_line {
                    Some(line) => format!("line {line} is about the same employee"),
                    None => match planned(row, before, &known, today, now) {
                        Ok(planned) => {
                            all.push((row.line, planned));
                            continue;
                        }
                        Err(reason) => reason,
                    },
                }
            }
        };
        bad.push(BadLine {
            line: row.line,
            reason,
        });
    }
    bad.extend(overlaps(&all, everybody));
    if !bad.is_empty() {
        bad.sort();
        return Err(bad);
    }
    let changing = all.into_iter().map(|(_, planned)| planned);
    Ok(changing
        .filter(|planned| planned.before.is_none() || !planned.changes().is_empty())
        .collect())
}

impl Row {
    fn badges(&self) -> &[Given] {
        self.twinklets.as_deref().unwrap_or_default()
    }
}

/// Everybody, to be found by number and by name.
struct Known<'a> {
    everybody: &'a Everybody,
    by_number: HashMap<EmployeeNumber, &'a Employee>,
    by_name: HashMap<String, Vec<&'a Employee>>,
    /// Who lost which badge, or had it taken back, and when.
    revoked: HashMap<TwinkletId, Vec<(EmployeeNumber, Badge)>>,
}

impl<'a> Known<'a> {
    fn new(everybody: &'a Everybody) -> Self {
        let mut known = Self {
            everybody,
            by_number: HashMap::new(),
            by_name: HashMap::new(),
            revoked: HashMap::new(),
        };
        for employee in &everybody.employees {
            known.by_number.insert(employee.number, employee);
            let name = employee.name.to_lowercase();
            known.by_name.entry(name).or_default().push(employee);
        }
        for (&employee, badges) in &everybody.badges {
            for badge in badges.iter().filter(|badge| badge.revoked.is_some()) {
                let revoked = known.revoked.entry(badge.twinklet).or_default();
                revoked.push((employee, *badge));
            }
        }
        known
    }

    fn badges(&self, employee: EmployeeNumber) -> &'a [Badge] {
        self.everybody
            .badges
            .get(&employee)
            .map_or(&[], Vec::as_slice)
    }

    /// The employee that a line means; `None` for somebody new.
    fn whom(&self, row: &Row) -> Result<Option<&'a Employee>, String> {
        let name = match (row.number, &row.name) {
            (Numbered::As(number), name) => match (self.by_number.get(&number), name) {
                (Some(employee), _) => return Ok(Some(employee)),
                (None, Some(_)) => return Ok(None),
                (None, None) => return Err(format!("no employee has number {}", number.0)),
            },
            (Numbered::New, Some(_)) => return Ok(None),
            (Numbered::No, Some(name)) => name,
            (_, None) => return Err("neither a number nor a name is given".to_owned()),
        };
        let same = self.by_name.get(&name.as_str().to_lowercase());
        let same = same.map_or(&[][..], Vec::as_slice);
        let has_one = |employee: &&&Employee| {
            let held = self.badges(employee.number);
            let held = |given: &Given| held.iter().any(|badge| badge.twinklet == given.twinklet);
            row.badges().iter().any(held)
        };
        let meant: Vec<_> = match row.badges().is_empty() {
            true => same.iter().collect(),
            false => same.iter().filter(has_one).collect(),
        };
        match (meant.as_slice(), same) {
            ([employee], _) => Ok(Some(employee)),
            ([], []) => Ok(None),
            _ => {
                let numbers: Vec<_> = same.iter().map(|e| e.number.to_string()).collect();
                Err(format!(
                    "'{name}' may be {}; write that into the column 'number', or 'new' for \
                     somebody else of that name",
                    numbers.join(" or ")
                ))
            }
        }
    }
}

/// What a line makes of an employee.
fn planned(
    row: &Row,
    before: Option<&Employee>,
    known: &Known<'_>,
    today: Day,
    now: DateTime<Utc>,
) -> Result<Planned, String> {
    let mut after = match (before, &row.name) {
        (Some(before), _) => before.clone(),
        (None, Some(name)) => Employee::new(name.as_str(), row.joined.unwrap_or(today)),
        (None, None) => return Err("a new employee needs a name".to_owned()),
    };
    if let (None, Numbered::As(number)) = (before, row.number) {
        after.number = number;
    }
    // Whoever is found by name keeps the spelling, which may differ in case.
    if let (Numbered::As(_), Some(name)) = (row.number, &row.name) {
        name.as_str().clone_into(&mut after.name);
    }
    after.joined = row.joined.unwrap_or(after.joined);
    after.left = row.left.unwrap_or(after.left);
    if let Some(department) = &row.department {
        after.department = department.as_ref().map(ToString::to_string);
    }
    if let Some(hours) = &row.hours {
        after.hours.clone_from(hours);
    }
    if let Some(doors) = &row.doors {
        after.doors = doors
            .as_ref()
            .map(|doors| known_doors(doors, known))
            .transpose()?;
    }
    after.off_register = row.off_register.unwrap_or(after.off_register);
    after.suspended = match row.suspended {
        Some(true) => after.suspended.or(Some(now)),
        Some(false) => None,
        None => after.suspended,
    };
    if let Some(left) = after.left.filter(|&left| left < after.joined) {
        let joined = after.joined;
        return Err(format!("the last day {left} is before the first, {joined}"));
    }
    let mut planned = Planned {
        before: before.cloned(),
        after,
        given: Vec::new(),
        taken: Vec::new(),
        moved: Vec::new(),
    };
    if let Some(wanted) = &row.twinklets {
        hand_out(wanted, &mut planned, known, today)?;
    }
    Ok(planned)
}

/// Makes the badges of a line those that the employee has.
fn hand_out(
    wanted: &[Given],
    planned: &mut Planned,
    known: &Known<'_>,
    today: Day,
) -> Result<(), String> {
    let number = planned.before.as_ref().map(|before| before.number);
    let all = number.map_or(&[][..], |number| known.badges(number));
    let held = all
        .iter()
        .filter(|b| b.revoked.is_none() && !b.is_over(today));
    let held: Vec<_> = held.copied().collect();
    let is_so = |badge: &Badge, given: &Given| {
        given.twinklet == badge.twinklet
            && given
                .days
                .is_none_or(|days| days == (badge.from, badge.until))
    };
    // Around the days on which it is lent a badge is held twice.
    let mut others: Vec<_> = held
        .iter()
        .filter(|badge| !wanted.iter().any(|given| is_so(badge, given)))
        .collect();
    for given in wanted {
        let twinklet = given.twinklet;
        if held.iter().any(|badge| is_so(badge, given)) {
            continue;
        }
        if let Some((from, until)) = given.days
            && let Some(at) = others.iter().position(|old| old.twinklet == twinklet)
        {
            let old = others.remove(at);
            planned.moved.push((*old, old.with_days(from, until)));
            continue;
        }
        // A file that was written before the badge was lost must not bring it back to life.
        for (owner, badge) in known.revoked.get(&twinklet).into_iter().flatten() {
            if badge.is_lost(today) {
                return Err(format!(
                    "twinklet {twinklet} is lost; 'twinkle employee found --twinklet {twinklet}' \
                     takes that back"
                ));
            }
            if Some(*owner) == number {
                return Err(format!(
                    "twinklet {twinklet} was taken back from {} ({owner}); \
                     'twinkle employee replace {owner} --with {twinklet}' gives it again",
                    planned.after.name
                ));
            }
        }
        let usual = match planned.before {
            Some(_) => today,
            None => planned.after.joined,
        };
        let (from, until) = given.days.unwrap_or((usual, None));
        planned.given.push(Badge::new(twinklet, from, until));
    }
    let kept = |badge: &Badge| wanted.iter().any(|given| given.twinklet == badge.twinklet);
    planned.taken = held.into_iter().filter(|badge| !kept(badge)).collect();
    Ok(())
}

fn known_doors(names: &[String], known: &Known<'_>) -> Result<Vec<String>, String> {
    let doors = &known.everybody.doors;
    let mut found = names.to_vec();
    found.sort();
    found.dedup();
    match found.iter().find(|name| !doors.contains(name)) {
        Some(name) => Err(no_door(name, doors)),
        None => Ok(found),
    }
}

/// A badge in somebody's hands once the plan is carried out.
struct Holding<'a> {
    from: Day,
    until: Option<Day>,
    who: &'a str,
    /// The line that says so; `None` if it is so already.
    line: Option<u64>,
}

/// The lines after which a badge would be two people's on the same day.
fn overlaps(all: &[(u64, Planned)], everybody: &Everybody) -> Vec<BadLine> {
    let mut bad = Vec::new();
    for (twinklet, mut holdings) in holdings(all, everybody) {
        holdings.sort_by_key(|holding| holding.from);
        for pair in holdings.windows(2) {
            let [first, second] = pair else { continue };
            if first.until.is_some_and(|until| until < second.from) {
                continue;
            }
            // Of two lines the later is wrong; what is so already is right.
            let (line, other) = match first.line > second.line {
                true => (first.line, second),
                false => (second.line, first),
            };
            let (who, since) = (other.who, other.from);
            let reason = format!("twinklet {twinklet} belongs to {who} since {since}");
            bad.extend(line.map(|line| BadLine { line, reason }));
        }
    }
    bad
}

/// All badges in somebody's hands once the plan is carried out.
fn holdings<'a>(
    all: &'a [(u64, Planned)],
    everybody: &'a Everybody,
) -> HashMap<TwinkletId, Vec<Holding<'a>>> {
    let mut holdings: HashMap<_, Vec<_>> = HashMap::new();
    let mut add = |badge: &Badge, employee: &'a Employee, line: Option<u64>| {
        let until = [badge.until, employee.left].into_iter().flatten().min();
        if badge.revoked.is_none() && until.is_none_or(|until| badge.from <= until) {
            let holding = Holding {
                from: badge.from,
                until,
                who: &employee.name,
                line,
            };
            holdings.entry(badge.twinklet).or_default().push(holding);
        }
    };
    let number = |planned: &Planned| planned.before.as_ref().map(|before| before.number);
    let by_number: HashMap<_, _> = all
        .iter()
        .filter_map(|(line, planned)| Some((number(planned)?, (*line, planned))))
        .collect();
    for employee in &everybody.employees {
        for badge in everybody.badges.get(&employee.number).into_iter().flatten() {
            match by_number.get(&employee.number) {
                None => add(badge, employee, None),
                Some((_, planned)) if planned.taken.contains(badge) => (),
                Some((line, planned)) => {
                    let moved = planned.moved.iter().find(|(old, _)| old == badge);
                    let stays = moved.is_none() && planned.after.left == employee.left;
                    let badge = moved.map_or(badge, |(_, new)| new);
                    add(badge, &planned.after, (!stays).then_some(*line));
                }
            }
        }
    }
    for (line, planned) in all {
        let given = planned.given.iter();
        given.for_each(|badge| add(badge, &planned.after, Some(*line)));
    }
    holdings
}
