//! What happens at doors beside flashes, on its way into the log.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use common::{ASHA, Client, SOON, Site, wait_until};

/// The real time, UTC milliseconds.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis().try_into().unwrap()
}

#[test]
fn what_happened_is_stored_once_and_placed_by_its_age() {
    let site = Site::seeded();
    let (central, relay) = site.central_and_relay();
    for (name, server) in [("front", relay.address()), ("back", central.address())] {
        let mut door = Client::door(server, name);
        let mut held = door.new_happened("door-held");
        held.age = 60_000;
        let before = now();
        door.report(&held);
        door.report(&held);
        let stored = format!(
            "SELECT count(*) FROM event JOIN door ON door.id = event.door WHERE name = '{name}'"
        );
        // A relay takes it on before its central has it.
        wait_until(SOON, "it has come to the central", || {
            site.count(&stored) == 1
        });
        let after = now();
        let at = format!(
            "SELECT event.at FROM event JOIN door ON door.id = event.door WHERE name = '{name}'"
        );
        let at = site.count(&at) + 60_000;
        assert!((before..=after).contains(&at), "{before} {at} {after}");
    }
    assert_eq!(site.count("SELECT count(*) FROM event"), 2);
    assert_eq!(
        site.count("SELECT count(*) FROM event WHERE device_at = 1700000000000"),
        2
    );
    assert_eq!(site.count("SELECT count(relay) FROM event"), 1);
}

#[test]
fn the_report_shows_what_happened_and_who_the_door_was_opened_by() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut lab = Client::door(relay.address(), "lab");
    let mut gate = Client::door(relay.address(), "gate");
    let flash = lab.new_flash(ASHA);
    assert_eq!(lab.ask(&flash).verdict, "open");
    let come_to = |count| {
        wait_until(SOON, "it has come to the central", || {
            site.count("SELECT count(*) FROM event") == count
        });
    };
    for (door, count) in [(&mut lab, 2), (&mut gate, 3)] {
        let mut opened = door.new_happened("door-opened");
        opened.about = Some(flash.event);
        door.report(&opened);
        come_to(count);
    }
    lab.report(&lab.new_happened("battery-low"));
    come_to(4);
    let events = site.ok(&["report", "events", "--format", "csv"]);
    let rows: Vec<_> = events
        .lines()
        .map(|line| line.split_once(',').unwrap().1)
        .collect();
    assert_eq!(
        rows,
        [
            "door,relay,twinklet,number,employee,what",
            "lab,site,7,1,Asha Rao,open",
            "lab,site,7,1,Asha Rao,door-opened",
            // A door has no say about another door's flashes.
            "gate,site,,,,door-opened",
            "lab,site,,,,battery-low",
        ]
    );
    // Only the flash makes her present.
    assert_eq!(site.count("SELECT sum(flashes) FROM attendance"), 1);
}

#[test]
fn a_relay_keeps_what_happened_until_its_central_is_back() {
    let site = Site::seeded();
    let (mut central, relay) = site.central_and_relay();
    let port = central.address().port();
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    let mut door = Client::door(relay.address(), "lab");
    let fire = door.new_happened("fire");
    let forced = door.new_happened("door-forced");
    let began = now();
    // It is in the relay's file, and the door may forget it.
    for happened in [&fire, &forced, &fire] {
        door.report(happened);
    }
    assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
    let _central = site.central(port, &[]);
    wait_until(SOON, "what happened has come to the central", || {
        site.count("SELECT count(*) FROM event") == 2
    });
    assert_eq!(door.flash(ASHA).verdict, "open");
    // The time that it lay here counts.
    let placed = site.count("SELECT min(at) FROM event WHERE kind = 'fire'");
    assert!((placed - began).abs() < 1_000, "{placed} {began}");
    let in_order = "SELECT group_concat(kind) = 'fire,door-forced,flash'
        FROM (SELECT kind FROM event ORDER BY id)";
    assert_eq!(site.count(in_order), 1);
}
