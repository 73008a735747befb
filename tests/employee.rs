//! What an administrator changes about employees, and what a running central makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{ASHA, Client, Ended, Site, TestClock};

/// Fails unless a command was refused with this code and one line that says this.
fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(code), ""),
        "{ended:?}"
    );
    assert!(ended.stderr.contains(says), "{ended:?}");
}

/// What the audit says: action, old, new.
fn audited(site: &Site) -> Vec<(String, String, String)> {
    let sql = site.sql();
    let mut select = sql
        .prepare("SELECT action, old, new FROM audit ORDER BY id")
        .unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_change_is_audited_with_its_author_and_values() {
    let site = Site::new();
    site.ok(&["central", "init"]);
    let add = ["employee", "add", "Asha Rao", "--twinklet", "7"];
    site.ok(&[&add[..], &["--joined", "2024-02-01"]].concat());
    site.ok(&[
        "employee",
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--department",
        "Optics",
    ]);
    site.ok(&[
        "employee",
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--by",
        "Meera",
    ]);
    site.ok(&[
        "employee",
        "edit",
        "1",
        "--department",
        "",
        "--off-register",
        "--by",
        "Meera",
    ]);
    site.ok(&["employee", "suspend", "1"]);
    site.ok(&["employee", "suspend", "1"]);
    site.ok(&["employee", "resume", "1"]);
    let rows = audited(&site);
    let row = |row: usize| {
        (
            rows[row].0.as_str(),
            rows[row].1.as_str(),
            rows[row].2.as_str(),
        )
    };
    assert_eq!(rows.len(), 5, "what changes nothing is not written down");
    assert_eq!(
        row(0),
        (
            "add",
            "{}",
            r#"{"joined":"2024-02-01","name":"Asha Rao","twinklet":"7"}"#
        )
    );
    assert_eq!(
        row(1),
        (
            "edit",
            r#"{"name":"Asha Rao"}"#,
            r#"{"department":"Optics","name":"Asha Menon"}"#
        )
    );
    assert_eq!(
        row(2),
        (
            "edit",
            r#"{"department":"Optics"}"#,
            r#"{"off-register":"yes"}"#
        )
    );
    assert_eq!(row(3), ("suspend", "{}", r#"{"suspended":"yes"}"#));
    assert_eq!(row(4), ("resume", r#"{"suspended":"yes"}"#, "{}"));
    let by_meera = "SELECT count(*) FROM audit WHERE who LIKE 'Meera (as _%)'";
    assert_eq!(site.count(by_meera), 1);
    assert_eq!(
        site.count("SELECT count(*) FROM audit WHERE who NOT LIKE 'Meera%'"),
        4
    );
}

#[test]
fn an_edit_says_what_it_changed() {
    let site = Site::seeded();
    let edit = |rest: &[&str]| site.ok(&[&["employee", "edit"], rest].concat());
    assert_eq!(
        edit(&[
            "asha rao",
            "--name",
            "Asha Menon",
            "--department",
            " Optics "
        ]),
        "edited 1: Asha Menon\n  name        Asha Rao -> Asha Menon\n  department  - -> Optics\n"
    );
    assert_eq!(
        edit(&["1", "--department", "Optics"]),
        "1: Asha Menon is so already\n"
    );
    assert_eq!(
        edit(&[
            "--twinklet",
            "7",
            "--joined",
            "2024-01-15",
            "--department",
            ""
        ]),
        "edited 1: Asha Menon\n  department  Optics -> -\n  joined      2024-02-01 -> 2024-01-15\n"
    );
    assert_eq!(
        edit(&["1", "--off-register"]),
        "edited 1: Asha Menon\n  off-register  - -> yes\n"
    );
    let run = |rest: &[&str]| site.run(&[&["employee", "edit"], rest].concat());
    refused(&run(&["1"]), 2, "--department");
    refused(&run(&["--name", "Asha"]), 2, "EMPLOYEE");
    refused(
        &run(&["1", "--on-register", "--off-register"]),
        2,
        "cannot be used with",
    );
    refused(
        &run(&["1", "--department", "a\tb"]),
        2,
        "a department's name has 1 to 64",
    );
    refused(&run(&["1", "--by", "42", "--on-register"]), 2, "no letter");
}

#[test]
fn who_departs_gets_in_until_the_last_day_and_not_after_it() {
    let site = Site::seeded();
    let clock = TestClock::standing_at(site.folder.path(), "2024-02-28T12:00:00Z");
    let run = |args: &[&str]| {
        let mut command = site.command(args);
        clock.give_to(&mut command);
        common::ended(&mut command)
    };
    let mut command = site.command(&["central", "--listen", "127.0.0.1:0"]);
    clock.give_to(&mut command);
    let central = common::Proc::server(&mut command);
    let mut door = Client::door(central.address(), "lab");
    let depart = |rest: &[&str]| run(&[&["employee", "depart"], rest].concat()).stdout;

    assert_eq!(depart(&["1"]), "1: Asha Rao's last day is 2024-02-28\n");
    assert_eq!(
        depart(&["1", "--on", "2024-02-28"]),
        "1: Asha Rao leaves on 2024-02-28 already\n"
    );
    assert_eq!(door.flash(ASHA).verdict, "open");
    assert_eq!(
        depart(&["1", "--on", "2024-02-27"]),
        "1: Asha Rao left on 2024-02-27\n"
    );
    assert_eq!(door.flash(ASHA).verdict, "left");
    refused(
        &run(&["employee", "depart", "1", "--on", "2024-01-31"]),
        3,
        "Asha Rao (1) joined on 2024-02-01: the last day cannot be 2024-01-31, before that",
    );
    let list = run(&["employee", "list"]).stdout;
    assert!(
        list.ends_with("\n\n1 more left; --all shows them too\n"),
        "{list}"
    );
    assert!(!list.contains("Asha"), "{list}");
    let all = run(&["employee", "list", "--all"]).stdout;
    assert!(
        all.contains("1  Asha Rao            2024-02-01  left\n"),
        "{all}"
    );

    // The badge is free for somebody else, and then the departure cannot be undone.
    let add = ["employee", "add", "Zoë", "--twinklet", "7", "--joined"];
    refused(
        &run(&[&add[..], &["2024-02-27"]].concat()),
        3,
        "twinklet 7 belongs to Asha Rao (1)",
    );
    assert_eq!(run(&[&add[..], &["2024-02-28"]].concat()).code, Some(0));
    assert_eq!(door.flash(ASHA).name.as_deref(), Some("Zoë"));
    refused(
        &run(&["employee", "depart", "1", "--undo"]),
        3,
        "twinklet 7 belongs to Zoë (3) since 2024-02-28",
    );
    assert_eq!(
        run(&["employee", "depart", "3", "--on", "2024-03-01"]).code,
        Some(0)
    );
    assert_eq!(depart(&["3", "--undo"]), "3: Zoë stays\n");
    assert_eq!(depart(&["3", "--undo"]), "3: Zoë had no last day\n");
}
