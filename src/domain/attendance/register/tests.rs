use super::*;
use crate::domain::calendar::{Days, Holiday, Rules, WeeklyOff};
use chrono_tz::Tz;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn calendar() -> Calendar {
    Calendar {
        general: Rules {
            days: Days::midnight(Tz::UTC),
            weekly_off: WeeklyOff::default(),
            holidays: Default::default(),
            common_holidays: true,
        },
        departments: BTreeMap::new(),
    }
}

fn person(number: i64, joined: &str, seen: &[u32]) -> Person {
    let mut present = DaysSeen::default();
    seen.iter().for_each(|&day| present.insert(day));
    Person {
        number: EmployeeNumber(number),
        name: format!("Person {number}"),
        department: None,
        joined: day(joined),
        left: None,
        present,
        corrections: Vec::new(),
        times: BTreeMap::new(),
    }
}

fn correction(on: &str, mark: Mark) -> Correction {
    Correction {
        day: day(on),
        mark,
        reason: "because".to_owned(),
        who: "office".to_owned(),
        at: DateTime::UNIX_EPOCH,
    }
}

/// The register of February 2024 (it begins on a Thursday; Sundays are 4, 11, 18 and 25) as of noon
/// of a day.
fn derive(
    today: &str,
    calendar: &Calendar,
    unreported: &[Unreported],
    people: Vec<Person>,
) -> Register {
    let mut anybody = DaysSeen::default();
    for on in 1..=29 {
        if people.iter().any(|person| person.present.contains(on)) {
            anybody.insert(on);
        }
    }
    let source = Source {
        first: day("2024-02-01"),
        last: day("2024-02-29"),
        now: format!("{today}T12:00:00Z").parse().unwrap(),
        calendar,
        anybody,
        unreported,
    };
    Register::derive(&source, people)
}

/// A row as one text with `.` for a blank.
fn text(row: &Row) -> String {
    let cell = |cell: &Cell| match cell.mark {
        Mark::Blank => ".".to_owned(),
        _ => cell.to_string(),
    };
    row.cells.iter().map(cell).collect()
}

/// Each row as a text, then TD and WO.
fn february(today: &str, people: Vec<Person>) -> Vec<(String, String, String)> {
    let register = derive(today, &calendar(), &[], people);
    let rows = register.rows.iter();
    rows.map(|row| {
        (
            text(row),
            row.total_days.to_string(),
            row.work_off.to_string(),
        )
    })
    .collect()
}

const EVERY_DAY: [u32; 29] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29,
];

fn totals(row: &(String, String, String)) -> (&str, &str) {
    (&row.1, &row.2)
}

#[test]
fn a_past_month_is_marked_day_by_day() {
    let rows = february(
        "2024-03-05",
        vec![
            person(1, "2020-01-01", &EVERY_DAY),
            person(2, "2024-02-13", &[13, 18]),
        ],
    );
    assert_eq!(
        (rows[0].0.as_str(), totals(&rows[0])),
        (&*"P".repeat(29), ("29", "0"))
    );
    assert_eq!(rows[1].0, "............PAAAAPAAAAAAWAAAA");
    assert_eq!(totals(&rows[1]), ("2", "14"));
}

#[test]
fn who_left_has_no_marks_after_the_last_day_but_those_of_being_seen() {
    let mut left = person(2, "2020-01-01", &[20]);
    left.left = Some(day("2024-02-14"));
    let mut gone = person(3, "2020-01-01", &[]);
    gone.left = Some(day("2024-01-31"));
    let rows = february(
        "2024-03-05",
        vec![person(1, "2020-01-01", &EVERY_DAY), left, gone],
    );
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].0, "AAAWAAAAAAWAAA.....P.........");
}

#[test]
fn today_and_days_to_come_are_not_held_against_anybody() {
    let seen = [1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14];
    let rows = february("2024-02-14", vec![person(1, "2020-01-01", &seen)]);
    assert_eq!(rows[0].0, "PPPWPPPPPPWPPP...W......W....");
    assert_eq!(totals(&rows[0]), ("12", "0"));
    let rows = february(
        "2024-02-02",
        vec![person(1, "2020-01-01", &[1]), person(2, "2020-01-01", &[])],
    );
    assert_eq!(rows[1].0, "Aa.W......W......W......W....");
    assert_eq!(totals(&rows[1]), ("0", "1"));
}

