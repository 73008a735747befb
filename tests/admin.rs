//! The administrator's commands: adding, listing and suspending employees, and what a mistake gets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{Ended, Site, refused};

/// A site with an empty database.
fn empty() -> Site {
    let site = Site::new();
    site.ok(&["central", "init"]);
    site
}

fn add(site: &Site, name: &str, twinklet: &str) -> Ended {
    site.run(&[
        "employee",
        "add",
        name,
        "--twinklet",
        twinklet,
        "--joined",
        "2024-02-01",
    ])
}

#[test]
fn employees_are_added_and_listed() {
    let site = empty();
    assert_eq!(
        site.ok(&["employee", "list"]),
        "no employees yet: twinkle employee add NAME --twinklet ID\n"
    );
    let added = add(&site, "  Asha Rao ", "7");
    assert_eq!(
        added.stdout,
        "added 1: Asha Rao, twinklet 7, joined 2024-02-01\n"
    );
    assert_eq!(add(&site, "आशा राव", "9007199254740991").code, Some(0));
    assert_eq!(add(&site, "Rao, \"Asha\"", "9").code, Some(0));
    assert_eq!(
        add(&site, "Asha Rao", "10").code,
        Some(0),
        "two may share a name"
    );
    site.ok(&["employee", "suspend", "2"]);
    assert_eq!(
        site.ok(&["employee", "list"]),
        "\
number  name                 twinklet  joined      state
────────────────────────────────────────────────────────────
     1  Asha Rao                    7  2024-02-01  active
     2  आशा राव      9007199254740991  2024-02-01  suspended
     3  Rao, \"Asha\"                 9  2024-02-01  active
     4  Asha Rao                   10  2024-02-01  active
"
    );
    assert_eq!(
        site.ok(&["employee", "list", "--format", "csv"]),
        "number,name,twinklet,joined,state,department\r\n\
         1,Asha Rao,7,2024-02-01,active,\r\n\
         2,आशा राव,9007199254740991,2024-02-01,suspended,\r\n\
         3,\"Rao, \"\"Asha\"\"\",9,2024-02-01,active,\r\n\
         4,Asha Rao,10,2024-02-01,active,\r\n"
    );
}

#[test]
fn names_and_badges_that_cannot_be_are_refused() {
    let site = empty();
    for (name, says) in [
        ("", "the name is empty"),
        ("   ", "the name is empty"),
        ("123", "no letter"),
        ("Asha\nRao", "control character (U+000A)"),
        ("Asha\u{1b}[31m", "control character (U+001B)"),
        ("Asha \u{202e}oaR", "control character (U+202E)"),
        (&"x".repeat(201), "201 characters; at most 200"),
    ] {
        refused(&add(&site, name, "7"), 2, says);
    }
    for id in ["0", "-1", "+7", "7.0", "seven", "9007199254740992", ""] {
        let arguments = ["employee", "add", "Asha", &format!("--twinklet={id}")];
        refused(
            &site.run(&arguments),
            2,
            "a whole number from 1 to 9007199254740991",
        );
    }
    let joined = [
        "employee",
        "add",
        "Asha",
        "--twinklet",
        "7",
        "--joined",
        "2024-02-30",
    ];
    refused(
        &site.run(&joined),
        2,
        "write a day as 2026-11-22, today or yesterday",
    );
    refused(
        &site.run(&["employee", "add", "Asha"]),
        2,
        "--twinklet <ID>",
    );
    assert_eq!(site.count("SELECT count(*) FROM employee"), 0);
    assert_eq!(site.count("SELECT count(*) FROM audit"), 0);
}

#[test]
fn a_badge_belongs_to_one_employee_at_a_time() {
    let site = empty();
    assert_eq!(add(&site, "Asha Rao", "7").code, Some(0));
    refused(
        &add(&site, "Ravi", "7"),
        3,
        "twinklet 7 belongs to Asha Rao (1) since 2024-02-01",
    );
    let later = [
        "employee",
        "add",
        "Ravi",
        "--twinklet",
        "7",
        "--joined",
        "2099-01-01",
    ];
    refused(&site.run(&later), 3, "twinklet 7 belongs to Asha Rao (1)");
    let earlier = [
        "employee",
        "add",
        "Ravi",
        "--twinklet",
        "7",
        "--joined",
        "2020-01-01",
    ];
    refused(&site.run(&earlier), 3, "twinklet 7 belongs to Asha Rao (1)");
    assert_eq!(
        site.count("SELECT count(*) FROM employee"),
        1,
        "nothing half done"
    );
    // The number that was given out for the refused ones may be lost, but never comes twice.
    assert_eq!(add(&site, "Ravi", "8").code, Some(0));
    assert_eq!(site.count("SELECT count(DISTINCT number) FROM employee"), 2);
}

#[test]
fn an_employee_is_named_by_number_name_or_badge() {
    let site = empty();
    for (name, id) in [
        ("Asha Rao", "7"),
        ("Ravi Kumar", "8"),
        ("Asha Menon", "9"),
        ("Ravi Kumar", "10"),
    ] {
        assert_eq!(add(&site, name, id).code, Some(0));
    }
    assert_eq!(
        site.ok(&["employee", "suspend", "ASHA RAO"]),
        "suspended 1: Asha Rao\n"
    );
    assert_eq!(
        site.ok(&["employee", "suspend", "1"]),
        "1: Asha Rao was suspended already\n"
    );
    assert_eq!(
        site.ok(&["employee", "resume", "--twinklet", "7"]),
        "resumed 1: Asha Rao\n"
    );
    assert_eq!(
        site.ok(&["employee", "resume", "1"]),
        "1: Asha Rao was not suspended\n"
    );

    let suspend = |whom: &[&str]| site.run(&[&["employee", "suspend"], whom].concat());
    refused(
        &suspend(&["ravi kumar"]),
        3,
        "2 employees are called 'ravi kumar': 2 (twinklet 8), 4 (twinklet 10); use the number",
    );
    refused(
        &suspend(&["asha"]),
        3,
        "no employee 'asha'; did you mean 'Asha Rao' (1) or 'Asha Menon' (3)?",
    );
    refused(&suspend(&["Asha Roa"]), 3, "did you mean 'Asha Rao' (1)");
    refused(
        &suspend(&["Zebedee"]),
        3,
        "no employee 'Zebedee'; 'twinkle employee list' shows all",
    );
    refused(&suspend(&["12"]), 3, "no employee has number 12");
    refused(
        &suspend(&["--twinklet", "99"]),
        3,
        "twinklet 99 was never given to anybody",
    );
    refused(&suspend(&[]), 2, "required");
    refused(
        &suspend(&["1", "--twinklet", "7"]),
        2,
        "cannot be used with",
    );
}
