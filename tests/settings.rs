//! What is set by flags, variables and the configuration, and what a mistake in it gets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{Site, refused};

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
