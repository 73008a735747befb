//! What each released version has written opens with this one, after a copy.
//!
//! `cargo test --test upgrade -- --ignored` writes the files of this version anew, before it is
//! released; from then on they are never touched.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{ASHA, RAVI, SOON, Site, TestClock, wait_until};
use rusqlite::Connection;

/// The day on which the files were written, as their programs knew it.
const THEN: &str = "2026-11-20T09:00:00Z";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn waiting(file: &Path) -> i64 {
    let sql = "SELECT (SELECT max(last) FROM entries) - acknowledged FROM file";
    let file = Connection::open(file).unwrap();
    file.query_row(sql, [], |row| row.get(0)).unwrap_or(0)
}

#[test]
#[ignore = "writes into tests/fixtures"]
fn write_what_this_version_writes() {
    let site = Site::new();
    let clock = TestClock::standing_at(site.folder.path(), THEN);
    let ok = |args: &[&str]| {
        let mut command = site.command(args);
        clock.give_to(&mut command);
        let ended = common::ended(&mut command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    ok(&["central", "init"]);
    for (name, badge) in [("Asha Rao", "7"), ("Ravi", "8"), ("Zoë Müller", "9")] {
        ok(&[
            "employee",
            "add",
            name,
            "--twinklet",
            badge,
            "--joined",
            "2026-11-01",
        ]);
    }
    ok(&["employee", "suspend", "Ravi"]);
    ok(&[
        "employee",
        "edit",
        "Ravi",
        "--department",
        "Optics",
        "--hours",
        "mon-fri 08:00-20:00",
    ]);
    ok(&[
        "employee",
        "mark",
        "Ravi",
        "2026-11-19",
        "L",
        "--reason",
        "was ill",
    ]);
    let start = |args: &[&str]| {
        let mut command = site.command(args);
        clock.give_to(&mut command);
        common::Proc::server(&mut command)
    };
    let here = format!("{}:0", site.host);
    let mut central = start(&["central", "--listen", &here]);
    let address = central.address().to_string();
    let relay = ["relay", "site", "--listen", &here, "--central", &address];
    let mut relay = start(&[&relay[..], &["--offline-for", "12h"]].concat());
    relay.stderr.wait_for("the roster is here");
    let mut door = site.door("lab", relay.address(), &[]);
    door.stderr.wait_for("connected to the relay");
    for badge in [ASHA, RAVI, 99] {
        door.type_line(&badge.to_string());
        door.stdout.wait_for(&format!("twinklet {badge}: "));
    }
    site.roster_knows(1);
    ok(&["central", "door", "lab", "--direction", "both"]);
    ok(&["employee", "grant", "Ravi", "lab"]);
    central.signal("TERM");
    central.wait(SOON);
    relay.stderr.wait_for("lost the central");
    door.type_line("9");
    door.stdout.wait_for("twinklet 9: open");
    relay.signal("TERM");
    relay.wait(SOON);
    let folder = fixtures().join(env!("CARGO_PKG_VERSION"));
    fs::create_dir_all(&folder).unwrap();
    for (from, to) in [(site.db(), "twinkle.db"), (site.relay_file(), "relay.db")] {
        let to = folder.join(to);
        let _old = fs::remove_file(&to);
        let from = Connection::open(from).unwrap();
        from.execute("VACUUM INTO ?1", [to.to_str().unwrap()])
            .unwrap();
    }
}

#[test]
fn what_every_released_version_wrote_opens_after_a_copy_and_nothing_is_missing() {
    let mut seen = 0;
    for version in fs::read_dir(fixtures()).unwrap() {
        let version = version.unwrap().path();
        seen += 1;
        let site = Site::new();
        fs::copy(version.join("twinkle.db"), site.db()).unwrap();
        let spool = site.folder.path().join("relay.db");
        fs::copy(version.join("relay.db"), &spool).unwrap();
        let spool = spool.to_str().unwrap();
        assert!(waiting(Path::new(spool)) > 0, "{version:?}");
        let before = site.count("SELECT count(*) FROM event WHERE kind = 'flash'");
        assert_eq!(before, 3, "{version:?}");

        let central = site.central(0, &[]);
        let list = site.ok(&["employee", "list"]);
        for word in ["Asha Rao", "Ravi", "Optics", "suspended"] {
            assert!(list.contains(word), "{version:?}: {list}");
        }
        let relay = site.relay(0, central.address(), &["--spool", spool]);
        relay.stderr.wait_for("connected to the central");
        wait_until(SOON, "what the relay kept is stored", || {
            site.count("SELECT count(*) FROM event WHERE kind = 'flash'") == before + 1
        });
        let mut door = site.door("lab", relay.address(), &[]);
        door.type_line("7");
        door.stdout.wait_for("twinklet 7: open, Asha Rao");
        let csv = ["report", "--month", "2026-11", "--format", "csv"];
        let register = site.ok(&csv);
        let row = |name| register.lines().find(|line: &&str| line.contains(name));
        // The 19th is a Thursday, the 20th the day on which the files were written.
        let marks = |name| -> Vec<_> { row(name).unwrap().split(',').collect() };
        assert_eq!(marks("Asha Rao")[2 + 19], "P", "{register}");
        // On the machine that wrote the files it is known how long ago that was, whatever the clock said.
        let days: Vec<_> = site
            .ok(&["report", "events", "--format", "csv"])
            .lines()
            .map(str::to_owned)
            .collect();
        assert!(
            days.iter().any(|line| line.contains("Zoë Müller")),
            "{days:?}"
        );
        assert!(marks("Ravi")[2 + 18].starts_with('L'), "{register}");
    }
    assert!(seen >= 1);
}
