//! The register and the events as commands print them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;

use common::{ASHA, Client, Ended, NOBODY, Proc, RAVI, Site, TestClock};

/// A site in which Asha was there on every working day of February 2024 but the 14th, Ravi on the
/// 5th and on Sunday the 11th, and nobody on the 20th.
fn february() -> Site {
    let site = Site::seeded();
    let sql = site.sql();
    let present = |employee: i64, day: u32| {
        let at = 1_706_745_600_000 + i64::from(day - 1) * 86_400_000 + 9 * 3_600_000;
        let day = format!("2024-02-{day:02}");
        sql.execute(
            "INSERT INTO counted (day, employee, first, last, flashes) VALUES (?1, ?2, ?3, ?3, 1)",
            (day, employee, at),
        )
        .unwrap();
    };
    let off = [4, 11, 18, 25];
    (1..=29)
        .filter(|day| !off.contains(day) && ![14, 20].contains(day))
        .for_each(|day| present(1, day));
    present(2, 5);
    present(2, 11);
    present(2, 14);
    site
}

fn refused(ended: &Ended, says: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(2), ""),
        "{ended:?}"
    );
    assert!(ended.stderr.contains(says), "{ended:?}");
}

#[test]
fn a_month_is_printed_with_its_real_days_marks_and_totals() {
    let site = february();
    assert_eq!(
        site.ok(&["report", "--month", "2024-02"]),
        "\
Register of February 2024

No Name      01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29  TD WO
             Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu We Th Fr Sa Su Mo Tu We Th
──────────────────────────────────────────────────────────────────────────────────────────────────────────
 1 Asha Rao   P  P  P  W  P  P  P  P  P  P  W  P  P  A  P  P  P  W  P  a  P  P  P  P  W  P  P  P  P  23  1
 2 Ravi       A  A  A  W  P  A  A  A  A  A  P  A  A  P  A  A  A  W  A  a  A  A  A  A  W  A  A  A  A   3 22

P present  A absent  a not final  W weekly off  TD total days  WO work off
Nobody was seen on 20 Feb: an outage or a holiday? Not counted as absent.
"
    );
    let csv = site.ok(&["report", "--month", "2024-02", "--format", "csv"]);
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0].len(), 2 + 29 + 2);
    assert_eq!((rows[0][2], rows[0][30]), ("2024-02-01", "2024-02-29"));
    assert_eq!((rows[2][15], &rows[2][31..]), ("P", &["3", "22"][..]));
}

#[test]
fn weekly_offs_and_the_timezone_are_settings() {
    let site = february();
    site.ok(&["central", "init", "--weekly-off", "sat,sun"]);
    let both = site.ok(&["report", "--month", "2024-02"]);
    let ravi = both.lines().find(|line| line.contains("Ravi")).unwrap();
    assert!(
        ravi.contains("A  A  W  W  P  A  A  A  A  W  P  A"),
        "{ravi}"
    );
    site.ok(&["central", "init", "--weekly-off", "none"]);
    let none = site.ok(&["report", "--month", "2024-02"]);
    assert!(
        !none
            .lines()
            .any(|line| line.contains("Asha") && line.contains('W')),
        "{none}"
    );
    refused(
        &site.run(&["central", "init", "--weekly-off", "sonntag"]),
        "write weekdays as",
    );
    refused(
        &site.run(&["report", "--month", "--timezone", "Mars/Olympus"]),
        "Mars/Olympus",
    );

    // A flash at this moment counts for the day that it is at the site.
    let central = site.central(0, &["--timezone", "Pacific/Kiritimati"]);
    assert_eq!(
        Client::door(central.address(), "lab").flash(ASHA).verdict,
        "open"
    );
    let day: String = site
        .sql()
        .query_row("SELECT max(day) FROM attendance", [], |row| row.get(0))
        .unwrap();
    let kiritimati = site
        .sql()
        .query_row("SELECT date('now', '+14 hours')", [], |row| {
            row.get::<_, String>(0)
        })
        .unwrap();
    assert_eq!(day, kiritimati);
}

