//! What the database says of doors and relays: who is connected, and when each was last heard of.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use chrono::{DateTime, Utc};
use common::{ASHA, Client, PlainClient, Proc, SOON, Site, TestClock, wait_until};
use twinkle::db::{Device, Store};

const MORNING: &str = "2024-02-15T08:00:00Z";
const NOON: &str = "2024-02-15T12:00:00Z";
const EVENING: &str = "2024-02-15T18:00:00Z";

fn at(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

fn device(site: &Site, name: &str) -> Option<Device> {
    let devices = Store::open(&site.db()).unwrap().devices().unwrap();
    devices.into_iter().find(|device| device.name == name)
}

fn wait_for(site: &Site, name: &str, what: &str, is_so: impl Fn(&Device) -> bool) -> Device {
    wait_until(SOON, &format!("{name} {what}"), || {
        device(site, name).is_some_and(|device| is_so(&device))
    });
    device(site, name).unwrap()
}

/// A central whose clock stands as the test says.
fn central(site: &Site, clock: &TestClock, args: &[&str]) -> Proc {
    let listen = format!("{}:0", site.host);
    let mut command = site.command(&["central", "--listen", &listen]);
    clock.give_to(command.args(args));
    Proc::server(&mut command)
}

#[test]
fn who_is_connected_is_written_down_with_its_relay_and_when_it_went() {
    let site = Site::seeded();
    let clock = TestClock::standing_at(site.folder.path(), MORNING);
    let mut central = central(&site, &clock, &[]);
    let mut relay = site.relay(0, central.address(), &[]);
    let mut door = site.door("lab", relay.address(), &[]);
    let straight = site.door("back", central.address(), &[]);
    let lab = wait_for(&site, "lab", "is connected", |lab| lab.connected.is_some());
    assert_eq!((lab.connected, lab.heard), (at(MORNING), at(MORNING)));
    assert_eq!(lab.relay.as_deref(), Some("site"));
    let back = wait_for(&site, "back", "is connected", |d| d.connected.is_some());
    assert_eq!(back.relay, None);
    assert!(device(&site, "site").unwrap().connected.is_some());

    // The relay says so when a door goes; when the relay itself goes, its doors go with it.
    clock.stand_at(NOON);
    door.kill_9();
    let lab = wait_for(&site, "lab", "is gone", |lab| lab.connected.is_none());
    assert_eq!(lab.heard, at(NOON));
    let _door = site.door("lab", relay.address(), &[]);
    wait_for(&site, "lab", "is back", |lab| lab.connected.is_some());
    clock.stand_at(EVENING);
    relay.kill_9();
    let lab = wait_for(&site, "lab", "is gone again", |lab| lab.connected.is_none());
    assert_eq!(lab.heard, at(EVENING));

    central.signal("TERM");
    assert_eq!(central.wait(SOON).code(), Some(0));
    let back = device(&site, "back").unwrap();
    assert_eq!((back.connected, back.heard), (None, at(EVENING)));
    drop(straight);
}

#[test]
fn after_a_kill_a_device_was_heard_of_for_as_long_as_the_central_wrote() {
    let site = Site::seeded();
    let clock = TestClock::standing_at(site.folder.path(), MORNING);
    let mut killed = central(&site, &clock, &[]);
    let door = site.door("lab", killed.address(), &[]);
    wait_for(&site, "lab", "is connected", |lab| lab.connected.is_some());
    // Another door has the central write at noon that it lives.
    clock.stand_at(NOON);
    let other = site.door("back", killed.address(), &[]);
    let lab = wait_for(&site, "lab", "was heard at noon", |d| d.heard == at(NOON));
    assert_eq!(lab.connected, at(MORNING));
    let store = Store::open(&site.db()).unwrap();
    assert!(store.is_served().unwrap());
    killed.kill_9();
    drop((door, other));
    assert!(!store.is_served().unwrap());

    clock.stand_at(EVENING);
    let _central = central(&site, &clock, &[]);
    let lab = device(&site, "lab").unwrap();
    assert_eq!((lab.connected, lab.heard), (None, at(NOON)));
}

#[test]
fn an_old_receiver_is_heard_of_by_its_flashes() {
    let site = Site::seeded();
    let clock = TestClock::standing_at(site.folder.path(), MORNING);
    let mut central = central(&site, &clock, &["--accept-plain", "old"]);
    let old = device(&site, "old").unwrap();
    assert_eq!((old.connected, old.heard), (None, None));
    let mut client = PlainClient::connect(central.address());
    clock.stand_at(NOON);
    client.send(format!("1*{ASHA}*02/01/2022").as_bytes());
    client.expect("Open");
    central.signal("TERM");
    central.wait(SOON);
    let old = device(&site, "old").unwrap();
    assert_eq!((old.connected, old.heard), (None, at(NOON)));
}

#[test]
fn two_devices_of_one_name_are_noticed() {
    let site = Site::seeded();
    let (central, relay) = site.central_and_relay();
    for server in [&central, &relay] {
        let mut first = Client::door(server.address(), "gate");
        let mut second = Client::door(server.address(), "gate");
        let said = "door 'gate' is connected twice, from 127.";
        wait_until(SOON, said, || {
            first.ping(1);
            second.ping(1);
            server.stderr.count(said) > 0
        });
        assert_eq!(second.flash(ASHA).verdict, "open");
        assert_eq!(server.stderr.count(said), 1);
    }
}
