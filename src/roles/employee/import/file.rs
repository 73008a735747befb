//! Reading a CSV file of employees: what `export` writes, and what spreadsheets make of it. Every
//! bad line is found, not only the first.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::NaiveDate;
use csv::{ByteRecord, ReaderBuilder, Trim};

use crate::domain::calendar::{Day, DayChoice};
use crate::domain::hours::Hours;
use crate::domain::ids::{Department, EmployeeNumber, PersonName, TwinkletId};
use crate::domain::near::nearest;
use crate::render::csv::unguarded;

/// The columns, in the order in which they are exported. Any but one of the first two may be left
/// out of a file.
pub(in crate::roles::employee) const COLUMNS: [&str; 10] = [
    "number",
    "name",
    "twinklet",
    "joined",
    "left",
    "department",
    "hours",
    "doors",
    "suspended",
    "off-register",
];
/// The largest number that a file may give somebody: numbers count on from the largest.
const MAX_NUMBER: i64 = 999_999_999;
/// How a file begins that says so that it is UTF-8.
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How a file begins that is UTF-16.
const UTF16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// A line that cannot be taken in, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BadLine {
    /// Its number in the file; the header's is 1.
    pub line: u64,
    /// Why it cannot be taken in.
    pub reason: String,
}

/// Whom a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Whoever has this number, or is to have it.
    As(EmployeeNumber),
    /// Somebody new, whatever the name.
    New,
    /// Whoever the name and the badge say.
    No,
}

/// A line of the file. What is `None` is not said: there is no such column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the file.
    pub line: u64,
    /// Whom it is about.
    pub number: Numbered,
    /// The name.
    pub name: Option<PersonName>,
    /// The badges.
    pub twinklets: Option<Vec<Given>>,
    /// The first day of employment.
    pub joined: Option<Day>,
    /// The last; `Some(None)` for none.
    pub left: Option<Option<Day>>,
    /// The department; `Some(None)` for none.
    pub department: Option<Option<Department>>,
    /// The hours; `Some(None)` for any.
    pub hours: Option<Option<Hours>>,
    /// The doors' names; `Some(None)` for every door.
    pub doors: Option<Option<Vec<String>>>,
    /// Whether they are suspended.
    pub suspended: Option<bool>,
    /// Whether they have no line on the register.
    pub off_register: Option<bool>,
}

/// A badge as a cell gives it: its days are as they are, or as usual, where none are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The badge.
    pub twinklet: TwinkletId,
    /// Its first and last day.
    pub days: Option<(Day, Option<Day>)>,
}

impl Given {
    /// Whether both are of one badge, and on one day, as far as that is said.
    fn overlaps(&self, other: &Self) -> bool {
        let days = match (self.days, other.days) {
            (Some((from, until)), Some((other_from, other_until))) => {
                until.is_none_or(|until| other_from <= until)
                    && other_until.is_none_or(|until| from <= until)
            }
            _ => true,
        };
        self.twinklet == other.twinklet && days
    }
}

/// Reads a file, whose bytes these are, as of today: its lines, and those that say nothing that can
/// be.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(bytes: &[u8], today: Day) -> Result<(Vec<Row>, Vec<BadLine>), BadLine> {
    let bad_header = |reason: String| BadLine { line: 1, reason };
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        let reason = "the file is UTF-16; save it as 'CSV UTF-8'";
        return Err(bad_header(reason.to_owned()));
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .trim(Trim::Headers)
        .flexible(true)
        .from_reader(bytes);
    let header = reader.byte_headers().cloned();
    let header = header.map_err(|cause| bad_header(cause.to_string()))?;
    let columns = columns(&header).map_err(bad_header)?;
    let mut rows = Vec::new();
    let mut bad = Vec::new();
    let mut record = ByteRecord::new();
    let mut lines = Lines {
        bytes,
        at: 0,
        line: 1,
    };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => (),
            Err(cause) => return Err(bad_header(cause.to_string())),
        }
        let line = lines.number(record.position());
        match cells(&record, &columns) {
            Ok(cells) if cells.iter().all(|(_, cell)| cell.is_empty()) => (),
            Ok(cells) => match row(line, &cells, today) {
                Ok(row) => rows.push(row),
                Err(reason) => bad.push(BadLine { line, reason }),
            },
            Err(reason) => bad.push(BadLine { line, reason }),
        }
    }
    Ok((rows, bad))
}

