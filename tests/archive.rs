//! Old events in a file of their own, while doors open.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{ASHA, Client, SOON, Site};
use rusqlite::Connection;

/// Adds so many flashes of Asha's on each of these days of 2024, and that she was there.
fn fill(site: &Site, days: &[&str], flashes: i64) {
    let sql = site.sql();
    sql.execute(
        "INSERT OR IGNORE INTO door (name, since) VALUES ('lab', 0)",
        [],
    )
    .unwrap();
    for day in days {
        let noon = format!("{day}T12:00:00Z");
        let noon: chrono::DateTime<chrono::Utc> = noon.parse().unwrap();
        let at = noon.timestamp_millis();
        let events = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {flashes})
             INSERT INTO event (uid, kind, at, day, door, twinklet, employee, verdict, device_at)
             SELECT randomblob(16), 'flash', {at} + i, '{day}', (SELECT id FROM door), 7, 1, 'open',
                 {at} + i FROM n"
        );
        sql.execute_batch(&events).unwrap();
        sql.execute(
            "INSERT INTO counted (day, employee, first, last, flashes) VALUES (?1, 1, ?2, ?2, ?3)",
            (day, at, flashes),
        )
        .unwrap();
    }
    // One of the marks that an event may have beside it.
    let hasty = "INSERT INTO hasty SELECT id, door, 500 FROM event ORDER BY at LIMIT 1";
    sql.execute(hasty, []).unwrap();
    let lost = "INSERT INTO undelivered (uid, at) SELECT uid, at FROM event ORDER BY at LIMIT 1";
    sql.execute(lost, []).unwrap();
}

fn count(file: &Connection, what: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {what}");
    file.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn old_events_move_and_the_register_stays() {
    let site = Site::seeded();
    fill(&site, &["2024-02-05", "2024-02-06", "2024-03-01"], 1_000);
    let register = site.ok(&["report", "--month", "2024-02", "--format", "csv"]);
    let size = fs::metadata(site.db()).unwrap().len();
    let said = site.ok(&["central", "archive", "old.db", "--before", "2024-03-01"]);
    assert!(said.contains("2000 events before 2024-03-01"), "{said}");
    assert_eq!(
        register,
        site.ok(&["report", "--month", "2024-02", "--format", "csv"])
    );
    assert_eq!(site.count("SELECT count(*) FROM event"), 1_000);
    assert_eq!(site.count("SELECT count(*) FROM undelivered"), 0);
    assert_eq!(site.count("PRAGMA auto_vacuum"), 2);
    assert_eq!(site.count("PRAGMA freelist_count"), 0);
    site.sql()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    assert!(fs::metadata(site.db()).unwrap().len() < size);
    let archive = Connection::open(site.folder.path().join("old.db")).unwrap();
    assert_eq!(
        count(&archive, "event WHERE door = 'lab' AND employee = 1"),
        2_000
    );
    assert_eq!(count(&archive, "event WHERE undelivered IS NOT NULL"), 1);
    assert_eq!(count(&archive, "event WHERE hasty = 500"), 1);

    // Again it moves nothing; later more, into the same file.
    let again = site.ok(&["central", "archive", "old.db", "--before", "2024-03-01"]);
    assert!(again.starts_with("0 events"), "{again}");
    let more = site.ok(&["central", "archive", "old.db", "--before", "2024-04-01"]);
    assert!(more.starts_with("1000 events"), "{more}");
    assert_eq!(count(&archive, "event"), 3_000);
    // Those days cannot be counted anew any more.
    let since = [
        "central",
        "door",
        "lab",
        "--direction",
        "out",
        "--since",
        "2024-02-01",
    ];
    let refused = site.run(&since);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("archived"), "{refused:?}");
}

#[test]
fn doors_open_while_events_move_and_an_interruption_loses_nothing() {
    let site = Site::seeded();
    fill(&site, &["2024-02-05", "2024-02-06", "2024-02-07"], 4_000);
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let args = ["central", "archive", "old.db", "--before", "2024-03-01"];
    let mut command = site.command(&args);
    let mut moving = command.stdout(Stdio::null()).spawn().unwrap();
    let (mut slowest, began) = (Duration::ZERO, Instant::now());
    let mut flashes = 1;
    while moving.try_wait().unwrap().is_none() {
        let asked = Instant::now();
        assert_eq!(door.flash(ASHA).verdict, "open");
        slowest = slowest.max(asked.elapsed());
        flashes += 1;
        if flashes == 10 {
            // In the middle of it.
            moving.kill().unwrap();
            moving.wait().unwrap();
            let left = site.count("SELECT count(*) FROM event WHERE day < '2024-03-01'");
            assert!(left > 0, "it was too quick for this test");
            moving = command.spawn().unwrap();
        }
        assert!(began.elapsed() < SOON * 10);
    }
    assert!(flashes > 10);
    // A door's deadline is 3 s.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert_eq!(
        site.count("SELECT count(*) FROM event WHERE day < '2024-03-01'"),
        0
    );
    assert_eq!(site.count("SELECT count(*) FROM event"), flashes);
    let archive = Connection::open(site.folder.path().join("old.db")).unwrap();
    assert_eq!(count(&archive, "event"), 12_000);
}

#[test]
fn young_events_and_wrong_files_are_refused() {
    let site = Site::seeded();
    fs::write(
        site.folder.path().join("notes.txt"),
        "not a database at all",
    )
    .unwrap();
    for (args, code, says) in [
        (&["old.db", "--before", "yesterday"][..], 2, "90 days"),
        (&["notes.txt", "--before", "2024-03-01"], 3, "notes.txt"),
        (&["twinkle.db", "--before", "2024-03-01"], 3, "no archive"),
        (&["nowhere/old.db", "--before", "2024-03-01"], 4, "nowhere"),
    ] {
        let ended = site.run(&[&["central", "archive"], args].concat());
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
    let other = Site::seeded();
    other.ok(&["central", "archive", "old.db", "--before", "2024-03-01"]);
    let file = other.folder.path().join("old.db");
    let args = [
        "central",
        "archive",
        file.to_str().unwrap(),
        "--before",
        "2024-03-01",
    ];
    let ended = site.run(&args);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("another installation"), "{ended:?}");
}
