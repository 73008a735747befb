//! The calendar of real processes: from the configuration into the database, and from there into
//! every flash and report.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;

use common::{ASHA, Client, Proc, RAVI, Site, TestClock, ended};

const CONFIGURATION: &str = r#"
[calendar]
weekly_off = ["sunday", "2nd saturday"]
holiday_files = ["holidays.ics"]
[calendar.holidays]
01-26 = "Republic Day"
2024-02-14 = "Spring"
[calendar.departments.Guards]
day_starts_at = "12:00"
weekly_off = []
common_holidays = false
"#;

const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n\
    DTSTART;VALUE=DATE:20200222\r\nDTEND;VALUE=DATE:20200224\r\nRRULE:FREQ=YEARLY\r\n\
    SUMMARY:Fair\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn configured(site: &Site) {
    let file = |name| site.folder.path().join(name);
    fs::write(file("twinkle.toml"), CONFIGURATION).unwrap();
    fs::write(file("holidays.ics"), HOLIDAYS).unwrap();
}

/// Asha's marks of February 2024, from the clock's day 2024-03-05 on.
fn asha(site: &Site) -> String {
    let csv = site.ok(&["report", "--month", "2024-02", "--format", "csv"]);
    let row = csv.lines().find(|line| line.starts_with("1,")).unwrap();
    let marks = row.split(',').skip(2).take(29);
    marks
        .map(|mark| if mark.is_empty() { "." } else { mark })
        .collect()
}