#[test]
fn months_without_anything_to_say_say_so() {
    let site = Site::new();
    site.ok(&["central", "init"]);
    let nobody = |month: &str| {
        let text = site.ok(&["report", "--month", month]);
        assert!(
            text.ends_with("\n\nNobody was employed in that month.\n"),
            "{text}"
        );
        text
    };
    assert!(nobody("2024-02").starts_with("Register of February 2024\n"));
    nobody("this");

    let site = february();
    let before = site.ok(&["report", "--month", "2023-12"]);
    assert_eq!(
        before,
        "Register of December 2023\n\nNobody was employed in that month.\n"
    );
    let csv = site.ok(&["report", "--month", "2023-12", "--format", "csv"]);
    assert!(
        csv.starts_with("number,name,2023-12-01,") && csv.lines().count() == 1,
        "{csv}"
    );

    let future = site.ok(&["report", "--month", "2099-02"]);
    let asha = future.lines().find(|line| line.contains("Asha")).unwrap();
    let marks: String = asha.split_whitespace().skip(3).collect();
    assert_eq!(
        marks, "WWWW00",
        "only the weekly offs of days to come are shown"
    );
}

#[test]
fn months_that_are_none_explain_themselves() {
    let site = Site::seeded();
    for bad in ["13", "2026-13", "0", "novembre", "2026-11-22"] {
        let ended = site.run(&["report", "--month", bad]);
        refused(&ended, &format!("invalid value '{bad}' for '--month"));
        refused(&ended, "write a month as 2026-11, 11, nov, this or last");
    }
    refused(&site.run(&["report"]), "--month");
    refused(
        &site.run(&["report", "--month", "2", "events"]),
        "say either --month or --from, for a register, or events",
    );
}

#[test]
fn events_are_listed_newest_last() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    assert!(site.ok(&["report", "events"]).starts_with("no events yet"));
    let mut door = Client::door(central.address(), "lab");
    for badge in [99, ASHA, 98, 97] {
        door.flash(badge);
    }
    let last = site.ok(&["report", "events", "--last", "3"]);
    let lines: Vec<_> = last.lines().collect();
    assert!(lines[0].starts_with("time                 door  relay  twinklet  number  employee"));
    assert_eq!(lines.len(), 2 + 3, "{last}");
    assert!(
        lines[2].ends_with("  lab   -             7       1  Asha Rao  open"),
        "{last}"
    );
    assert!(
        lines[4].ends_with("  lab   -            97       -  -         unknown-twinklet"),
        "{last}"
    );
    let all = site.ok(&["report", "events", "--format", "csv"]);
    assert_eq!(all.lines().count(), 1 + 4);
    assert!(
        all.starts_with("time,door,relay,twinklet,number,employee,what\r\n"),
        "{all}"
    );
    let json = site.ok(&["report", "events", "--format", "json", "--last", "2"]);
    let objects: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((objects.len(), &objects[1]["twinklet"]), (2, &97.into()));
    assert_eq!(objects[1]["employee"], serde_json::Value::Null);
}

/// Flashes on two days at two doors.
fn flashes() -> Site {
    let site = Site::seeded();
    let clock = TestClock::standing_at(site.folder.path(), "2024-02-15T08:00:00Z");
    let listen = format!("{}:0", site.host);
    let mut command = site.command(&["central", "--listen", &listen]);
    clock.give_to(&mut command);
    let central = Proc::server(&mut command);
    let mut lab = Client::door(central.address(), "lab");
    let mut back = Client::door(central.address(), "back");
    lab.flash(ASHA);
    lab.flash(RAVI);
    back.flash(NOBODY);
    clock.stand_at("2024-02-16T23:59:59Z");
    back.flash(ASHA);
    let lost = back.new_flash(ASHA);
    back.ask(&lost);
    back.undelivered(lost.event);
    clock.stand_at("2024-02-17T00:00:00Z");
    back.flash(ASHA);
    site
}

