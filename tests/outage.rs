//! Things that fail: a central killed or stopped under load, a relay restarted, a database that
//! cannot be written.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::time::{Duration, Instant};

use common::cut_off::{EVENTS, flashing_while, killed_under_load};
use common::{ASHA, Client, Proc, SOON, Site, wait_until};

/// What the relay allows the central by default.
const DEADLINE: Duration = Duration::from_millis(1500);

#[test]
fn a_central_killed_under_load_keeps_every_open_that_a_door_got() {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let port = central.address().port();
    let relay = site.relay(0, central.address(), &[]);
    relay.stderr.wait_for("connected to the central");

    let told = flashing_while(relay.address(), || {
        for kills in 1..=3 {
            let stored = site.count(EVENTS);
            wait_until(SOON, "flashes are stored", || {
                site.count(EVENTS) > stored + 500
            });
            central.kill_9();
            central = site.central(port, &[]);
            relay
                .stderr
                .wait_for_nth("connected to the central", kills + 1);
        }
    });
    let opened = told.opened;
    let refused: Vec<_> = told.refused.into_iter().collect();
    assert_eq!(refused, ["central-unreachable"]);
    assert!(opened.len() > 1000, "only {} opened", opened.len());
    let stored = site.stored();
    let missing = opened
        .iter()
        .filter(|event| stored.opens.get(event) != Some(&true))
        .count();
    assert_eq!(missing, 0, "of {} that doors got", opened.len());
    // One flash a door at a time: no more than these can have been in flight at the three kills.
    let surplus = stored.counting() - opened.len();
    assert!(surplus <= 60, "{surplus} count that no door got");
    assert_eq!(stored.counted, opened.len() + surplus);
}

#[test]
fn a_central_killed_at_any_moment_keeps_every_open_also_of_a_relay_that_decides_by_itself() {
    let opened = killed_under_load(6, &["--offline-for", "12h"]);
    assert!(opened > 20, "only {opened} opened");
}

#[test]
fn doors_find_a_restarted_relay_by_themselves() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut relay = site.relay(0, central.address(), &[]);
    let address = relay.address();
    let mut doors: Vec<_> = (0..3)
        .map(|number| site.door(&format!("door {number}"), address, &["--open-for", "10ms"]))
        .collect();
    for (round, door) in (1..=3).flat_map(|round| (0..3).map(move |door| (round, door))) {
        if door == 0 && round > 1 {
            relay.kill_9();
            doors.iter().for_each(|door| {
                door.stderr.wait_for_nth("lost the relay", round - 1);
            });
            // While it is away, a flash is refused at once and not kept for later.
            doors[0].type_line(&format!("7:{round}"));
            doors[0]
                .stdout
                .wait_for_nth("don't open, central-unreachable", round - 1);
            relay = site.relay(address.port(), central.address(), &[]);
            relay.stderr.wait_for("connected to the central");
        }
        let door = &mut doors[door];
        door.stderr.wait_for_nth("connected to the relay", round);
        // With another code, lest it be the same flash.
        door.type_line(&format!("7:0{round}"));
        door.stdout
            .wait_for_nth("twinklet 7: open, Asha Rao", round);
    }
    assert_eq!(
        site.count("SELECT count(*) FROM event"),
        9,
        "what was refused was never asked"
    );
}

#[test]
fn a_central_that_hangs_costs_one_deadline_and_marks_nobody_present() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let relay = site.relay(0, central.address(), &[]);
    relay.stderr.wait_for("connected to the central");
    let mut door = Client::door(relay.address(), "lab");
    let mut second = Client::door(relay.address(), "attic");
    // So that the hanging central holds nothing but what follows.
    door.ping(1);
    second.ping(1);
    central.signal("STOP");

    let began = Instant::now();
    let waiting: Vec<_> = (0..20).map(|_| door.new_flash(ASHA)).collect();
    for flash in &waiting {
        door.send(&twinkle::wire::Message::Flash(flash.clone()));
    }
    for _ in &waiting {
        assert_eq!(door.verdict().verdict, "central-unreachable");
    }
    let first = began.elapsed();
    assert!(
        first >= DEADLINE && first < DEADLINE * 2,
        "answered after {first:?}"
    );
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(second.flash(ASHA).verdict, "central-unreachable");
        assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
    }
    assert!(
        began.elapsed() < DEADLINE,
        "later flashes are answered at once"
    );

    central.signal("CONT");
    relay.stderr.wait_for_nth("connected to the central", 2);
    // The central decides what it still finds in its buffers; the relay has said what became of
    // it, and the register follows that.
    wait_until(SOON, "the central has read what was sent to it", || {
        site.count("SELECT count(*) FROM event") == 20
            && site.count("SELECT count(*) FROM undelivered") == 20
    });
    assert_eq!(site.count("SELECT count(*) FROM attendance"), 0);
    let register = site.ok(&["report", "--month", "--format", "csv"]);
    assert!(!register.contains(",P"), "{register}");
    assert_eq!(door.flash(ASHA).verdict, "open");
    assert_eq!(site.count("SELECT flashes FROM attendance"), 1);
}

#[test]
fn a_relay_serves_before_its_central_and_after_it() {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let address = central.address();
    central.kill_9();
    let relay = site.relay(0, address, &[]);
    let told = relay.stderr.wait_for("while the central cannot be reached");
    assert!(told.contains("no door opens"), "{told}");
    relay.stderr.wait_for("cannot reach the central");
    let mut door = Client::door(relay.address(), "lab");
    let began = Instant::now();
    for _ in 0..50 {
        assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
    }
    assert!(began.elapsed() < DEADLINE, "it knows, and says so at once");
    let _central = site.central(address.port(), &[]);
    relay.stderr.wait_for("connected to the central");
    assert_eq!(door.flash(ASHA).verdict, "open");
}

#[test]
fn a_relay_keeps_away_from_another_organisations_central() {
    let site = Site::seeded();
    let other = Site::seeded();
    let mut central = site.central(0, &[]);
    let address = central.address();
    let relay = site.relay(0, address, &[]);
    relay.stderr.wait_for("connected to the central");
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    central.kill_9();
    let listen = address.to_string();
    let impostor = Proc::server(&mut other.command(&["central", "--listen", &listen]));
    relay.stderr.wait_for("it belongs to installation");
    assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
    assert_eq!(other.count("SELECT count(*) FROM event"), 0);
    drop(impostor);
    let _central = site.central(address.port(), &[]);
    relay.stderr.wait_for_nth("connected to the central", 2);
    assert_eq!(door.flash(ASHA).verdict, "open");
}

#[test]
fn a_database_that_cannot_be_written_opens_no_door_until_it_can() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let other = site.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(door.flash(ASHA).verdict, "storage-failed");
    central
        .stderr
        .wait_for("cannot store: the database is locked by another program");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(door.flash(ASHA).verdict, "open");
    central.stderr.wait_for("the database stores again");
    assert_eq!(site.count("SELECT count(*) FROM event"), 2);
}
