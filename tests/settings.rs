//! The configuration: what holds, whence it is, and what is wrong with it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;

use common::{Site, ended};

const FILE: &str = r#"db = "x.db"
[calendar]
weekly_off = ["saturday", "sunday"]
[calendar.holidays]
2026-11-08 = "Diwali"
[relay]
central = "hub.example:9999"
offline_for = "12h"
[door.inputs]
contact = "GPIO23"
"#;

/// The line of a key in a table, its blanks made one.
fn line<'a>(text: &'a str, table: &str, key: &str) -> Vec<&'a str> {
    let mut lines = text.lines();
    if !table.is_empty() {
        let heading = format!("[{table}]");
        assert!(lines.by_ref().any(|line| line == heading), "no {heading}");
    }
    let begins = format!("{key} =");
    let line = lines.find(|line| line.trim_start_matches('#').starts_with(&begins));
    line.unwrap().splitn(2, "  # ").map(str::trim).collect()
}

#[test]
fn every_setting_is_shown_with_where_it_came_from() {
    let site = Site::new();
    let file = site.folder.path().join("twinkle.toml");
    fs::write(&file, FILE).unwrap();
    let path = file.to_str().unwrap();
    let mut command = site.command(&["--config", path, "relay", "--print-config"]);
    command
        .args([
            "North gate",
            "--deadline",
            "2s",
            "--accept-plain",
            "a,b@10.0.0.0/8",
        ])
        .env_remove("TWINKLE_DB")
        .env_remove("TWINKLE_TIMEZONE")
        .env("TWINKLE_RELAY_LISTEN", "0.0.0.0:9998");
    let printed = ended(&mut command);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let text = printed.stdout;
    for (table, key, value, from) in [
        ("", "db", "\"x.db\"", format!("{path}, line 1")),
        (
            "calendar",
            "day_starts_at",
            "\"00:00\"",
            "default".to_owned(),
        ),
        (
            "calendar",
            "weekly_off",
            "[\"saturday\", \"sunday\"]",
            format!("{path}, line 3"),
        ),
        (
            "calendar.holidays",
            "2026-11-08",
            "\"Diwali\"",
            format!("{path}, line 5"),
        ),
        (
            "relay",
            "name",
            "\"North gate\"",
            "the command line".to_owned(),
        ),
        (
            "relay",
            "central",
            "\"hub.example:9999\"",
            format!("{path}, line 7"),
        ),
        (
            "relay",
            "listen",
            "\"0.0.0.0:9998\"",
            "TWINKLE_RELAY_LISTEN".to_owned(),
        ),
        (
            "relay",
            "accept_plain",
            "[\"a\", \"b@10.0.0.0/8\"]",
            "--accept-plain".to_owned(),
        ),
        ("relay", "deadline", "\"2s\"", "--deadline".to_owned()),
        ("relay", "offline_for", "\"12h\"", format!("{path}, line 8")),
        ("relay", "spool_limit", "1000000", "default".to_owned()),
        ("relay", "insecure", "false", "default".to_owned()),
        (
            "door.inputs",
            "contact",
            "\"GPIO23\"",
            format!("{path}, line 10"),
        ),
        ("limits", "requests", "1024", "default".to_owned()),
    ] {
        let shown = format!("{key} = {value}");
        assert_eq!(line(&text, table, key), [shown, from], "{text}");
    }
    assert_eq!(line(&text, "relay", "identity"), ["#identity =", "not set"]);
    // It is a configuration itself, that says the same.
    let again = site.folder.path().join("again.toml");
    fs::write(&again, &text).unwrap();
    let again = site.ok(&[
        "--config",
        again.to_str().unwrap(),
        "door",
        "--print-config",
    ]);
    assert_eq!(
        line(&again, "relay", "offline_for")[0],
        "offline_for = \"12h\""
    );
    assert_eq!(
        line(&again, "calendar.holidays", "2026-11-08")[0],
        "2026-11-08 = \"Diwali\""
    );
}

#[test]
fn mistakes_in_the_configuration_are_shown_with_line_and_column() {
    let site = Site::new();
    let file = site.folder.path().join("twinkle.toml");
    for (text, says) in [
        ("[relay]\ncentrall = \"x:1\"", "line 2, column 1"),
        ("[relay]\nspool_limit = \"many\"", "line 2, column 15"),
        ("[door]\nopen_for = \"soon\"", "line 2, column 12"),
        ("[door]\nlock = sim", "line 2, column 8"),
        ("[doors]\nlock = \"sim\"", "line 1, column 2"),
        ("[relay]\nname = \"a\"\nname = \"b\"", "line 3, column 1"),
    ] {
        fs::write(&file, text).unwrap();
        let ended = site.run(&["--config", "twinkle.toml", "relay", "--print-config"]);
        assert_eq!(ended.code, Some(2), "{text}: {ended:?}");
        assert!(ended.stderr.contains(says), "{text}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{text}");
    }
}
