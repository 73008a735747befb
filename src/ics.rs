//! Holidays from an iCalendar file (RFC 5545): its all-day events, taken as plain dates, whatever
//! the timezone of whoever wrote them.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveTime};
use icalendar::parser::{Component, Property, read_calendar, unfold};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use crate::domain::calendar::{Day, Holiday, LAST_YEAR};

/// What a holiday is called whose event has no summary.
const NAMELESS: &str = "holiday";
/// The longest event in days. A longer one is a vacation, or a slip.
const LONGEST: u64 = 366;
/// The most holidays of a file. More would be one rule that means every day.
const MOST: u16 = 10_000;

/// What is said of more.
const TOO_MANY: &str = "more than 10000 holidays; is its rule right?";

/// What a file has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its holidays; those that recur without end, until the last year that twinkle knows.
    pub holidays: BTreeSet<Holiday>,
    /// How many events were passed over: they have a time of day, or were cancelled.
    pub passed_over: usize,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is something else.
    #[error("it is no iCalendar file: it has no BEGIN:VCALENDAR, or breaks off")]
    NotCalendar,
    /// An event of it is not understood: its summary, and what is wrong with it.
    #[error("the event '{0}': {1}")]
    Event(String, String),
}

/// Reads a file's text.
///
/// # Errors
/// [`Error`]: then none of it should be used, since nobody would miss the rest.
pub fn read(text: &str) -> Result<Found, Error> {
    let text = unfold(text.trim_start_matches('\u{FEFF}').trim());
    let whole = text.starts_with("BEGIN:VCALENDAR") && text.ends_with("END:VCALENDAR");
    let calendar = whole.then(|| read_calendar(&text).ok()).flatten();
    let calendar = calendar.ok_or(Error::NotCalendar)?;
    let mut found = Found::default();
    let mut moved = Vec::new();
    let events = calendar
        .components
        .iter()
        .filter(|part| part.name == "VEVENT");
    for event in events {
        let name = summary(event);
        let wrong = |what: String| Error::Event(name.clone(), what);
        let Some(first) = day_of(event, "DTSTART").filter(|_| !is_cancelled(event)) else {
            found.passed_over += 1;
            continue;
        };
        // One of a recurring event, moved to another day.
        if let Some(instead_of) = day_of(event, "RECURRENCE-ID") {
            moved.push((name.clone(), instead_of));
        }
        let length = length(event, first).map_err(wrong)?;
        for start in starts(event, first).map_err(wrong)? {
            let days = (0..length).filter_map(|n| start.checked_add_days(Days::new(n)));
            let holiday = |day| Holiday {
                day,
                name: name.clone(),
            };
            found.holidays.extend(days.map(holiday));
        }
        if found.holidays.len() > usize::from(MOST) {
            return Err(wrong(TOO_MANY.to_owned()));
        }
    }
    for (name, day) in moved {
        found.holidays.remove(&Holiday { day, name });
    }
    Ok(found)
}

fn summary(event: &Component<'_>) -> String {
    let summary = event.find_prop("SUMMARY");
    let summary = summary.map(|summary| summary.val.clone().unescape_text());
    let words: Vec<_> = summary
        .iter()
        .flat_map(|s| s.as_str().split_whitespace())
        .collect();
    match words.is_empty() {
        true => NAMELESS.to_owned(),
        false => words.join(" "),
    }
}

fn is_cancelled(event: &Component<'_>) -> bool {
    let status = event.find_prop("STATUS");
    status.is_some_and(|status| status.val.as_str().eq_ignore_ascii_case("CANCELLED"))
}

/// The day that a property names; `None` if it is not there, or names a time of day.
fn day_of(event: &Component<'_>, property: &str) -> Option<Day> {
    parse_day(event.find_prop(property)?.val.as_str())
}

/// A date as in `20261108`.
fn parse_day(text: &str) -> Option<Day> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| Day::parse_from_str(text, "%Y%m%d").ok())
        .flatten()
}