/// Counts lines. The reader itself takes a record to begin with the line feed that ends the one
/// before it.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The number of the line on which the record there begins; records come in their order.
    fn number(&mut self, position: Option<&csv::Position>) -> u64 {
        let begin = position.and_then(|position| usize::try_from(position.byte()).ok());
        let mut begin = begin.unwrap_or(self.at);
        while matches!(self.bytes.get(begin), Some(b'\r' | b'\n')) {
            begin += 1;
        }
        let passed = self.bytes.get(self.at..begin).unwrap_or_default();
        let after = passed.iter().skip(1).map(Some).chain([None]);
        let ends = passed
            .iter()
            .zip(after)
            .filter(|&(byte, after)| match byte {
                b'\n' => true,
                // Alone it ended lines on old machines, and the reader takes it so.
                b'\r' => after != Some(&b'\n'),
                _ => false,
            });
        self.line += u64::try_from(ends.count()).unwrap_or_default();
        self.at = begin;
        self.line
    }
}

/// What parts the cells: whichever of comma and semicolon there is more of in the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|&byte| matches!(byte, b'\n' | b'\r')).next();
    let count = |of| {
        line.unwrap_or_default()
            .iter()
            .filter(|&&byte| byte == of)
            .count()
    };
    if count(b';') > count(b',') {
        b';'
    } else {
        b','
    }
}

/// Which columns the file has, by its header.
fn columns(header: &ByteRecord) -> Result<Vec<&'static str>, String> {
    let mut columns = Vec::new();
    let mut seen = BTreeSet::new();
    for heading in header {
        let heading = text(heading)?;
        let wanted = heading.trim().to_lowercase().replace(['_', ' '], "-");
        let Some(column) = COLUMNS.into_iter().find(|&column| column == wanted) else {
            let all = || format!("there is {}", COLUMNS.join(", "));
            let near = nearest(&wanted, COLUMNS.into_iter());
            let help = near
                .first()
                .map_or_else(all, |near| format!("did you mean '{near}'?"));
            return Err(format!("no column is called '{heading}'; {help}"));
        };
        if !seen.insert(column) {
            return Err(format!("the column '{column}' is there twice"));
        }
        columns.push(column);
    }
    if !seen.contains("number") && !seen.contains("name") {
        return Err("there is neither a column 'number' nor 'name'".to_owned());
    }
    Ok(columns)
}

