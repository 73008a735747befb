//! The administrator's commands: adding, listing and suspending employees, and what a mistake gets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{Ended, Site};

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

/// Fails unless a command was refused with this code and one line that says this.
fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(code), ""),
        "{ended:?}"
    );
    let (_, error) = ended.stderr.split_once("error: ").unwrap();
    assert!(error.contains(says), "{error}");
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

#[test]
fn settings_come_from_flags_then_variables_then_the_file() {
    let site = Site::new();
    let folder = site.folder.path();
    let config = folder.join("twinkle.toml");
    std::fs::write(
        &config,
        "db = 'from-file.db'\n[central]\nlisten = '192.0.2.1:1'\n",
    )
    .unwrap();
    let run = |args: &[&str], variable: Option<&str>| {
        let mut command = site.command(args);
        command
            .env("TWINKLE_CONFIG", &config)
            .env_remove("TWINKLE_DB");
        command.envs(variable.map(|path| ("TWINKLE_DB", path)));
        common::ended(&mut command)
    };
    assert_eq!(
        run(&["central", "init"], None).stdout,
        "made from-file.db, days in UTC\n"
    );
    assert_eq!(
        run(&["central", "init"], Some("from-variable.db")).stdout,
        "made from-variable.db, days in UTC\n"
    );
    let flag = run(
        &["central", "init", "--db", "from-flag.db"],
        Some("from-variable.db"),
    );
    assert_eq!(flag.stdout, "made from-flag.db, days in UTC\n");
    refused(
        &run(&["central"], None),
        2,
        "192.0.2.1 is not a loopback address",
    );

    std::fs::write(&config, "[door]\nopen_for = '5s'\nopen_fro = 5\n").unwrap();
    let typo = run(&["door"], None);
    assert_eq!(typo.code, Some(2));
    assert!(
        typo.stderr.contains("line 3, column 1") && typo.stderr.contains("open_fro"),
        "{typo:?}"
    );
    let missing = site.run(&["--config", "no-such.toml", "employee", "list"]);
    refused(&missing, 2, "cannot read the configuration no-such.toml");
}

#[test]
fn addresses_off_this_machine_need_the_users_word() {
    let site = Site::seeded();
    let why = "without identities whoever is on that network could open doors";
    for args in [
        &["central", "--listen", "0.0.0.0:0"][..],
        &["relay", "--listen", "0.0.0.0:0"],
        &[
            "relay",
            "--listen",
            "127.0.0.1:0",
            "--central",
            "192.0.2.1:9999",
        ],
        &["door", "--relay", "192.0.2.1:9998"],
        &["door", "--relay", "[2001:db8::1]:9998", "--flash", "7"],
    ] {
        let ended = site.run(args);
        refused(&ended, 2, why);
        assert!(ended.stderr.contains("--insecure"), "{ended:?}");
    }
    let central = site.central(0, &["--insecure"]);
    central.stderr.wait_for("--insecure: whoever can reach");
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let site = Site::seeded();
    let mut list = site.command(&["employee", "list"]);
    list.stdout(std::process::Stdio::piped());
    let mut child = list.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn unknown_devices_are_named_with_the_known_ones() {
    let site = Site::new();
    refused(
        &site.run(&["door", "--lock", "gpiochip999:3"]),
        3,
        "no GPIO chip is called 'gpiochip999'; ",
    );
    refused(
        &site.run(&["door", "--from", "tty"]),
        2,
        "no source is called 'tty'; there is: stdin",
    );
}

#[test]
fn a_wrong_value_is_explained_and_a_variable_is_named() {
    let site = Site::new();
    for (args, says) in [
        (
            &["relay", "--central", "127.0.0.1"][..],
            "write HOST:PORT, such as 127.0.0.1:9999",
        ),
        (
            &["central", "--listen", "localhost:99999"],
            "write HOST:PORT",
        ),
        (
            &["central", "--timezone", "Asia/Kolkatta"],
            "did you mean Asia/Kolkata?",
        ),
        (
            &[
                "central",
                "--accept-plain",
                "lab",
                "--accept-plain",
                "attic",
            ],
            "cannot be both",
        ),
        (&["door", "--open-for", "5"], "write a time as 5s"),
        (&["door", "a,b"], "no '@' and no comma"),
        (
            &["report", "events", "--last", "0"],
            "write a whole number from 1",
        ),
        (
            &["report", "events", "--last", "x"],
            "write a whole number from 1",
        ),
        (
            &["--log", "loud", "employee", "list"],
            "say error, warn, info or debug",
        ),
    ] {
        refused(&site.run(args), 2, says);
    }
    let with = |variable: &str, value: &str, args: &[&str]| {
        common::ended(site.command(args).env(variable, value))
    };
    for (variable, value, args) in [
        ("TWINKLE_CENTRAL_INSECURE", "perhaps", &["central"][..]),
        ("TWINKLE_DOOR_DEADLINE", "3", &["door"]),
        ("TWINKLE_LOG", "loud", &["employee", "list"]),
        ("TWINKLE_DOOR_NAME", "a@b", &["door"]),
        ("TWINKLE_DB", "", &["employee", "list"]),
    ] {
        refused(
            &with(variable, value, args),
            2,
            &format!("the variable {variable}."),
        );
    }
    let typed = with("TWINKLE_DOOR_DEADLINE", "3s", &["door", "--deadline", "x"]);
    assert!(!typed.stderr.contains("variable"), "{typed:?}");
    site.ok(&["central", "init"]);
    let one_is_true = with(
        "TWINKLE_CENTRAL_INSECURE",
        "1",
        &["central", "--listen", "192.0.2.1:1"],
    );
    refused(&one_is_true, 4, "this machine has no such address");
}

#[test]
fn an_address_in_use_says_what_to_do() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let taken = central.address().to_string();
    refused(
        &site.run(&["relay", "--listen", &taken]),
        4,
        "does another one run?",
    );
}
