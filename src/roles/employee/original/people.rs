//! Finding out who the people of the old files are, and which badge was whose when. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::db::{Badge, Employee, Mover};
use crate::domain::calendar::Day;
use crate::domain::ids::{PersonName, TwinkletId};
use crate::roles::employee::original::files::Found;

/// The people of the old files.
#[derive(Debug, Default)]
pub(super) struct People {
    /// In the order in which the files name them.
    pub(super) movers: Vec<Mover>,
    /// Where in `movers` each name is, in lower case.
    by_name: HashMap<String, usize>,
    /// What else is to be said.
    pub(super) notes: Vec<String>,
}

/// How the user wants names to be read: another name, or the number of an employee.
pub(super) type Renamed = HashMap<String, String>;

/// Finds the people. `today_at` is when badges that are on no list come in revoked.
///
/// # Errors
/// If a name may be several employees', with what to say.
pub(super) fn gather(
    found: &Found,
    employees: &[Employee],
    renamed: &Renamed,
    joined: Option<Day>,
    now: DateTime<Utc>,
) -> Result<People, String> {
    let mut people = People::default();
    let mut seen: BTreeMap<TwinkletId, Vec<(Day, usize)>> = BTreeMap::new();
    for row in &found.sheet_rows {
        let at = people.meet(&row.name, renamed, employees)?;
        let mut days: Vec<_> = row.marks.iter().map(|(day, _)| *day).collect();
        if days.is_empty() {
            days.push(row.month.first());
        }
        for day in days {
            people.saw(at, day);
            seen.entry(row.twinklet).or_default().push((day, at));
        }
    }
    for flash in &found.flashes {
        let at = people.meet(&flash.name, renamed, employees)?;
        let day = flash.wall.date();
        people.saw(at, day);
        seen.entry(flash.twinklet).or_default().push((day, at));
    }
    for (twinklet, mut days) in seen {
        days.sort_by_key(|(day, _)| *day);
        let on_list = found
            .listed
            .as_ref()
            .is_some_and(|listed| listed.contains(&twinklet));
        people.hand_out(twinklet, &days, (!on_list).then_some(now));
    }
    if let Some(joined) = joined {
        people
            .movers
            .iter_mut()
            .for_each(|mover| mover.joined = joined);
    }
    people.remark(found);
    Ok(people)
}

impl People {
    /// Where a name's person is.
    pub(super) fn of(&self, name: &PersonName, renamed: &Renamed) -> Option<usize> {
        self.by_name
            .get(&wanted(name, renamed).to_lowercase())
            .copied()
    }

    fn meet(
        &mut self,
        name: &PersonName,
        renamed: &Renamed,
        employees: &[Employee],
    ) -> Result<usize, String> {
        let name = wanted(name, renamed);
        let key = name.to_lowercase();
        if let Some(&at) = self.by_name.get(&key) {
            // Of several spellings, one with capitals.
            if let Some(mover) = self.movers.get_mut(at)
                && mover.name == key
            {
                mover.name = name;
            }
            return Ok(at);
        }
        let by_number = |employee: &&Employee| employee.number.to_string() == key;
        let same: Vec<_> = match employees.iter().find(by_number) {
            Some(employee) => vec![employee],
            None => employees
                .iter()
                .filter(|e| e.name.to_lowercase() == key)
                .collect(),
        };
        let known = match same.as_slice() {
            [] if key.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(format!("no employee has number {name}"));
            }
            [] => None,
            [employee] => Some(*employee),
            several => {
                let numbers: Vec<_> = several.iter().map(|e| e.number.to_string()).collect();
                return Err(format!(
                    "'{name}' may be {}; say which with --map '{name}={}'",
                    numbers.join(" or "),
                    numbers.first().map_or("", String::as_str)
                ));
            }
        };
        let at = self.movers.len();
        self.movers.push(Mover {
            known: known.map(|employee| employee.number),
            name: known.map_or(name, |employee| employee.name.clone()),
            joined: Day::MAX,
            badges: Vec::new(),
        });
        self.by_name.insert(key, at);
        Ok(at)
    }

    fn saw(&mut self, at: usize, day: Day) {
        if let Some(mover) = self.movers.get_mut(at) {
            mover.joined = mover.joined.min(day);
        }
    }

    /// Gives a badge to each who had it, from the first day until the next one had it; the last has
    /// it still, unless it is revoked.
    fn hand_out(
        &mut self,
        twinklet: TwinkletId,
        days: &[(Day, usize)],
        revoked: Option<DateTime<Utc>>,
    ) {
        let mut runs: Vec<(Day, usize)> = Vec::new();
        for &(day, at) in days {
            if runs.last().is_none_or(|&(_, last)| last != at) {
                runs.push((day, at));
            }
        }
        let nexts = runs.iter().skip(1).map(|&(day, _)| Some(day)).chain([None]);
        for (&(from, at), next) in runs.iter().zip(nexts) {
            let until = next.and_then(|next| next.pred_opt());
            // Of two on one day the later has it.
            if next.is_some() && until.is_none_or(|until| until < from) {
                continue;
            }
            let mut badge = Badge::new(twinklet, from, until);
            badge.revoked = revoked.filter(|_| next.is_none());
            if let Some(mover) = self.movers.get_mut(at) {
                // One badge that came back counts once: its last days.
                mover.badges.retain(|old| old.twinklet != twinklet);
                mover.badges.push(badge);
            }
        }
    }

    fn remark(&mut self, found: &Found) {
        let Some(listed) = &found.listed else {
            if !self.movers.is_empty() {
                self.notes
                    .push("no file lists the valid badges: all come in revoked".to_owned());
            }
            return;
        };
        let badges = self.movers.iter().flat_map(|mover| &mover.badges);
        let had: HashSet<_> = badges.map(|badge| badge.twinklet).collect();
        let idle: BTreeSet<_> = listed.iter().filter(|badge| !had.contains(badge)).collect();
        for badge in idle {
            self.notes
                .push(format!("badge {badge} is on the list, and was nobody's"));
        }
    }
}

/// The name that is meant.
fn wanted(name: &PersonName, renamed: &Renamed) -> String {
    let other = renamed.get(&name.as_str().to_lowercase());
    other.cloned().unwrap_or_else(|| name.to_string())
}