/// The cells by their columns.
fn cells(
    record: &ByteRecord,
    columns: &[&'static str],
) -> Result<Vec<(&'static str, String)>, String> {
    if let Some(over) = record
        .iter()
        .skip(columns.len())
        .find(|cell| !cell.is_empty())
    {
        let over = String::from_utf8_lossy(over.trim_ascii());
        return Err(format!(
            "'{over}' stands beyond the last column; is a quote missing?"
        ));
    }
    if record.len() < columns.len() {
        return Err(format!(
            "there are {} cells for {} columns",
            record.len(),
            columns.len()
        ));
    }
    columns
        .iter()
        .zip(record)
        .map(|(column, cell)| Ok((*column, text(cell)?)))
        .collect()
}

/// A cell's text: without a formula's guard, and on one line, as spreadsheets break them.
fn text(cell: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(cell)
        .map_err(|_| "this is no UTF-8; save the file as 'CSV UTF-8'".to_owned())?;
    let words = text.trim().split(['\r', '\n', '\t']);
    let words: Vec<_> = words
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    Ok(unguarded(&words.join(" ")).to_owned())
}

fn row(line: u64, cells: &[(&'static str, String)], today: Day) -> Result<Row, String> {
    let cell = |wanted| {
        let cell = cells.iter().find(|(column, _)| *column == wanted);
        cell.map(|(_, text)| text.as_str())
    };
    Ok(Row {
        line,
        number: cell("number").map_or(Ok(Numbered::No), parse_number)?,
        name: cell("name").map(parsed_or_none).transpose()?.flatten(),
        twinklets: cell("twinklet")
            .map(|text| parse_twinklets(text, today))
            .transpose()?,
        joined: cell("joined")
            .map(|text| parse_day(text, today))
            .transpose()?
            .flatten(),
        left: cell("left")
            .map(|text| parse_day(text, today))
            .transpose()?,
        department: cell("department").map(parsed_or_none).transpose()?,
        hours: cell("hours").map(parsed_or_none).transpose()?,
        doors: cell("doors").map(parse_doors),
        suspended: cell("suspended").map(parse_yes).transpose()?,
        off_register: cell("off-register").map(parse_yes).transpose()?,
    })
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|wrong: T::Err| wrong.to_string())
}

fn parsed_or_none<T: FromStr<Err: ToString>>(text: &str) -> Result<Option<T>, String> {
    (!text.is_empty()).then(|| parsed(text)).transpose()
}

fn parse_number(text: &str) -> Result<Numbered, String> {
    if text.is_empty() {
        return Ok(Numbered::No);
    }
    if text.eq_ignore_ascii_case("new") {
        return Ok(Numbered::New);
    }
    match text.parse() {
        Ok(number @ 1..=MAX_NUMBER) => Ok(Numbered::As(EmployeeNumber(number))),
        _ => Err(format!(
            "'{text}' is no employee number: a whole number from 1 to {MAX_NUMBER}, 'new' or nothing"
        )),
    }
}

fn parse_day(text: &str, today: Day) -> Result<Option<Day>, String> {
    let day = parsed_or_none::<DayChoice>(text);
    let day = day.map_err(|help| format!("'{text}' is no day: {help}"))?;
    Ok(day.map(|choice| choice.resolve(today)))
}

fn parse_yes(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "" | "no" => Ok(false),
        "yes" => Ok(true),
        _ => Err(format!("'{text}' is neither 'yes' nor 'no'")),
    }
}

fn parse_doors(text: &str) -> Option<Vec<String>> {
    match text.to_lowercase().as_str() {
        "" | "every" => None,
        "none" => Some(Vec::new()),
        _ => Some(text.split(',').map(|door| door.trim().to_owned()).collect()),
    }
}

/// Badges apart by spaces, each alone or with its days: `7 90:2026-11-25..2026-11-27 91:2026-12-01..`
fn parse_twinklets(text: &str, today: Day) -> Result<Vec<Given>, String> {
    let mut given: Vec<Given> = Vec::new();
    for word in text.split_whitespace() {
        let (id, days) = match word.split_once(':') {
            Some((id, days)) => (id, Some(days)),
            None => (word, None),
        };
        let twinklet = id.parse().map_err(|wrong| format!("'{id}': {wrong}"))?;
        let days = days.map(|days| parse_days(days, today)).transpose()?;
        // Around the days on which it is lent it is there twice.
        let new = Given { twinklet, days };
        if given.iter().any(|given| given.overlaps(&new)) {
            return Err(format!("twinklet {twinklet} is there twice"));
        }
        given.push(new);
    }
    Ok(given)
}

fn parse_days(text: &str, today: Day) -> Result<(Day, Option<Day>), String> {
    let help = || format!("'{text}' are no days: write 2026-11-25..2026-11-27, or 2026-11-25..");
    let (from, until) = text.split_once("..").ok_or_else(help)?;
    let from: Option<NaiveDate> = parse_day(from, today)?;
    let (from, until) = (from.ok_or_else(help)?, parse_day(until, today)?);
    match until.is_some_and(|until| until < from) {
        true => Err(format!("'{text}': the last day is before the first")),
        false => Ok((from, until)),
    }
}

#[cfg(test)]
mod tests;
