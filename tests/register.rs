//! The office's work on a register: corrections, a month as it is signed, the sheet, exits.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;

use common::{ASHA, Client, Site};

/// A site in which Asha was there on each day from the 1st to the 20th of February 2024, and Ravi
/// on the 5th; both joined long before.
fn february() -> Site {
    let site = Site::seeded();
    let sql = site.sql();
    sql.execute("UPDATE employee SET joined = '2023-01-01'", [])
        .unwrap();
    for (employee, day) in (1..=20).map(|day| (1, day)).chain([(2, 5)]) {
        present(&site, employee, day);
    }
    site
}

fn present(site: &Site, employee: i64, day: u32) {
    let at = 1_706_745_600_000 + i64::from(day - 1) * 86_400_000 + 9 * 3_600_000;
    let values = (format!("2024-02-{day:02}"), employee, at, at + 3_600_000);
    site.sql()
        .execute(
            "INSERT INTO counted (day, employee, first, last, flashes) VALUES (?1, ?2, ?3, ?4, 2)",
            values,
        )
        .unwrap();
}

fn line(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.contains(name)).unwrap();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

const MONTH: [&str; 3] = ["report", "--month", "2024-02"];

#[test]
fn corrections_count_are_starred_and_explained_and_may_be_undone() {
    let site = february();
    let mark =
        |args: &[&str]| site.run(&[&["employee", "mark"], args, &["--by", "Office"]].concat());
    let said = mark(&["2", "2024-02-06", "P", "--reason", "forgot his badge"]);
    assert!(
        said.stdout.starts_with("marked 2024-02-06 P for 2: Ravi"),
        "{said:?}"
    );
    mark(&["--twinklet", "8", "2024-02-07", "hd", "--reason", "dentist"]);
    mark(&["2", "2024-02-08", "L", "--reason", "annual leave"]);
    mark(&["2", "2024-02-09", "L", "--reason", "a slip"]);
    mark(&["2", "2024-02-09", "auto", "--reason", "came after all"]);
    let said = mark(&[
        "--all",
        "2024-02-21",
        "P",
        "--reason",
        "the central was down",
    ]);
    assert!(said.stdout.contains("for 1: Asha Rao, 2: Ravi"), "{said:?}");
    let text = site.ok(&MONTH);
    let ravi = line(&text, "2 Ravi");
    assert!(ravi.contains("P P* HD* L* A"), "{ravi}");
    assert!(ravi.ends_with(" 3.5 13.5 1"), "TD, WO and L: {ravi}");
    assert!(
        text.contains("* 6 Feb P Ravi: forgot his badge (Office (as "),
        "{text}"
    );
    assert!(
        text.contains("* 21 Feb P Asha Rao, Ravi: the central was down"),
        "{text}"
    );
    assert_eq!(site.count("SELECT count(*) FROM correction"), 7);
    for (args, code, says) in [
        (
            &["2", "2024-02-09", "auto", "--reason", "x"][..],
            3,
            "has no correction on",
        ),
        (
            &["2", "2022-02-09", "P", "--reason", "x"],
            3,
            "joined on 2023-01-01",
        ),
        (
            &["2", "2099-02-09", "P", "--reason", "x"],
            2,
            "still to come",
        ),
        (
            &["2", "2024-02-09", "X", "--reason", "x"],
            2,
            "write a mark as",
        ),
        (
            &["2024-02-09", "P", "--reason", "x"],
            2,
            "EMPLOYEE DAY MARK",
        ),
        (
            &["2", "2024-02-09", "P", "--reason", " "],
            2,
            "write a reason",
        ),
        (
            &["Ravy", "2024-02-09", "P", "--reason", "x"],
            3,
            "did you mean 'Ravi'",
        ),
    ] {
        let refused = mark(args);
        assert_eq!(refused.code, Some(code), "{refused:?}");
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
}

#[test]
fn a_signed_month_stays_and_what_changes_is_listed_beside_it() {
    let site = february();
    let signed = site.ok(&[&MONTH[..], &["--close", "--by", "Clerk"]].concat());
    let ravi = line(&signed, "2 Ravi");
    assert!(signed.contains("Signed by Clerk (as "), "{signed}");
    let again = site.run(&[&MONTH[..], &["--close"]].concat());
    assert_eq!(again.code, Some(3), "{again:?}");
    present(&site, 2, 7);
    site.sql()
        .execute(
            "DELETE FROM counted WHERE employee = 2 AND day = '2024-02-05'",
            [],
        )
        .unwrap();
    let late = site.run(&[
        "employee",
        "mark",
        "2",
        "2024-02-06",
        "L",
        "--reason",
        "told us late",
    ]);
    assert!(late.stderr.contains("shown as an amendment"), "{late:?}");
    site.ok(&["central", "init", "--weekly-off", "sunday,2nd saturday"]);
    let text = site.ok(&MONTH);
    assert_eq!(line(&text, "2 Ravi"), ravi);
    let amended: Vec<_> = text.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(amended.len(), 4, "{text}");
    assert_eq!(
        amended[0],
        "- 5 Feb Ravi: P, now A: the flashes of that day count no longer"
    );
    assert!(
        amended[1].starts_with("- 6 Feb Ravi: A, now L: told us late ("),
        "{text}"
    );
    assert_eq!(
        amended[2],
        "- 7 Feb Ravi: A, now P: a flash of 09:00 came in later"
    );
    assert_eq!(amended[3], "- 10 Feb Ravi: A, now W: the calendar changed");
    assert!(!text.contains("* corrected"), "{text}");
    let reopen = [&MONTH[..], &["--reopen"]].concat();
    assert_eq!(site.run(&reopen).code, Some(2));
    site.ok(&[&reopen[..], &["--reason", "a mistake"]].concat());
    assert!(line(&site.ok(&MONTH), "2 Ravi").contains("A L* P A"));
    assert_eq!(
        site.run(&["report", "--month", "--close"]).code,
        Some(3),
        "it is not over"
    );
}

#[test]
fn who_is_off_the_register_has_no_line() {
    let site = february();
    site.ok(&["employee", "edit", "2", "--off-register"]);
    assert!(!site.ok(&MONTH).contains("Ravi"));
    let one = site.ok(&[&MONTH[..], &["--employee", "2"]].concat());
    assert!(
        one.contains("Register of Ravi (2), February 2024"),
        "asked for by name: {one}"
    );
}

#[test]
fn months_of_one_employee_are_lines_and_hours_are_said() {
    let site = february();
    let range = [
        "report",
        "--from",
        "2024-01-30",
        "--to",
        "2024-02-06",
        "--employee",
        "1",
    ];
    let text = site.ok(&range);
    assert!(
        text.starts_with("Register of Asha Rao (1), January 2024 to February 2024, 2024-01-30")
    );
    assert!(
        line(&text, "FEB 2024").starts_with("FEB 2024 P P P P P P"),
        "{text}"
    );
    let hours = site.ok(&[&range[..], &["--hours"]].concat());
    assert!(
        line(&hours, "09:00").starts_with("in 09:00 09:00"),
        "{hours}"
    );
    assert!(
        line(&hours, "  1:00").starts_with("hours 1:00 1:00"),
        "{hours}"
    );
    let csv = site.ok(&[&range[..], &["--format", "csv"]].concat());
    assert!(
        csv.lines()
            .nth(2)
            .unwrap()
            .starts_with("2024-02,1,Asha Rao,P,P,P,P,P,P,,"),
        "{csv}"
    );
    let json = site.ok(&[&MONTH[..], &["--format", "json"]].concat());
    let month: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(month["employees"][0]["marks"][0], "P");
}

#[test]
fn a_sheet_is_written_whole_or_not_at_all() {
    let site = february();
    let file = site.folder.path().join("february.xlsx");
    site.ok(&[&MONTH[..], &["-o", file.to_str().unwrap()]].concat());
    assert!(fs::read(&file).unwrap().starts_with(b"PK"));
    let nowhere = site.run(&[&MONTH[..], &["-o", "/nowhere/february.xlsx"]].concat());
    assert_eq!(nowhere.code, Some(4), "{nowhere:?}");
    assert!(
        nowhere
            .stderr
            .contains("cannot write /nowhere/february.xlsx"),
        "{nowhere:?}"
    );
}

#[test]
fn a_flash_at_an_exit_is_seen_and_makes_nobody_present() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut back = Client::door(central.address(), "back");
    let mut front = Client::door(central.address(), "front");
    back.flash(ASHA);
    let rows =
        |wanted: &str| site.count(&format!("SELECT count(*) FROM attendance WHERE {wanted}"));
    assert_eq!(rows("first IS NOT NULL"), 1);
    site.ok(&["central", "door", "back", "--direction", "out"]);
    assert_eq!(
        rows("first IS NULL AND flashes = 1"),
        1,
        "those of today are counted anew"
    );
    back.flash(ASHA);
    assert_eq!(rows("first IS NULL AND flashes = 2"), 1);
    front.flash(ASHA);
    back.flash(ASHA);
    assert_eq!(
        rows("first IS NOT NULL AND first <= last AND flashes = 4"),
        1
    );
    assert!(
        site.ok(&["central", "door", "back"])
            .contains("out; a flash is seen")
    );
    let unknown = site.run(&["central", "door", "bakc", "--direction", "in"]);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
    assert!(
        unknown.stderr.contains("did you mean 'back'?"),
        "{unknown:?}"
    );
}