/// How many days an event lasts.
fn length(event: &Component<'_>, first: Day) -> Result<u64, String> {
    let days = if event.find_prop("DTEND").is_some() {
        // The day after the last.
        let end = day_of(event, "DTEND").ok_or("its DTEND is no date")?;
        (end - first).num_days()
    } else if let Some(duration) = event.find_prop("DURATION") {
        let text = duration.val.as_str().trim_start_matches('+');
        let number = |unit| {
            text.strip_prefix('P')?
                .strip_suffix(unit)?
                .parse::<i64>()
                .ok()
        };
        let weeks = number('W').map(|weeks| weeks.saturating_mul(7));
        number('D')
            .or(weeks)
            .ok_or("its DURATION is not in days or weeks")?
    } else {
        1
    };
    // Some programs end an event of one day on that day.
    u64::try_from(days)
        .ok()
        .map(|days| days.max(1))
        .filter(|&days| days <= LONGEST)
        .ok_or_else(|| format!("it lasts {days} days; at most {LONGEST} are taken"))
}

/// The days on which an event begins.
fn starts(event: &Component<'_>, first: Day) -> Result<Vec<Day>, String> {
    let mut recurring = RRuleSet::new(midnight(first));
    let mut starts = vec![first];
    for Property { name, val, .. } in &event.properties {
        let days = || val.as_str().split(',').filter_map(parse_day);
        match name.as_str() {
            "RRULE" => {
                // RFC 5545, 3.3.10, has nothing else in it, and the library panics at it.
                if !val.as_str().is_ascii() {
                    return Err(plain("it has other letters than those of English"));
                }
                let text = until_in_utc(val.as_str());
                let rule: RRule<Unvalidated> = text.parse().map_err(plain)?;
                recurring = recurring.rrule(rule.validate(midnight(first)).map_err(plain)?);
            }
            "RDATE" => starts.extend(days()),
            "EXDATE" => recurring = recurring.set_exdates(days().map(midnight).collect()),
            _ => (),
        }
    }
    let left_out: Vec<_> = recurring
        .get_exdate()
        .iter()
        .map(DateTime::date_naive)
        .collect();
    if !recurring.get_rrule().is_empty() {
        let end = Day::from_ymd_opt(LAST_YEAR, 12, 31).unwrap_or(first);
        let all = recurring.before(midnight(end)).all(MOST);
        if all.limited {
            return Err(TOO_MANY.to_owned());
        }
        starts.extend(all.dates.iter().map(DateTime::date_naive));
    }
    starts.retain(|day| !left_out.contains(day));
    Ok(starts)
}

/// A day as the library counts recurrences.
fn midnight(day: Day) -> DateTime<Tz> {
    day.and_time(NaiveTime::MIN)
        .and_utc()
        .with_timezone(&Tz::UTC)
}

/// A rule whose last day is written as the library reads it: RFC 5545 has a plain date there, if
/// the event begins on one.
fn until_in_utc(rule: &str) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some((key, day)) if key.eq_ignore_ascii_case("UNTIL") => {
            let day = day.split('T').next().unwrap_or(day);
            format!("UNTIL={day}T000000Z")
        }
        _ => part.to_owned(),
    };
    rule.split(';').map(part).collect::<Vec<_>>().join(";")
}

