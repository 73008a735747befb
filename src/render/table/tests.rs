use super::*;
use crate::domain::attendance::{DaysSeen, Person};
use crate::domain::calendar::{Calendar, Month};
use crate::domain::ids::EmployeeNumber;
use crate::render::Column;
use chrono::{Weekday, WeekdaySet};

fn february() -> Register {
    let calendar = Calendar {
        weekly_off: WeekdaySet::single(Weekday::Sun),
    };
    let mut seen = DaysSeen::default();
    (1..=28)
        .filter(|day| day % 7 != 0)
        .for_each(|day| seen.insert(day));
    let person = |number, name: &str, seen| Person {
        number: EmployeeNumber(number),
        name: name.to_owned(),
        joined: "2024-01-01".parse().unwrap(),
        seen,
    };
    let people = vec![
        person(1, "Asha Rao", seen),
        person(2, "李小龍", DaysSeen::default()),
    ];
    let today = "2024-03-05".parse().unwrap();
    Register::derive(
        Month::of("2024-02-01".parse().unwrap()),
        today,
        calendar,
        people,
    )
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
    assert_eq!(register(&february(), None), expected);
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
    let text = register(&february(), Some(80));
    assert_eq!(text, expected);
    let grid = text.lines().filter(|line| !line.contains("absent"));
    assert!(grid.map(UnicodeWidthStr::width).all(|width| width <= 80));
}

#[test]
fn a_month_of_nobody_says_so() {
    let register_of_nobody = Register {
        rows: Vec::new(),
        ..february()
    };
    let expected = "Register of February 2024\n\nNobody was employed in that month.\n";
    assert_eq!(register(&register_of_nobody, Some(80)), expected);
}

#[test]
fn rows_stay_rows_whatever_is_in_them() {
    let text = grid(
        &Grid {
            columns: vec![Column::number("number"), Column::text("name")],
            rows: vec![
                vec!["1".to_owned(), "two\nlines".to_owned()],
                vec!["22".to_owned(), "आशा".to_owned()],
            ],
        },
        None,
    );
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        text.contains(" 1  two\u{FFFD}lines") && text.contains("22  आशा"),
        "{text}"
    );
}
