//! Doors that are taken out of service, and put back.

#![allow(clippy::unwrap_used, reason = "a failing step fails its test")]

mod common;

use common::{ASHA, Client, SOON, Site, wait_until};

#[test]
fn no_flash_opens_a_door_out_of_service_until_somebody_puts_it_back() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "gate");
    let mut other = Client::door(central.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let said = site.ok(&["central", "retire", "gate"]);
    assert_eq!(
        said,
        "door 'gate' is out of service: no flash opens it, until that is undone (--undo)\n"
    );
    assert_eq!(door.flash(ASHA).verdict, "door-retired");
    assert_eq!(other.flash(ASHA).verdict, "open");
    // A relay comes back by connecting; a door does not.
    drop(door);
    let mut door = Client::door(central.address(), "gate");
    assert_eq!(door.flash(ASHA).verdict, "door-retired");
    let devices = site.ok(&["central", "devices"]);
    assert!(devices.contains("out of service"), "{devices}");
    let why = site.ok(&["report", "why", "gate"]);
    let undo = "twinkle central retire 'gate' --role door --undo";
    assert!(why.contains(", out of service, known since"), "{why}");
    assert_eq!(why.matches(undo).count(), 1, "{why}");

    let again = site.ok(&["central", "retire", "gate", "--role", "door"]);
    assert!(again.contains("is already out of service"), "{again}");
    site.ok(&["central", "retire", "gate", "--role", "door", "--undo"]);
    assert_eq!(door.flash(ASHA).verdict, "open");
    let changes = "SELECT group_concat(action || ' ' || detail, ', ') FROM audit
                   WHERE action LIKE '%retire'";
    let changes: String = site.sql().query_row(changes, [], |row| row.get(0)).unwrap();
    assert_eq!(changes, "retire door 'gate', undo retire door 'gate'");
}

#[test]
fn a_relay_that_is_cut_off_opens_no_door_out_of_service() {
    let site = Site::seeded();
    let (mut central, relay) = site.cut_off_for("12h");
    let mut gate = site.known_door(relay.address(), "gate", 0);
    let mut lab = site.known_door(relay.address(), "lab", 1);
    site.ok(&["central", "retire", "gate"]);
    assert_eq!(gate.flash(ASHA).verdict, "door-retired");
    let file = site.relay_sql();
    wait_until(SOON, "the roster follows", || {
        let sql = "SELECT count(*) FROM roster_door WHERE name = 'gate' AND retired = 1";
        let count = file.query_row(sql, [], |row| row.get::<_, i64>(0));
        count.unwrap() == 1
    });
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    assert_eq!(gate.flash(ASHA).verdict, "door-retired");
    assert_eq!(lab.flash(ASHA).verdict, "open");
}

#[test]
fn a_name_that_a_door_and_a_relay_have_is_not_guessed_at() {
    let site = Site::seeded();
    let (central, relay) = site.central_and_relay();
    let mut door = Client::door(relay.address(), "site");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let refused = site.run(&["central", "retire", "site"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("--role door"), "{refused:?}");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let said = site.ok(&["central", "retire", "site", "--role", "relay"]);
    assert!(said.starts_with("relay 'site' is out of"), "{said}");
    let said = site.ok(&["central", "retire", "site", "--role", "relay", "--undo"]);
    assert!(said.starts_with("relay 'site' is in service"), "{said}");
    assert_eq!(door.flash(ASHA).verdict, "open");
    site.ok(&["central", "retire", "site", "--role", "door"]);
    assert_eq!(door.flash(ASHA).verdict, "door-retired");
    let near = site.run(&["central", "retire", "sites", "--role", "door"]);
    assert_eq!(near.code, Some(3), "{near:?}");
    assert!(near.stderr.contains("did you mean 'site'?"), "{near:?}");
    drop(central);
}
