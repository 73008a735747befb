use super::*;
use crate::domain::attendance::{DaysSeen, Person, Register, Source};
use crate::domain::calendar::{Calendar, Days, Rules, WeeklyOff};
use crate::domain::ids::EmployeeNumber;
use crate::render::register::Page;
use std::collections::BTreeMap;

pub(in crate::render::register) fn person(number: i64, name: &str, present: DaysSeen) -> Person {
    Person {
        number: EmployeeNumber(number),
        name: name.to_owned(),
        department: None,
        joined: "2024-01-01".parse().unwrap(),
        left: None,
        present,
        corrections: Vec::new(),
        times: BTreeMap::new(),
    }
}

/// February 2024, on whose seventh days nobody was seen.
pub(in crate::render::register) fn page(people: Vec<Person>) -> Page {
    let calendar = Calendar {
        general: Rules {
            days: Days::midnight(chrono_tz::UTC),
            weekly_off: WeeklyOff::default(),
            holidays: Default::default(),
            common_holidays: true,
        },
        departments: BTreeMap::new(),
    };
    let source = Source {
        first: "2024-02-01".parse().unwrap(),
        last: "2024-02-29".parse().unwrap(),
        now: "2024-03-05T12:00:00Z".parse().unwrap(),
        calendar: &calendar,
        anybody: seen(),
        unreported: &[],
    };
    Page {
        register: Register::derive(&source, people),
        sheet: Default::default(),
        signed: None,
    }
}

pub(in crate::render::register) fn seen() -> DaysSeen {
    let mut seen = DaysSeen::default();
    (1..=28)
        .filter(|day| day % 7 != 0)
        .for_each(|day| seen.insert(day));
    seen
}

fn print(pages: Vec<Page>, width: Option<u16>, colours: bool) -> String {
    let report = Report {
        pages,
        employee: None,
        hours: false,
        days: Days::midnight(chrono_tz::UTC),
    };
    tables(&report, width, colours)
}

fn february(width: Option<u16>) -> String {
    let people = vec![
        person(1, "Asha Rao", seen()),
        person(2, "李小龍", DaysSeen::default()),
    ];
    print(vec![page(people)], width, false)
}

#[test]
fn a_register_without_a_terminal_is_one_block() {
    let expected = "\
Register of February 2024

No Name      01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29  TD WO
             Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu We Th
──────────────────────────────────────────────────────────────────────────────────────────────────────────
 1 Asha Rao   P  P  P  P  P  P  a  P  P  P  P  P  P  a  P  P  P  P  P  P  a  P  P  P  P  P  P  a  a  24  0
 2 李小龍     A  A  A  W  A  A  a  A  A  A  W  A  A  a  A  A  A  W  A  A  a  A  A  A  W  A  A  a  a   0 20

P present  A absent  a not final  W weekly off  TD total days  WO work off
Nobody was seen on 7, 14, 21, 28, 29 Feb: an outage or a holiday? Not counted as absent.
";
    assert_eq!(february(None), expected);
}

#[test]
fn a_narrow_terminal_gets_the_days_in_blocks() {
    let expected = "\
Register of February 2024

No Name      01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20
             Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu
────────────────────────────────────────────────────────────────────────
 1 Asha Rao   P  P  P  P  P  P  a  P  P  P  P  P  P  a  P  P  P  P  P  P
 2 李小龍     A  A  A  W  A  A  a  A  A  A  W  A  A  a  A  A  A  W  A  A

No Name      21 22 23 24 25 26 27 28 29  TD WO
             We Th Fr Sa Su Mo Tu We Th
──────────────────────────────────────────────
 1 Asha Rao   a  P  P  P  P  P  P  a  a  24  0
 2 李小龍     a  A  A  A  W  A  A  a  a   0 20

P present  A absent  a not final  W weekly off  TD total days  WO work off
Nobody was seen on 7, 14, 21, 28, 29 Feb: an outage or a holiday? Not counted as absent.
";
    let text = february(Some(80));
    assert_eq!(text, expected);
    let grid = text.lines().filter(|line| !line.contains("absent"));
    assert!(grid.map(UnicodeWidthStr::width).all(|width| width <= 80));
}

#[test]
fn marks_are_coloured_only_where_somebody_sees_colours() {
    let people = || vec![person(1, "Asha Rao", seen())];
    let coloured = print(vec![page(people())], Some(200), true);
    assert!(coloured.contains("\u{1b}[38;5;10m"), "{coloured:?}");
    let plain: String = print(vec![page(people())], Some(200), false);
    assert!(!plain.contains('\u{1b}'));
}

#[test]
fn a_name_from_right_to_left_leaves_the_days_where_they_are() {
    let lines = |width| {
        let pages = vec![page(vec![
            person(1, "אסתר", DaysSeen::default()),
            person(2, "Asha", DaysSeen::default()),
        ])];
        let text = print(pages, width, false);
        let lines = text.lines().skip(5).take(2).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    let seen = lines(Some(200));
    assert!(
        seen[0].starts_with(" 1 \u{2068}אסתר\u{2069}   A  A"),
        "{seen:?}"
    );
    assert!(seen[1].starts_with(" 2 Asha   A  A"), "{seen:?}");
    // A program reads the name as it is.
    assert!(lines(None)[0].starts_with(" 1 אסתר   A  A"));
}

#[test]
fn a_month_of_nobody_says_so() {
    let expected = "Register of February 2024\n\nNobody was employed in that month.\n";
    assert_eq!(print(vec![page(Vec::new())], Some(80), false), expected);
}