#[test]
fn holidays_of_the_configuration_and_of_a_file_are_everybodys() {
    let site = Site::seeded();
    configured(&site);
    site.sql()
        .execute("UPDATE employee SET joined = '2024-01-01'", [])
        .unwrap();
    assert_eq!(asha(&site), "aaaWaaaaaaWaaaaaaWaaaaaaWaaaa");
    // Only what the database knows counts, so that all see the same.
    let load = [
        "--config",
        "twinkle.toml",
        "central",
        "calendar",
        "--load",
        "--by",
        "Office",
    ];
    let said = site.ok(&load);
    assert!(
        said.contains("weekly off: 2nd saturday, sunday; was sunday"),
        "{said}"
    );
    assert!(
        said.contains("holiday added: Fair, 2020-02-22, 2020-02-23, 2021-02-22"),
        "{said}"
    );
    assert_eq!(site.ok(&load), "the calendar is so already\n");
    assert_eq!(asha(&site), "aaaWaaaaaWWaaHaaaWaaaHHaWaaaa");
    let shown = site.ok(&["central", "calendar", "--year", "2024"]);
    let expected = "\
days in UTC, weekly off 2nd saturday, sunday
department guards: days from 12:00 in UTC, weekly off none, holidays of its own only

day         weekday    holiday       department
───────────────────────────────────────────────
2024-01-26  Friday     Republic Day
2024-02-14  Wednesday  Spring
2024-02-22  Thursday   Fair
2024-02-23  Friday     Fair
";
    assert_eq!(shown, expected);
    let who: String = site
        .sql()
        .query_row(
            "SELECT who FROM audit WHERE action = 'calendar' LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(who.starts_with("Office (as "), "{who}");
}

#[test]
fn a_broken_holiday_file_changes_nothing_and_stops_no_central() {
    let site = Site::seeded();
    configured(&site);
    let file = site.folder.path().join("holidays.ics");
    let load = ["--config", "twinkle.toml", "central", "calendar", "--load"];
    fs::write(&file, "BEGIN:VCALENDAR\r\nno calendar").unwrap();
    let refused = site.run(&load);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("holidays.ics: it is no iCalendar file"),
        "{refused:?}"
    );
    fs::remove_file(&file).unwrap();
    let refused = site.run(&load);
    assert!(
        refused.stderr.contains("cannot read the holidays in"),
        "{refused:?}"
    );
    let serve = [
        "--config",
        "twinkle.toml",
        "central",
        "--listen",
        "127.0.0.1:0",
    ];
    let central = Proc::server(&mut site.command(&serve));
    central.stderr.wait_for("the calendar stays as it was");
    assert_eq!(site.count("SELECT count(*) FROM holiday"), 0);
    let mut load = site.command(&["central", "calendar", "--load"]);
    let refused = ended(load.env_remove("TWINKLE_TIMEZONE"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[test]
fn a_night_shift_of_a_department_belongs_to_the_day_on_which_it_began() {
    let site = Site::seeded();
    configured(&site);
    site.ok(&["employee", "edit", "2", "--department", "Guards"]);
    site.ok(&["employee", "resume", "2"]);
    site.sql()
        .execute("UPDATE employee SET joined = '2024-01-01'", [])
        .unwrap();
    site.sql()
        .execute("UPDATE assignment SET from_day = '2024-01-01'", [])
        .unwrap();
    let clock = TestClock::standing_at(site.folder.path(), "2024-02-29T01:30:00Z");
    let serve = [
        "central",
        "--listen",
        "127.0.0.1:0",
        "--timezone",
        "Asia/Kolkata",
    ];
    let mut serve = site.command(&serve);
    clock.give_to(&mut serve);
    let central = Proc::server(&mut serve);
    let days = || -> Vec<(i64, String)> {
        let sql = site.sql();
        let mut select = sql
            .prepare("SELECT employee, day FROM attendance ORDER BY 1, 2")
            .unwrap();
        let rows = select
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut door = Client::door(central.address(), "gate");
    // The central does not know yet that guards' days differ.
    assert_eq!(door.flash(RAVI).verdict, "open");
    assert_eq!(days(), [(2, "2024-02-29".to_owned())]);
    let load = ["--config", "twinkle.toml", "central", "calendar", "--load"];
    site.ok(&load);
    assert_eq!(door.flash(RAVI).verdict, "open");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let expected = [(1, "2024-02-29"), (2, "2024-02-28"), (2, "2024-02-29")];
    assert_eq!(days(), expected.map(|(who, day)| (who, day.to_owned())));
    // At half past eleven it is still the guards' 28th.
    let mut report = site.command(&["report", "--month", "2024-02", "--format", "csv"]);
    clock.stand_at("2024-02-29T11:30:00Z");
    clock.give_to(&mut report);
    let printed = ended(&mut report).stdout;
    let ravi = printed.lines().nth(2).unwrap();
    assert!(ravi.ends_with(",P,P,2,0"), "{ravi}");
}

#[test]
fn a_month_in_which_clocks_change_has_each_flash_on_its_day() {
    for (zone, flashes) in [
        (
            "Europe/London",
            [
                ("2024-03-30T23:59:59Z", "2024-03-30"),
                ("2024-03-31T00:00:00Z", "2024-03-31"),
                ("2024-03-31T22:59:59Z", "2024-03-31"),
                ("2024-03-31T23:00:00Z", "2024-04-01"),
                ("2024-10-26T23:00:00Z", "2024-10-27"),
                ("2024-10-27T23:59:59Z", "2024-10-27"),
            ],
        ),
        (
            "America/New_York",
            [
                ("2024-03-10T04:59:59Z", "2024-03-09"),
                ("2024-03-10T05:00:00Z", "2024-03-10"),
                ("2024-03-11T03:59:59Z", "2024-03-10"),
                ("2024-11-03T04:00:00Z", "2024-11-03"),
                ("2024-11-04T04:59:59Z", "2024-11-03"),
                ("2024-11-04T05:00:00Z", "2024-11-04"),
            ],
        ),
    ] {
        let site = Site::seeded();
        site.sql()
            .execute("UPDATE assignment SET from_day = '2024-01-01'", [])
            .unwrap();
        let clock = TestClock::standing_at(site.folder.path(), flashes[0].0);
        let mut serve = site.command(&["central", "--listen", "127.0.0.1:0", "--timezone", zone]);
        clock.give_to(&mut serve);
        let central = Proc::server(&mut serve);
        for (at, day) in flashes {
            clock.stand_at(at);
            let mut door = Client::door(central.address(), "gate");
            assert_eq!(door.flash(ASHA).verdict, "open");
            let stored: String = site
                .sql()
                .query_row(
                    "SELECT day FROM event ORDER BY id DESC LIMIT 1",
                    [],
                    |row| row.get(0),
                )
                .unwrap();
            assert_eq!(stored, day, "{zone} {at}");
        }
    }
}
