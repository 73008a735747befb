//! What reads the log: people, systemd's journal, programs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use common::{Site, preload};
use serde_json::Value;

/// A door that finds no relay: it warns, and fails.
fn lonely_door(site: &Site) -> Command {
    let nowhere = format!("{}:1", site.host);
    site.command(&[
        "door", "lab", "--relay", &nowhere, "--flash", "7", "--log", "info",
    ])
}

/// The log of a command whose standard error is a file.
fn logged(site: &Site, command: &mut Command) -> String {
    let path = site.folder.path().join("log");
    let status = command
        .stdout(Stdio::null())
        .stderr(File::create(&path).unwrap())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(4));
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_journal_gets_a_level_with_each_line_and_no_time() {
    let site = Site::new();
    let log = site.folder.path().join("log");
    let file = File::create(&log).unwrap().metadata().unwrap();
    let stream = format!("{}:{}", file.dev(), file.ino());
    let lines = logged(&site, lonely_door(&site).env("JOURNAL_STREAM", stream));
    let lines: Vec<_> = lines.lines().collect();
    assert!(
        lines[0].starts_with("<4>cannot reach the relay"),
        "{lines:?}"
    );
    let last = lines.last().unwrap();
    assert!(last.starts_with("<3>nobody could be asked"), "{lines:?}");
}

#[test]
fn the_last_lines_are_there_also_where_printing_them_takes_its_time() {
    let site = Site::new();
    let mut command = lonely_door(&site);
    command.env("LD_PRELOAD", preload::library("late"));
    let lines = logged(&site, &mut command);
    assert!(lines.contains("cannot reach the relay"), "{lines}");
    assert!(lines.contains("error: nobody could be asked"), "{lines}");
}

#[test]
fn a_journal_that_reads_something_else_changes_nothing() {
    let site = Site::new();
    let lines = logged(&site, lonely_door(&site).env("JOURNAL_STREAM", "1:2"));
    assert!(lines.starts_with("cannot reach the relay"), "{lines}");
    assert!(lines.contains("\nerror: nobody could be asked"), "{lines}");
}

#[test]
fn each_line_for_programs_is_an_object() {
    let site = Site::new();
    let lines = logged(&site, lonely_door(&site).env("TWINKLE_LOG_FORMAT", "json"));
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let levels: Vec<_> = lines.iter().map(|line| line["level"].as_str()).collect();
    assert_eq!(levels, [Some("WARN"), Some("ERROR")]);
    for line in &lines {
        assert!(line["timestamp"].is_string(), "{line}");
    }
    let message = lines[0]["message"].as_str().unwrap();
    assert!(message.starts_with("cannot reach the relay"), "{message}");
}