#[test]
fn a_day_on_which_nobody_was_seen_is_not_final() {
    let people = vec![
        person(1, "2020-01-01", &[1, 3]),
        person(2, "2020-01-01", &[1]),
    ];
    let register = derive("2024-02-07", &calendar(), &[], people);
    assert_eq!(text(&register.rows[0]), "PaPWaaa...W......W......W....");
    assert_eq!(text(&register.rows[1]), "PaAWaaa...W......W......W....");
    // Today, the seventh, needs no explanation.
    let days = ["2024-02-02", "2024-02-05", "2024-02-06"].map(day);
    assert_eq!(register.notes, [Note::NobodySeen(days.to_vec())]);
}

#[test]
fn a_relay_that_has_not_reported_keeps_days_open_until_it_does() {
    let unreported = [Unreported {
        relay: "gate".to_owned(),
        since: "2024-02-06T15:00:00Z".parse().unwrap(),
    }];
    let people = || {
        vec![
            person(1, "2020-01-01", &EVERY_DAY),
            person(2, "2020-01-01", &[7]),
        ]
    };
    let register = derive("2024-02-09", &calendar(), &unreported, people());
    assert_eq!(text(&register.rows[1]), "AAAWAaPaa.W......W......W....");
    let days = ["2024-02-06", "2024-02-08"].map(day).to_vec();
    assert_eq!(
        register.notes,
        [Note::Unreported(unreported[0].clone(), days)]
    );
    let register = derive("2024-02-09", &calendar(), &[], people());
    assert_eq!(text(&register.rows[1]), "AAAWAAPAa.W......W......W....");
    assert!(register.notes.is_empty());
}

#[test]
fn holidays_are_marked_also_those_to_come_and_a_flash_on_one_is_present() {
    let mut calendar = calendar();
    for (on, name) in [
        (2, "Spring"),
        (4, "On a Sunday"),
        (9, "Fair"),
        (28, "To come"),
    ] {
        let day = Day::from_ymd_opt(2024, 2, on).unwrap();
        let name = name.to_owned();
        calendar.general.holidays.insert(Holiday { day, name });
    }
    let register = derive(
        "2024-02-10",
        &calendar,
        &[],
        vec![person(1, "2020-01-01", &[1, 9])],
    );
    assert_eq!(text(&register.rows[0]), "PHaHaaaaPaW......W......W..H.");
    assert_eq!(register.days[3].holiday.as_deref(), Some("On a Sunday"));
}

#[test]
fn a_correction_counts_as_its_mark_whatever_would_be_derived() {
    let mut corrected = person(2, "2020-01-01", &[5]);
    corrected.corrections = vec![
        correction("2024-02-01", Mark::Present),
        correction("2024-02-02", Mark::HalfDay),
        correction("2024-02-04", Mark::Absent),
        correction("2024-02-05", Mark::Leave),
        correction("2024-02-28", Mark::Leave),
    ];
    let people = vec![person(1, "2020-01-01", &EVERY_DAY), corrected];
    let register = derive("2024-02-07", &calendar(), &[], people);
    let row = &register.rows[1];
    assert_eq!(text(row), "P*HD*AA*L*Aa...W......W......W..L*.");
    assert_eq!((row.total_days, row.work_off), (HalfDays(3), HalfDays(7)));
    assert_eq!(row.leave, 2);
    assert!(register.has_leave());
}

#[test]
fn a_departments_night_shift_has_its_own_today() {
    let mut calendar = calendar();
    let mut night = calendar.general.clone();
    night.days.starts_at = "14:00:00".parse().unwrap();
    night.weekly_off = WeeklyOff::NONE;
    calendar.departments.insert("guards".to_owned(), night);
    let mut guard = person(2, "2020-01-01", &[]);
    guard.department = Some("Guards".to_owned());
    // At noon of the seventh, the guards' sixth is not over.
    let people = vec![person(1, "2020-01-01", &EVERY_DAY), guard];
    let register = derive("2024-02-07", &calendar, &[], people);
    assert_eq!(text(&register.rows[1]), "AAAAAa.......................");
}

#[test]
fn who_joined_later_has_no_line_and_an_empty_month_no_footnote() {
    assert!(february("2024-03-05", vec![person(1, "2024-03-01", &[])]).is_empty());
    let register = derive("2024-03-05", &calendar(), &[], Vec::new());
    assert_eq!(register.days.len(), 29);
    assert!(register.notes.is_empty());
}
