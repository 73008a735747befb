//! What a relay keeps for its central: nothing of it is lost, whoever is killed or restored, and
//! nothing counts twice.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::time::Duration;

use common::cut_off::EVENTS;
use common::{ASHA, Client, SOON, Site, wait_until};

#[test]
fn what_happens_at_a_door_while_the_central_is_away_survives_a_killed_relay() {
    let site = Site::seeded();
    let (mut central, mut relay) = site.central_and_relay();
    let central_address = central.address();
    let mut door = Client::door(relay.address(), "lab");
    let seen = door.new_happened("exit-button");
    door.report(&seen);
    wait_until(SOON, "it is at the central too", || site.count(EVENTS) == 1);

    central.kill_9();
    relay.stderr.wait_for("lost the central");
    let kept: Vec<_> = ["tamper", "fire", "fire-over"]
        .map(|kind| door.new_happened(kind))
        .to_vec();
    for happened in &kept {
        door.report(happened);
    }
    // A door that did not hear that it was noted says it again.
    door.report(&kept[0]);
    relay.kill_9();

    let relay = site.relay(0, central_address, &[]);
    relay.stderr.wait_for("the central may not have yet");
    let _central = site.central(central_address.port(), &[]);
    wait_until(SOON, "all of it is there", || site.count(EVENTS) == 4);
    let sql = site.sql();
    let mut select = sql.prepare("SELECT kind FROM event ORDER BY id").unwrap();
    let kinds: Vec<String> = select
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(|kind| kind.unwrap())
        .collect();
    assert_eq!(kinds, ["exit-button", "tamper", "fire", "fire-over"]);
}

#[test]
fn a_central_restored_from_an_older_copy_gets_back_what_came_since() {
    let site = Site::seeded();
    let (mut central, relay) = site.central_and_relay();
    let port = central.address().port();
    let mut door = Client::door(relay.address(), "lab");
    for _ in 0..3 {
        assert_eq!(door.flash(ASHA).verdict, "open");
    }
    central.signal("TERM");
    central.wait(SOON);
    let copy = site.folder.path().join("copy.db");
    fs::copy(site.db(), &copy).unwrap();

    central = site.central(port, &[]);
    relay.stderr.wait_for_nth("connected to the central", 2);
    for _ in 0..5 {
        assert_eq!(door.flash(ASHA).verdict, "open");
    }
    let lost = door.new_flash(ASHA);
    assert_eq!(door.ask(&lost).verdict, "open");
    door.undelivered(lost.event);
    assert_eq!(site.count(EVENTS), 9);

    central.kill_9();
    for name in ["twinkle.db-wal", "twinkle.db-shm"] {
        let _none = fs::remove_file(site.folder.path().join(name));
    }
    fs::copy(&copy, site.db()).unwrap();
    assert_eq!(site.count(EVENTS), 3);
    let _central = site.central(port, &[]);
    wait_until(SOON, "nothing is missing", || {
        site.count(EVENTS) == 9 && site.count("SELECT count(*) FROM undelivered") == 1
    });
    assert_eq!(site.count("SELECT sum(flashes) FROM attendance"), 8);
}

#[test]
fn a_relay_killed_with_a_full_spool_loses_nothing_and_takes_no_more_than_its_limit() {
    let site = Site::seeded();
    let (mut central, mut relay) = site.central_and_relay();
    let address = central.address();
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    relay.kill_9();
    relay = site.relay(0, address, &["--spool-limit", "10"]);
    let mut door = Client::door(relay.address(), "lab");
    for _ in 0..10 {
        let happened = door.new_happened("door-opened");
        door.report(&happened);
    }
    let beyond = door.new_happened("tamper");
    door.send(&twinkle::wire::Message::Happened(beyond.clone()));
    relay.stderr.wait_for("which is the limit");
    relay.kill_9();

    let relay = site.relay(0, address, &["--spool-limit", "10"]);
    let _central = site.central(address.port(), &[]);
    relay.stderr.wait_for("connected to the central");
    wait_until(SOON, "what it took is there", || site.count(EVENTS) == 10);
    let mut door = Client::door(relay.address(), "lab");
    // The relay hears a moment later that the central has them.
    wait_until(SOON, "there is room again", || door.try_report(&beyond));
    wait_until(SOON, "and what was beyond is there", || {
        site.count(EVENTS) == 11
    });
}

#[test]
fn a_relay_without_a_usable_file_still_forwards_and_uses_it_when_it_comes() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let folder = site.folder.path().join("disk");
    let file = folder.join("relay.db").to_str().unwrap().to_owned();
    let relay = site.relay(0, central.address(), &["--spool", &file]);
    let said = relay.stderr.wait_for("flashes are only forwarded");
    assert!(said.contains("there is no folder"), "{said}");
    relay.stderr.wait_for("connected to the central");
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let happened = door.new_happened("tamper");
    door.report(&happened);
    fs::create_dir(&folder).unwrap();
    relay.stderr.wait_for("can be used again");
    let happened = door.new_happened("fire");
    door.report(&happened);
    wait_until(Duration::from_secs(5), "all is at the central", || {
        site.count(EVENTS) == 3
    });
}
