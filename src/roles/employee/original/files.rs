//! Understanding the replaced system's files: which holds what, and what each row says. Rows that
//! say nothing that can be are noted, and passed over.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{Month as MonthName, NaiveDateTime};

use crate::db::{OldTable, old_tables};
use crate::domain::calendar::{Day, Month};
use crate::domain::ids::{DeviceName, PersonName, TwinkletId};
use crate::exit::Usage;

/// How the old log writes a time, its words apart by single spaces.
const TIME: &str = "%a %b %d %H:%M:%S %Y";
/// How the remark of a good row begins. Digits after it are the beginning of the next packet, which
/// came glued to this one.
const GOOD: &str = "Correct";

/// What the files say.
#[derive(Debug, Default)]
pub struct Found {
    /// The valid badges; `None` if no file lists them.
    pub listed: Option<BTreeSet<TwinkletId>>,
    /// What the months' sheets say.
    pub sheet_rows: Vec<SheetRow>,
    /// What the log says, oldest first.
    pub flashes: Vec<LoggedFlash>,
    /// What could not be taken in, and why.
    pub notes: Vec<String>,
}

/// A row of a month's sheet.
#[derive(Debug)]
pub struct SheetRow {
    /// The file's name.
    pub file: String,
    /// The month.
    pub month: Month,
    /// Who.
    pub name: PersonName,
    /// The badge.
    pub twinklet: TwinkletId,
    /// The days with a mark, and whether it is `p`.
    pub marks: Vec<(Day, bool)>,
}

/// A row of the log.
#[derive(Debug)]
pub struct LoggedFlash {
    /// Its number in the log.
    pub number: String,
    /// Who.
    pub name: PersonName,
    /// The badge.
    pub twinklet: TwinkletId,
    /// The door, if it can have been one.
    pub door: Option<DeviceName>,
    /// The time on the site's wall.
    pub wall: NaiveDateTime,
}

/// Reads files, and the databases in folders.
///
/// # Errors
/// If one cannot be read, or its name does not say which month it holds; `year` is of those whose name
/// says none.
pub fn read(paths: &[PathBuf], year: Option<i32>) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for path in paths {
        if !path.is_dir() {
            read_file(path, year, &mut found)?;
            continue;
        }
        let folder =
            fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut files = folder
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| {
            file.extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("db"))
        });
        files.sort();
        for file in &files {
            read_file(file, year, &mut found)?;
        }
        if files.is_empty() {
            found
                .notes
                .push(format!("{}: no file in it ends in .db", path.display()));
        }
    }
    found.flashes.sort_by_key(|flash| flash.wall);
    Ok(found)
}

fn read_file(path: &Path, year: Option<i32>, found: &mut Found) -> anyhow::Result<()> {
    fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let tables = match old_tables(path) {
        Ok(tables) => tables,
        Err(cause) => {
            found.notes.push(cause.to_string());
            return Ok(());
        }
    };
    if tables.is_empty() {
        found.notes.push(format!("{file}: empty"));
    }
    for table in &tables {
        let has = |names: &[&str]| names.iter().all(|name| table.column(name).is_some());
        if table.rows.is_empty() {
            found.notes.push(format!("{file}: a table without rows"));
        }
        if has(&["NAME", "TWINKLETID", "DAY1"]) {
            let month = month_of(path, year)?;
            sheet(table, &file, month, found);
        } else if has(&["DELAY"]) {
            found
                .notes
                .push(format!("{file}: delays, of which nothing is kept"));
        } else if has(&["TWINKLERID", "DATETIME", "DATA_PACK"]) {
            log(table, &file, found);
        } else if has(&["TWINKLETID"]) {
            list(table, &file, found);
        } else {
            found
                .notes
                .push(format!("{file}: no table of the replaced system"));
        }
    }
    Ok(())
}