#[test]
fn events_are_found_by_who_where_when_and_how_they_ended() {
    let site = flashes();
    let found = |filter: &str| {
        let args = ["report", "events", "--format", "csv"];
        let args: Vec<_> = args.into_iter().chain(filter.split(' ')).collect();
        let csv = site.ok(&args);
        let rows = csv.lines().skip(1).map(|row| {
            let cells: Vec<_> = row.split(',').collect();
            format!("{} {} {}", &cells[0][8..16], cells[1], cells[3])
        });
        rows.collect::<Vec<_>>().join(", ")
    };
    for (filter, expected) in [
        ("--employee Ravi", "15T08:00 lab 8"),
        ("--employee 1 --door lab", "15T08:00 lab 7"),
        ("--twinklet 99", "15T08:00 back 99"),
        ("--verdict refused", "15T08:00 lab 8, 15T08:00 back 99"),
        ("--verdict undelivered", "16T23:59 back 7"),
        (
            "--verdict open --door back",
            "16T23:59 back 7, 17T00:00 back 7",
        ),
        ("--reason suspended", "15T08:00 lab 8"),
        ("--on 2024-02-16", "16T23:59 back 7, 16T23:59 back 7"),
        ("--from 2024-02-17", "17T00:00 back 7"),
        ("--to 2024-02-15 --last 1", "15T08:00 back 99"),
        (
            "--from 2024-02-15 --to 2024-02-16 --door lab",
            "15T08:00 lab 7, 15T08:00 lab 8",
        ),
        ("--from 2024-02-18", ""),
    ] {
        assert_eq!(found(filter), expected, "{filter}");
    }
    let nothing = site.ok(&["report", "events", "--on", "2024-02-14"]);
    assert_eq!(nothing, "no such events\n");
}

#[test]
fn filters_that_name_nothing_say_what_is_near() {
    let site = flashes();
    for (filter, code, says) in [
        (
            &["--door", "labs"][..],
            3,
            "no door 'labs'; did you mean 'lab'?",
        ),
        (
            &["--door", "gate"],
            3,
            "no door 'gate'; there are 'back', 'lab'",
        ),
        (&["--employee", "asha"], 3, "did you mean 'Asha Rao' (1)?"),
        (&["--reason", "suspend"], 2, "did you mean suspended?"),
        (
            &["--verdict", "closed"],
            2,
            "write open, refused or undelivered",
        ),
        (
            &["--on", "today", "--from", "today"],
            2,
            "cannot be used with",
        ),
        (
            &["--from", "2024-02-02", "--to", "2024-02-01"],
            2,
            "is after --to",
        ),
        (&["--last", "0"], 2, "write a whole number"),
    ] {
        let ended = site.run(&[&["report", "events"], filter].concat());
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
}

#[test]
fn this_month_and_today_are_those_of_the_clock() {
    let site = february();
    let clock = TestClock::standing_at(site.folder.path(), "2024-02-15T12:00:00Z");
    let mut command = site.command(&["report", "--month", "--format", "csv"]);
    clock.give_to(&mut command);
    let printed = common::ended(&mut command).stdout;
    let asha = printed.lines().nth(1).unwrap();
    assert_eq!(
        asha,
        "1,Asha Rao,P,P,P,W,P,P,P,P,P,P,W,P,P,A,P,P,P,W,P,,P,P,P,P,W,P,P,P,P,23,1"
    );
    let ravi = printed.lines().nth(2).unwrap();
    assert_eq!(
        ravi,
        "2,Ravi,A,A,A,W,P,A,A,A,A,A,P,A,A,P,a,,,W,,,,,,,W,,,,,3,10"
    );
}

#[test]
fn a_register_put_into_a_folder_is_named_by_its_month() {
    let site = Site::seeded();
    let folder = site.folder.path().join("office");
    fs::create_dir(&folder).unwrap();
    let register = ["report", "--month", "2024-02", "-o", "office"];
    site.ok(&[&register[..], &["--format", "xlsx"]].concat());
    site.ok(&[&register[..], &["--format", "csv"]].concat());
    for name in ["register-2024-02.xlsx", "register-2024-02.csv"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    // One person's would take everybody's place the next time.
    let one = site.run(&[&register[..], &["--employee", "Ravi"]].concat());
    assert_eq!(one.code, Some(2), "{one:?}");
    assert!(one.stderr.contains("name a file in it"), "{one:?}");
}
