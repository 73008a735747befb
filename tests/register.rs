//! The office's work on a register: corrections, a month as it is signed, the sheet, exits.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;

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
fn a_report_takes_the_place_of_a_plain_file_alone() {
    let site = february();
    let folder = site.folder.path();
    let write = |file: &Path| {
        let named = ["--format", "csv", "-o", file.to_str().unwrap()];
        site.run(&[&MONTH[..], &named].concat())
    };
    let before = fs::read(site.db()).unwrap();
    let refused = write(&site.db());
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("is a database"), "{refused:?}");
    assert_eq!(fs::read(site.db()).unwrap(), before);

    // Where a link leads, with its permissions; and what happens to lie beside it stays.
    let [file, link, other] = ["february.csv", "link.csv", "link.csv.part"].map(|n| folder.join(n));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    symlink(&file, &link).unwrap();
    fs::write(&other, "mine").unwrap();
    assert_eq!(write(&link).code, Some(0));
    let csv = fs::read_to_string(&file).unwrap();
    assert!(csv.contains("Asha Rao"), "{csv}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&other).unwrap(), b"mine");

    // A pipe is written to, and stays one.
    let pipe = folder.join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let reader = thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    assert_eq!(write(&pipe).code, Some(0));
    assert_eq!(reader.join().unwrap(), csv);
}

#[test]
fn what_was_entered_ahead_counts_while_they_are_employed() {
    let site = february();
    let leave = ["2", "2024-02-21", "L", "--reason", "annual leave"];
    site.ok(&[&["employee", "mark"], &leave[..]].concat());
    site.ok(&["employee", "depart", "2", "--on", "2024-02-20"]);
    let month = site.ok(&[&MONTH[..], &["--format", "json"]].concat());
    let month: serde_json::Value = serde_json::from_str(&month).unwrap();
    let ravi = &month["employees"][1];
    assert_eq!(ravi["marks"][20], "", "{ravi}");
    let undo = ["2", "2024-02-21", "auto", "--reason", "has left"];
    site.ok(&[&["employee", "mark"], &undo[..]].concat());
}

#[test]
fn a_door_that_becomes_an_exit_leaves_the_days_before() {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "back");
    door.flash(ASHA);
    central.kill_9();
    site.sql()
        .execute(
            "UPDATE event SET day = date(day, '-1 day'), at = at - 86400000",
            [],
        )
        .unwrap();
    site.ok(&["central", "door", "back", "--direction", "out"]);
    assert_eq!(
        site.count("SELECT count(*) FROM attendance WHERE first IS NOT NULL"),
        1
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
