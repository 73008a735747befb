//! `twinkle employee import --from-original`: moving in from the replaced system.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};

use crate::cli::employee::ImportArgs;
use crate::db::{self, Moved, Mover, OldFlash, OldMark};
use crate::domain::calendar::{Day, Days};
use crate::domain::ids::{EmployeeNumber, EventId};
use crate::domain::remark::Remark;
use crate::render;
use crate::roles::employee::{Office, say};

use files::{LoggedFlash, SheetRow};
use people::{People, Renamed};

pub mod files;
mod people;

/// Moves in: people with their badges, then flashes, then what only the months' sheets know.
pub(super) fn run(office: &mut Office, args: &ImportArgs) -> anyhow::Result<()> {
    office.prepare(&args.change);
    let found = files::read(&args.files, args.year)?;
    let (today, now) = (office.today, office.author.at);
    let renamed: Renamed = args
        .map
        .iter()
        .map(|rule| (rule.old.to_lowercase(), rule.new.clone()))
        .collect();
    let employees = office.store.employees(today)?;
    let joined = args.joined.map(|choice| office.day(choice));
    let people = people::gather(&found, &employees, &renamed, joined, now);
    let people = people.map_err(db::Error::Conflict)?;

    let moved = office
        .store
        .move_in(&people.movers, today, &office.author)?;
    let numbers: Vec<_> = moved.iter().map(|moved| moved.number).collect();
    let whose = |name| Some(*numbers.get(people.of(name, &renamed)?)?);
    let flashes: Vec<_> = found
        .flashes
        .iter()
        .filter_map(|flash| Some(old_flash(flash, whose(&flash.name)?, office.days)))
        .collect();
    let added = office.store.move_flashes_in(&flashes)?;
    let mut present: HashSet<_> = flashes
        .iter()
        .map(|flash| (flash.employee, flash.day))
        .collect();
    let marks: Vec<_> = found
        .sheet_rows
        .iter()
        .filter_map(|row| {
            let at = people.of(&row.name, &renamed)?;
            let mover = people.movers.get(at)?;
            let joined = match employees.iter().find(|e| Some(e.number) == mover.known) {
                Some(known) => known.joined,
                None => mover.joined,
            };
            Some(old_marks(row, *numbers.get(at)?, joined))
        })
        .flatten()
        // Of two sheets, and where the log has a flash, one is enough.
        .filter(|mark| present.insert((mark.employee, mark.day)))
        .collect();
    let set = office.store.move_marks_in(&marks, &office.author)?;
    report(&people, &moved)?;
    for note in found.notes.iter().chain(&people.notes) {
        say(format_args!("{}", render::one_line(note)))?;
    }
    let new = people
        .movers
        .iter()
        .filter(|mover| mover.known.is_none())
        .count();
    say(format_args!(
        "{new} employees added, {} there already; {added} flashes added, {} there already",
        people.movers.len() - new,
        flashes.len() - added
    ))?;
    if !marks.is_empty() {
        say(format_args!(
            "present by the sheets alone: {set} days set, {} there already",
            marks.len() - set
        ))?;
    }
    Ok(())
}

/// Names everybody about whom something is new.
fn report(people: &People, moved: &[Moved]) -> anyhow::Result<()> {
    for (mover, moved) in people.movers.iter().zip(moved) {
        let Mover {
            known,
            name,
            joined,
            ..
        } = mover;
        let (number, name) = (moved.number, render::one_line(name));
        match known {
            None => say(format_args!("added {number}: {name}, joined {joined}"))?,
            Some(_) if moved.given.is_empty() && moved.withheld.is_empty() => continue,
            Some(_) => say(format_args!("{number}: {name} is there already"))?,
        }
        for badge in &moved.given {
            let revoked = match badge.revoked {
                Some(_) => ", revoked: it is on no list of valid badges",
                None => "",
            };
            say(format_args!("  twinklet {badge}{revoked}"))?;
        }
        for reason in &moved.withheld {
            say(format_args!("  {reason}, and not given"))?;
        }
    }
    Ok(())
}

fn old_flash(flash: &LoggedFlash, employee: EmployeeNumber, days: Days) -> OldFlash {
    let at = instant(flash.wall, days);
    OldFlash {
        event: event_id(flash, at),
        at,
        day: days.day_of(at),
        door: flash.door.clone(),
        twinklet: flash.twinklet,
        employee,
    }
}

/// The days on which a sheet has somebody present who was employed.
fn old_marks(row: &SheetRow, employee: EmployeeNumber, joined: Day) -> Vec<OldMark> {
    let reason = format!("marked p in {}, and no log has a flash", row.file);
    // A name of a file may be no text for a reason.
    let reason = reason
        .parse()
        .or_else(|_| "marked p in the old sheet".parse());
    let Ok(reason): Result<Remark, _> = reason else {
        return Vec::new();
    };
    let present = row
        .marks
        .iter()
        .filter(|&&(day, is_present)| is_present && joined <= day);
    present
        .map(|&(day, _)| OldMark {
            employee,
            day,
            reason: reason.clone(),
        })
        .collect()
}

/// The instant of a time on the site's wall: the first, if clocks showed it twice; as if they had
/// not been set forward, if they left it out.
fn instant(wall: NaiveDateTime, days: Days) -> DateTime<Utc> {
    let on_the_wall = |wall| days.timezone.from_local_datetime(&wall).earliest();
    let left_out = || on_the_wall(wall + TimeDelta::hours(1));
    on_the_wall(wall)
        .or_else(left_out)
        .map_or(wall.and_utc(), |instant| instant.to_utc())
}

/// The same id for the same row, whenever and wherever it is moved in: a UUIDv8 (RFC 9562, section
/// 5.8) of its time, so that it sorts with the others, and of what the row says.
fn event_id(flash: &LoggedFlash, at: DateTime<Utc>) -> EventId {
    let door = flash.door.as_ref().map_or("", |door| door.as_str());
    let row = format!(
        "{}|{}|{}|{door}|{}",
        flash.number,
        flash.twinklet,
        flash.name.as_str().to_lowercase(),
        flash.wall
    );
    // FNV-1a, which stays what it is: what is stored depends on it.
    let hash = row.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let time = u128::from(at.timestamp_millis().cast_unsigned() & 0xFFFF_FFFF_FFFF);
    let id = time << 80 | 0x8 << 76 | 0b10 << 62 | u128::from(hash >> 2);
    EventId::from_bytes(id.to_be_bytes())
}
