//! What an administrator changes about employees, and what a running central makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{ASHA, Day, Site, refused};

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
    let mut day = Day::new();
    let depart = |day: &Day, rest: &[&str]| day.ok(&[&["depart"], rest].concat());
    assert_eq!(
        depart(&day, &["1"]),
        "1: Asha Rao's last day is 2024-02-28\n"
    );
    let again = depart(&day, &["1", "--on", "2024-02-28"]);
    assert_eq!(again, "1: Asha Rao leaves on 2024-02-28 already\n");
    day.opens_for(ASHA, "Asha Rao");
    let yesterday = depart(&day, &["1", "--on", "yesterday"]);
    assert_eq!(yesterday, "1: Asha Rao left on 2024-02-27\n");
    day.opens_not(ASHA, "left");
    refused(
        &day.run(&["depart", "1", "--on", "2024-01-31"]),
        3,
        "Asha Rao (1) joined on 2024-02-01: the last day cannot be 2024-01-31, before that",
    );
    let list = day.ok(&["list"]);
    assert!(
        list.ends_with("\n\n1 more left; --all shows them too\n"),
        "{list}"
    );
    assert!(!list.contains("Asha"), "{list}");
    let all = day.ok(&["list", "--all"]);
    assert!(
        all.contains("1  Asha Rao            2024-02-01  left\n"),
        "{all}"
    );

    // The badge is free for somebody else, and then the departure cannot be undone.
    let add = ["add", "Zoë", "--twinklet", "7", "--joined"];
    let too_early = day.run(&[&add[..], &["2024-02-27"]].concat());
    refused(&too_early, 3, "twinklet 7 belongs to Asha Rao (1)");
    day.ok(&[&add[..], &["2024-02-28"]].concat());
    day.opens_for(ASHA, "Zoë");
    refused(
        &day.run(&["depart", "1", "--undo"]),
        3,
        "twinklet 7 belongs to Zoë (3) since 2024-02-28",
    );
    depart(&day, &["3", "--on", "2024-03-01"]);
    assert_eq!(depart(&day, &["3", "--undo"]), "3: Zoë stays\n");
    assert_eq!(depart(&day, &["3", "--undo"]), "3: Zoë had no last day\n");
}

#[test]
fn a_dry_run_says_everything_and_changes_nothing() {
    let mut day = Day::new();
    let before = day.site.count("SELECT count(*) FROM audit");
    for args in [
        &["lost", "1"][..],
        &["depart", "1", "--on", "yesterday"],
        &["replace", "1", "--with", "12"],
        &["ungrant", "1", "--all"],
        &["edit", "1", "--name", "Zoë", "--hours", "sun 01:00-02:00"],
        &["add", "Zoë", "--twinklet", "12"],
    ] {
        let dry = [args, &["--dry-run"]].concat();
        let said = day.ok(&dry);
        let (said, last) = said.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(last, "Nothing was changed: this was a dry run.");
        assert!(said.contains("Asha Rao") || said.contains("Zoë"), "{said}");
    }
    refused(
        &day.run(&["add", "Zoë", "--twinklet", "7", "--dry-run"]),
        3,
        "belongs to",
    );
    day.opens_for(ASHA, "Asha Rao");
    assert_eq!(day.site.count("SELECT count(*) FROM audit"), before);
    assert_eq!(day.site.count("SELECT count(*) FROM employee"), 2);
}

#[test]
fn the_history_says_who_changed_what_when() {
    let day = Day::new();
    day.ok(&[
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--department",
        "Optics",
        "--by",
        "Meera",
    ]);
    day.ok(&["lost", "1"]);
    day.ok(&["replace", "1", "--with", "12"]);
    day.ok(&["ungrant", "1", "--all"]);
    let history = day.ok(&["history", "1", "--format", "csv"]);
    let rows: Vec<_> = history.lines().collect();
    assert_eq!(rows[0], "time,who,action,change");
    assert!(
        rows[1].contains(",add,joined 2024-02-01; name Asha Rao; twinklet 7"),
        "{history}"
    );
    assert!(
        rows[2].starts_with("2024-02-28T12:00:00+00:00,Meera (as "),
        "{history}"
    );
    assert!(
        rows[2].ends_with("),edit,department Optics; name Asha Rao -> Asha Menon"),
        "{history}"
    );
    let ends: Vec<_> = rows[3..]
        .iter()
        .map(|row| row.splitn(3, ',').nth(2).unwrap())
        .collect();
    assert_eq!(
        ends,
        [
            "lost,twinklet 7 -> -",
            "replace,twinklet 7 -> 12",
            "ungrant,doors every -> none"
        ]
    );
    assert_eq!(day.ok(&["history", "1"]).lines().count(), 2 + 5);
}

#[test]
fn an_erased_name_is_nowhere_and_the_days_stay() {
    let mut day = Day::new();
    day.opens_for(ASHA, "Asha Rao");
    day.ok(&[
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--department",
        "Quantum",
    ]);
    let erase = ["erase", "1", "--reason", "Asha Rao asked for it"];
    day.ok(&["mark", "1", "today", "HD", "--reason", "asha menon was ill"]);
    let closed = day.site.run(&["report", "--month", "2024-02", "--close"]);
    assert_eq!(closed.code, Some(0), "{closed:?}");
    let here = day.run(&erase);
    refused(
        &here,
        3,
        "Asha Menon (1) has not left; 'twinkle employee depart 1' comes first",
    );
    day.ok(&["depart", "1", "--on", "yesterday"]);
    refused(&day.run(&["erase", "1"]), 2, "--reason");
    let dry = day.ok(&[&erase[..], &["--dry-run"]].concat());
    assert!(
        dry.ends_with("Nothing was changed: this was a dry run.\n"),
        "{dry}"
    );
    assert_eq!(
        day.site
            .count("SELECT count(*) FROM employee WHERE name = 'Asha Menon'"),
        1
    );
    let said = day.ok(&erase);
    assert!(
        said.starts_with("1 is 'erased 1' from now on; days and totals stay."),
        "{said}"
    );
    assert_eq!(
        day.site
            .count("SELECT count(*) FROM attendance WHERE employee = 1"),
        1
    );
    let history = day.ok(&["history", "1", "--format", "csv"]);
    assert!(
        history.contains(",erase,erased 1 asked for it"),
        "{history}"
    );
    let events = day.site.ok(&["report", "events"]);
    assert!(events.contains("erased 1"), "{events}");

    // Not in what is left of it in the files either.
    drop(day.door);
    drop(day.central);
    for file in std::fs::read_dir(day.site.folder.path()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        for name in ["asha", "menon", "quantum"] {
            let found = bytes
                .windows(name.len())
                .any(|window| window.eq_ignore_ascii_case(name.as_bytes()));
            assert!(!found, "{name} is in {}", file.display());
        }
    }
}