/// An error of the library in one line.
fn plain(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    format!(
        "its RRULE is not understood: {}",
        text.lines().next().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(events: &str) -> Result<Found, Error> {
        let events = events.trim().replace('\n', "\r\n");
        read(&format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{events}\r\nEND:VCALENDAR\r\n"
        ))
    }

    /// The holidays of those years, as `DAY NAME`.
    fn holidays(events: &str, years: std::ops::RangeInclusive<&str>) -> Vec<String> {
        let found = calendar(events).unwrap().holidays;
        let all = found.iter().map(|h| format!("{} {}", h.day, h.name));
        all.filter(|text| years.contains(&&text[..4])).collect()
    }

    #[test]
    fn single_and_multi_day_events_are_holidays() {
        let events = r"
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261108
DTEND;VALUE=DATE:20261109
SUMMARY:Diwali\, the festival
  of lights
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
SUMMARY:Christmas
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20260501
DURATION:P2D
END:VEVENT";
        let expected = [
            "2026-05-01 holiday",
            "2026-05-02 holiday",
            "2026-11-08 Diwali, the festival of lights",
            "2026-12-24 Christmas",
            "2026-12-25 Christmas",
            "2026-12-26 Christmas",
        ];
        assert_eq!(holidays(events, "2026"..="2026"), expected);
    }

    #[test]
    fn yearly_events_recur_by_their_rules() {
        let events = "
BEGIN:VEVENT
DTSTART;VALUE=DATE:20210126
RRULE:FREQ=YEARLY
EXDATE;VALUE=DATE:20230126
SUMMARY:Republic Day
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20211125
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH
SUMMARY:Thanksgiving
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20210401
RRULE:FREQ=YEARLY;UNTIL=20230401
SUMMARY:Until
END:VEVENT";
        // RFC 5545 writes the fourth Thursday as 4TH.
        let expected = [
            "2022-01-26 Republic Day",
            "2022-04-01 Until",
            "2022-11-24 Thanksgiving",
            "2023-04-01 Until",
            "2023-11-23 Thanksgiving",
            "2024-01-26 Republic Day",
            "2024-11-28 Thanksgiving",
        ];
        assert_eq!(holidays(events, "2022"..="2024"), expected);
        assert_eq!(holidays(events, "2199"..="9999").len(), 2);
    }

    #[test]
    fn the_29th_of_february_recurs_in_leap_years() {
        let events = "
BEGIN:VEVENT
DTSTART;VALUE=DATE:20200229
RRULE:FREQ=YEARLY
SUMMARY:Leap
END:VEVENT";
        assert_eq!(
            holidays(events, "2021"..="2028"),
            ["2024-02-29 Leap", "2028-02-29 Leap"]
        );
    }

    #[test]
    fn a_moved_occurrence_takes_the_place_of_its_own() {
        let events = "
BEGIN:VEVENT
UID:a
DTSTART;VALUE=DATE:20250601
RRULE:FREQ=YEARLY;COUNT=3
SUMMARY:Founder
END:VEVENT
BEGIN:VEVENT
UID:a
RECURRENCE-ID;VALUE=DATE:20260601
DTSTART;VALUE=DATE:20260602
SUMMARY:Founder
END:VEVENT";
        let expected = [
            "2025-06-01 Founder",
            "2026-06-02 Founder",
            "2027-06-01 Founder",
        ];
        assert_eq!(holidays(events, "2025"..="2099"), expected);
    }

    #[test]
    fn what_is_no_holiday_is_passed_over_and_counted() {
        let events = "
BEGIN:VTIMEZONE
TZID:Asia/Kolkata
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Asia/Kolkata:20261108T100000
SUMMARY:Meeting
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261109
STATUS:CANCELLED
SUMMARY:Off
END:VEVENT";
        let found = calendar(events).unwrap();
        assert_eq!((found.holidays.len(), found.passed_over), (0, 2));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read(""), Err(Error::NotCalendar));
        assert_eq!(read("day,name\n2026-11-08,Diwali"), Err(Error::NotCalendar));
        assert_eq!(
            read("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"),
            Err(Error::NotCalendar)
        );
        for (lines, says) in [
            ("RRULE:FREQ=SOMETIMES", "its RRULE is not understood"),
            (
                "RRULE:FREQ=WEEKLY;BYDAY=S\u{16d}",
                "its RRULE is not understood: it has other letters",
            ),
            ("DTEND;VALUE=DATE:20281108", "it lasts 731 days"),
            ("DTEND;VALUE=DATE:20261107", "it lasts -1 days"),
            ("DURATION:PT5H", "its DURATION is not in days or weeks"),
            ("RRULE:FREQ=DAILY", "more than 10000 holidays"),
        ] {
            let event = format!(
                "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261108\nSUMMARY:Odd\n{lines}\nEND:VEVENT"
            );
            let error = calendar(&event).unwrap_err().to_string();
            assert!(
                error.starts_with("the event 'Odd': ") && error.contains(says),
                "{error}"
            );
        }
    }
}
