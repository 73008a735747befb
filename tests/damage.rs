//! A database whose central was cut off is looked over; one that is damaged is named, and left
//! alone.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use common::{ASHA, Client, Proc, Site};

fn stop(mut central: Proc) {
    central.signal("TERM");
    assert!(central.wait(Duration::from_secs(5)).success());
}

#[test]
fn a_database_is_looked_over_once_its_central_was_cut_off() {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    central.kill_9();
    let central = site.central(0, &[]);
    central.stderr.wait_for("the last central was cut off");
    central.stderr.wait_for("is sound");
    stop(central);
    // What only makes it does not serve it.
    site.ok(&["central", "init"]);
    let central = site.central(0, &[]);
    assert_eq!(central.stderr.count("cut off"), 0, "it was stopped");
}

#[test]
fn a_damaged_database_is_named_and_left_alone_while_doors_are_served() {
    let site = Site::seeded();
    let number = |sql: &str| u64::try_from(site.count(sql)).unwrap();
    let page = number("SELECT rootpage FROM sqlite_schema WHERE name = 'audit'");
    let size = number("SELECT page_size FROM pragma_page_size");
    let offset = (page - 1) * size;
    // With it closed by all, the file holds everything.
    drop(site.sql());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(site.db())
        .unwrap();
    let damaged = vec![0xFF; usize::try_from(size).unwrap()];
    file.write_all_at(&damaged, offset).unwrap();

    let mut central = site.central(0, &[]);
    central.kill_9();
    let central = site.central(0, &[]);
    let line = central.stderr.wait_for("left as it is");
    assert!(line.contains(site.db().to_str().unwrap()), "{line}");
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    stop(central);
    let mut found = vec![0; damaged.len()];
    file.read_exact_at(&mut found, offset).unwrap();
    assert_eq!(found, damaged);

    // A change that meets it says so as well.
    let suspended = site.run(&["employee", "suspend", "Asha Rao"]);
    assert_eq!(suspended.code, Some(4), "{suspended:?}");
    assert!(suspended.stderr.contains("is damaged"), "{suspended:?}");
}
