//! Disks that are full or cannot be written: no door opens by what was not stored, nothing is
//! harmed, and all goes on by itself once there is room.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::disk::{SmallDisk, TestDisk};
use common::{ASHA, Client, Proc, SOON, Site, wait_until};
use twinkle::domain::ids::EventId;

/// How soon doors open again once there is room.
const RECOVERED: Duration = Duration::from_secs(5);

/// Flashes until something else is the answer than `open`, and returns what opened and that answer.
fn flash_until_refused(door: &mut Client) -> (BTreeSet<EventId>, &'static str) {
    let mut opened = BTreeSet::new();
    // What was once written is room in a log: it takes some flashes until that is used up.
    for _ in 0..20_000 {
        let flash = door.new_flash(ASHA);
        match door.ask(&flash).verdict {
            "open" => opened.insert(flash.event),
            other => return (opened, other),
        };
    }
    panic!("the disk is never full");
}

/// Flashes until the door opens again, and returns that event.
fn flash_until_open(door: &mut Client) -> EventId {
    let mut opened = None;
    wait_until(RECOVERED, "the door opens again", || {
        let flash = door.new_flash(ASHA);
        opened = (door.ask(&flash).verdict == "open").then_some(flash.event);
        opened.is_some()
    });
    opened.unwrap()
}

/// The events that are stored as `Open` and count, once each in a database that is sound.
fn stored(site: &Site) -> BTreeSet<EventId> {
    let sql = site.sql();
    let sound: String = sql
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
    let mut select = sql
        .prepare(
            "SELECT uid FROM event
             WHERE verdict = 'open' AND uid NOT IN (SELECT uid FROM undelivered)",
        )
        .unwrap();
    let rows = select.query_map([], |row| Ok(EventId::from_bytes(row.get(0)?)));
    rows.unwrap().map(|row| row.unwrap()).collect()
}

/// Waits until the relay whose file that is would decide for a door that has come.
fn wait_until_roster_knows_door(file: &Path) {
    let sql = rusqlite::Connection::open(file).unwrap();
    wait_until(SOON, "the roster knows the door", || {
        let known = "SELECT count(*) FROM roster_door";
        let known = sql.query_row(known, [], |row| row.get::<_, i64>(0));
        known.unwrap() == 1
    });
}

fn relay_command(site: &Site, name: &str, central: &Proc, args: &[&str]) -> Command {
    let (listen, central) = (format!("{}:0", site.host), central.address().to_string());
    let fixed = ["relay", name, "--listen", &listen, "--central", &central];
    let mut command = site.command(&fixed);
    command.args(args);
    command
}

#[test]
fn a_full_disk_under_central_and_relay_opens_nothing_and_harms_nothing() {
    let site = Site::new();
    let Some(disk) = SmallDisk::mount(site.folder.path(), 8) else {
        return;
    };
    site.seed();
    let central = site.central(0, &[]);
    let relay = site.relay(0, central.address(), &["--offline-for", "12h"]);
    relay.stderr.wait_for("the roster is here");
    let mut door = Client::door(relay.address(), "lab");
    let mut seen = BTreeSet::from([flash_until_open(&mut door)]);
    wait_until_roster_knows_door(&site.relay_file());
    for round in 1..=2 {
        seen.insert(flash_until_open(&mut door));
        disk.fill();
        let (opened, refused) = flash_until_refused(&mut door);
        seen.extend(opened);
        assert_eq!(refused, "storage-failed");
        central.stderr.wait_for_nth("cannot store", round);
        for _ in 0..5 {
            assert_ne!(door.flash(ASHA).verdict, "open");
        }
        disk.free();
        seen.insert(flash_until_open(&mut door));
        central
            .stderr
            .wait_for_nth("the database stores again", round);
        assert_eq!(central.stderr.count("cannot store"), round, "said once");
    }
    wait_until(SOON, "what opened is stored, and nothing else", || {
        stored(&site) == seen
    });
    let counted = site.count("SELECT sum(flashes) FROM attendance");
    assert_eq!(counted, i64::try_from(seen.len()).unwrap());
}

#[test]
fn a_relay_that_is_cut_off_opens_nothing_that_its_full_disk_does_not_hold() {
    let site = Site::seeded();
    let folder = site.folder.path().join("small");
    fs::create_dir(&folder).unwrap();
    let Some(disk) = SmallDisk::mount(&folder, 4) else {
        return;
    };
    let mut central = site.central(0, &[]);
    let port = central.address().port();
    let file = folder.join("relay.db").to_str().unwrap().to_owned();
    let args = ["--offline-for", "12h", "--spool", &file];
    let mut relay = Proc::server(&mut relay_command(&site, "site", &central, &args));
    relay.stderr.wait_for("the roster is here");
    let mut door = Client::door(relay.address(), "lab");
    let mut seen = BTreeSet::from([flash_until_open(&mut door)]);
    wait_until_roster_knows_door(Path::new(&file));
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    disk.fill();
    let (opened, refused) = flash_until_refused(&mut door);
    seen.extend(opened);
    assert_eq!(refused, "storage-failed");
    relay.stderr.wait_for("cannot keep anything");
    assert_eq!(door.flash(ASHA).verdict, "storage-failed");
    disk.free();
    seen.insert(flash_until_open(&mut door));
    relay.stderr.wait_for("can be used again");
    assert_eq!(relay.stderr.count("cannot keep anything"), 1, "said once");
    // What it holds survives it, too.
    relay.kill_9();
    let central = site.central(port, &[]);
    let _relay = Proc::server(&mut relay_command(&site, "site", &central, &args));
    wait_until(SOON, "what opened is stored, and nothing else", || {
        stored(&site) == seen
    });
}

#[test]
fn a_disk_that_cannot_be_written_any_more_is_used_again_when_it_can() {
    let site = Site::seeded();
    let folder = site.folder.path().join("disks");
    fs::create_dir_all(folder.join("relay")).unwrap();
    let (of_central, of_relay) = (TestDisk::new(&folder), TestDisk::new(&folder.join("relay")));
    let listen = format!("{}:0", site.host);
    let mut command = site.command(&["central", "--listen", &listen]);
    of_central.give_to(&mut command);
    let central = Proc::server(&mut command);
    let asking = Proc::server(&mut relay_command(&site, "site", &central, &[]));
    let mut command = relay_command(&site, "annex", &central, &["--offline-for", "12h"]);
    of_relay.give_to(&mut command);
    let deciding = Proc::server(&mut command);
    deciding.stderr.wait_for("the roster is here");
    let mut at_asking = Client::door(asking.address(), "lab");
    let mut at_deciding = Client::door(deciding.address(), "gate");
    let mut seen = BTreeSet::new();
    for door in [&mut at_asking, &mut at_deciding] {
        seen.insert(flash_until_open(door));
    }
    for (round, what) in [(1, "read-only"), (2, "full")] {
        of_central.becomes(what);
        assert_eq!(at_asking.flash(ASHA).verdict, "storage-failed", "{what}");
        central.stderr.wait_for_nth("cannot store", round);
        // A relay that may decide does, and keeps it.
        seen.insert(flash_until_open(&mut at_deciding));
        of_relay.becomes(what);
        assert_eq!(at_deciding.flash(ASHA).verdict, "storage-failed", "{what}");
        deciding.stderr.wait_for_nth("cannot keep anything", round);
        of_relay.becomes("good");
        seen.insert(flash_until_open(&mut at_deciding));
        of_central.becomes("good");
        seen.insert(flash_until_open(&mut at_asking));
        wait_until(SOON, "what opened is stored, and nothing else", || {
            stored(&site) == seen
        });
    }
}