/// The month that a file's name says, with the year that it says or the user.
fn month_of(path: &Path, year: Option<i32>) -> anyhow::Result<Month> {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let letters: String = stem.chars().take_while(char::is_ascii_alphabetic).collect();
    let digits: String = stem.chars().filter(char::is_ascii_digit).collect();
    let path = path.display();
    let Ok(month) = letters.parse::<MonthName>() else {
        let says = format!(
            "{path} holds a month, and its name does not say which; name it JAN.db, FEB.db, …"
        );
        return Err(Usage(says).into());
    };
    let said = digits.parse().ok().filter(|_| digits.len() == 4);
    let first = said
        .or(year)
        .and_then(|year| Day::from_ymd_opt(year, month.number_from_month(), 1));
    match first {
        Some(first) => Ok(Month::of(first)),
        None => Err(Usage(format!("{path} does not say its year; say --year 2021")).into()),
    }
}

/// Takes each row of a table, or notes what is wrong with it.
fn each<T>(
    table: &OldTable,
    file: &str,
    notes: &mut Vec<String>,
    mut read: impl FnMut(&dyn Fn(&str) -> String, &mut Vec<String>) -> Result<T, String>,
) -> Vec<T> {
    let mut all = Vec::new();
    for (row, number) in table.rows.iter().zip(1..) {
        let cell = |name: &str| {
            let at = table.column(name);
            at.and_then(|at| row.get(at)).cloned().unwrap_or_default()
        };
        let mut remarks = Vec::new();
        match read(&cell, &mut remarks) {
            Ok(row) => all.push(row),
            Err(reason) => remarks.push(reason),
        }
        notes.extend(
            remarks
                .iter()
                .map(|remark| format!("{file}, row {number}: {remark}")),
        );
    }
    all
}

fn twinklet(text: &str) -> Result<TwinkletId, String> {
    text.parse()
        .map_err(|wrong| format!("badge '{text}': {wrong}"))
}

fn name(text: &str) -> Result<PersonName, String> {
    text.parse()
        .map_err(|wrong| format!("name '{text}': {wrong}"))
}

fn list(table: &OldTable, file: &str, found: &mut Found) {
    let badges = each(table, file, &mut found.notes, |cell, _| {
        twinklet(&cell("TWINKLETID"))
    });
    found.listed.get_or_insert_default().extend(badges);
}

fn sheet(table: &OldTable, file: &str, month: Month, found: &mut Found) {
    let rows = each(table, file, &mut found.notes, |cell, remarks| {
        let (name, twinklet) = (name(&cell("NAME"))?, twinklet(&cell("TWINKLETID"))?);
        let mut marks = Vec::new();
        for number in 1..=31 {
            let mark = cell(&format!("DAY{number}"));
            let day = month
                .days()
                .zip(1..)
                .find(|(_, at)| *at == number)
                .map(|(day, _)| day);
            match (mark.to_lowercase().as_str(), day) {
                ("", _) => (),
                (_, None) => remarks.push(format!("{month} has no day {number}")),
                ("p", Some(day)) => marks.push((day, true)),
                ("a", Some(day)) => marks.push((day, false)),
                (_, Some(day)) => remarks.push(format!("'{mark}' on {day} is neither p nor a")),
            }
        }
        Ok(SheetRow {
            file: file.to_owned(),
            month,
            name,
            twinklet,
            marks,
        })
    });
    found.sheet_rows.extend(rows);
}

fn log(table: &OldTable, file: &str, found: &mut Found) {
    let rows = each(table, file, &mut found.notes, |cell, remarks| {
        let time = cell("DATETIME");
        let wall = NaiveDateTime::parse_from_str(&time, TIME);
        let wall = wall.map_err(|_| match time.is_empty() {
            true => "no date".to_owned(),
            false => format!("'{time}' is no date"),
        })?;
        let remark = cell("REMARKS");
        let glued = remark.strip_prefix(GOOD);
        if !remark.is_empty() && !glued.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(format!("its remark is '{remark}', not '{GOOD}'"));
        }
        let place = cell("FLASHPOS");
        let door = place.parse().ok();
        if door.is_none() && !place.is_empty() {
            remarks.push(format!(
                "'{place}' can be no door's name; taken in without it"
            ));
        }
        Ok(LoggedFlash {
            number: cell("SRNO"),
            name: name(&cell("DATA_PACK"))?,
            twinklet: twinklet(&cell("TWINKLERID"))?,
            door,
            wall,
        })
    });
    found.flashes.extend(rows);
}
