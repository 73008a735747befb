//! Power that comes back: everything starts at once, in any order, and with clocks that know
//! nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use common::clock::Witness;
use common::{ASHA, Client, Proc, SOON, Site, TestClock, ended, pause, wait_until};
use twinkle::clock::{Clock, SystemClock};

/// How soon the first badge must open once the central is up.
const AT_ONCE: Duration = Duration::from_secs(5);
const HOUR: i64 = 3_600;

/// A site whose processes all have the same wrong clock, and go and come together.
struct Powered {
    site: Site,
    clock: TestClock,
    central: SocketAddr,
    relay: SocketAddr,
}

impl Powered {
    /// After a day on which Asha came and all was well, the power is cut.
    fn cut() -> Self {
        let site = Site::seeded();
        let clock = TestClock::off_by(site.folder.path(), 0);
        let central = site.central(0, &[]);
        let relay = site.relay(0, central.address(), &["--offline-for", "12h"]);
        relay.stderr.wait_for("the roster is here");
        let mut door = Client::door(relay.address(), "lab");
        assert_eq!(door.flash(ASHA).verdict, "open");
        let powered = Self {
            clock,
            central: central.address(),
            relay: relay.address(),
            site,
        };
        powered.site.roster_knows(1);
        // Clocks without a battery begin at the beginning.
        powered.clock.run_from("1970-01-01T00:00:10Z");
        powered
    }

    fn with_clock(&self, mut command: Command) -> Command {
        self.clock.give_to(&mut command);
        command
    }

    fn start_central(&self) -> Proc {
        let listen = self.central.to_string();
        let command = self.site.command(&["central", "--listen", &listen]);
        Proc::server(&mut self.with_clock(command))
    }

    fn start_relay(&self) -> Proc {
        let (listen, central) = (self.relay.to_string(), self.central.to_string());
        let relay = self.site.command(&[
            "relay",
            "site",
            "--listen",
            &listen,
            "--central",
            &central,
            "--offline-for",
            "12h",
        ]);
        Proc::server(&mut self.with_clock(relay))
    }

    fn start_door(&self) -> Proc {
        let listen = self.relay.to_string();
        let door = self.site.command(&["door", "lab", "--relay", &listen]);
        Proc::spawn(&mut self.with_clock(door))
    }

    /// Starts the machines anew, so many seconds after the roster was last known to be right.
    fn reboot_after(&self, seconds: i64) {
        self.clock.reboot();
        self.clock.go_off_by(seconds);
    }
}

#[test]
fn a_first_hour_with_a_clock_that_was_never_set_is_spoken_of_and_marked() {
    let site = Site::new();
    let clock = TestClock::off_by(site.folder.path(), 0);
    clock.run_from("1970-01-01T00:00:10Z");
    let with_clock = |args: &[&str]| {
        let mut command = site.command(args);
        clock.give_to(&mut command);
        command
    };
    let central = Proc::server(&mut with_clock(&["central", "--listen", "127.0.0.1:0"]));
    let said = central.stderr.wait_for("it was never set");
    assert!(said.contains("clock shows 1970-01-01 00:00 UTC"), "{said}");
    let added = ended(&mut with_clock(&[
        "employee",
        "add",
        "Asha Rao",
        "--twinklet",
        "7",
    ]));
    assert_eq!(added.code, Some(0), "{added:?}");
    assert!(added.stderr.contains("it was never set"), "{added:?}");
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(7).verdict, "open");
    let marked = "SELECT count(*) FROM event WHERE clock = 'clock-unset'";
    assert_eq!(site.count(marked), 1);

    clock.go_off_by(0);
    assert_eq!(door.flash(7).verdict, "open");
    central.stderr.wait_for("clock was set");
    assert_eq!(site.count(marked), 1, "the second is not");
}

#[test]
fn after_a_power_cut_the_first_badge_opens_soon_after_the_central_is_up() {
    let powered = Powered::cut();
    powered.clock.reboot();
    let (mut door, relay) = (powered.start_door(), powered.start_relay());
    door.stderr.wait_for("connected to the relay");
    door.type_line(&ASHA.to_string());
    door.stdout.wait_for("central-unreachable");
    relay.stderr.wait_for("the machine was started anew");
    let mut client = Client::door(powered.relay, "gate");
    assert_eq!(client.flash(ASHA).verdict, "central-unreachable");

    let central = powered.start_central();
    let up = Instant::now();
    let said = central.stderr.wait_for("this machine's clock shows");
    assert!(said.contains("1970-01-01"), "{said}");
    wait_until(AT_ONCE, "the first badge opens", || {
        client.flash(ASHA).verdict == "open"
    });
    // Until a second has passed, it would still be the same flash.
    pause(Duration::from_millis(1_100));
    door.type_line(&ASHA.to_string());
    door.stdout.wait_for("unlocked for");
    assert!(up.elapsed() < AT_ONCE, "{:?}", up.elapsed());
    let site = &powered.site;
    let one = |sql: &str| site.count(sql);
    wait_until(
        SOON,
        "what was stored is marked, and of the last day known",
        || {
            one("SELECT count(*) FROM event WHERE verdict = 'open' AND clock = 'clock-unset'") >= 2
                && one("SELECT count(DISTINCT day) FROM event") == 1
                && one("SELECT count(*) FROM attendance") == 1
        },
    );
    assert_eq!(
        one("SELECT sum(flashes) FROM attendance"),
        one("SELECT count(*) FROM event WHERE verdict = 'open'")
    );
}

#[test]
fn after_a_power_cut_a_relay_that_kept_running_opens_before_the_central_is_up() {
    let powered = Powered::cut();
    let (mut door, _relay) = (powered.start_door(), powered.start_relay());
    door.stderr.wait_for("connected to the relay");
    let began = Instant::now();
    door.type_line(&ASHA.to_string());
    door.stdout.wait_for("unlocked for");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    let _central = powered.start_central();
    let site = &powered.site;
    wait_until(SOON, "it counts once", || {
        site.count("SELECT sum(flashes) FROM attendance") == 2
    });
    assert_eq!(site.count("SELECT count(DISTINCT day) FROM attendance"), 1);
}

#[test]
fn after_a_power_cut_a_relay_whose_clock_is_right_opens_before_the_central_is_up() {
    let powered = Powered::cut();
    powered.reboot_after(11 * HOUR);
    let time = SystemClock.now().timestamp() + 11 * HOUR;
    powered.clock.vouch(Witness::Hardware, &time.to_string());
    let began = Instant::now();
    let (mut door, mut relay) = (powered.start_door(), powered.start_relay());
    door.stderr.wait_for("connected to the relay");
    door.type_line(&ASHA.to_string());
    door.stdout.wait_for("unlocked for");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    // From now on the age is known without that clock, whatever is done to the other one.
    relay.kill_9();
    powered.clock.vouch(Witness::Hardware, "");
    powered.clock.go_off_by(-HOUR);
    let _relay = powered.start_relay();
    let mut client = Client::door(powered.relay, "lab");
    assert_eq!(client.flash(ASHA).verdict, "open");
}

#[test]
fn after_a_restart_of_the_machine_a_roster_is_as_old_as_a_clock_says_that_can_be_believed() {
    let powered = Powered::cut();
    let clock = &powered.clock;
    let restarted = |after, vouch: Option<(Witness, i64)>, verdict| {
        powered.reboot_after(after);
        if let Some((witness, says)) = vouch {
            clock.vouch(witness, &says.to_string());
        }
        let relay = powered.start_relay();
        let mut door = Client::door(powered.relay, "lab");
        assert_eq!(door.flash(ASHA).verdict, verdict, "{after} s, {vouch:?}");
        (relay, door)
    };
    let refused = |after, vouch, why| {
        let (relay, _) = restarted(after, vouch, "central-unreachable");
        relay.stderr.wait_for(why);
    };
    let service = Some((Witness::TimeService, 1));
    let leap_seconds = Some((Witness::LeapSeconds, 37));
    let hardware = |off| Some((Witness::Hardware, SystemClock.now().timestamp() + off));

    let unknown = "its clock is not known to be right";
    refused(HOUR, None, unknown);
    refused(HOUR, hardware(2 * HOUR), unknown);
    let set_back = "its clock is behind its roster";
    refused(-HOUR, service, set_back);
    refused(-HOUR, hardware(-HOUR), set_back);
    let too_old = "its roster is older than allowed";
    refused(13 * HOUR, hardware(13 * HOUR), too_old);
    refused(13 * HOUR, leap_seconds, too_old);
    for vouch in [service, leap_seconds, hardware(11 * HOUR)] {
        restarted(11 * HOUR, vouch, "open");
    }

    // It is believed as soon as it is set.
    let (_relay, mut door) = restarted(11 * HOUR, None, "central-unreachable");
    clock.vouch(Witness::TimeService, "");
    assert_eq!(door.flash(ASHA).verdict, "open");
}

#[test]
fn a_central_whose_clock_is_behind_what_it_has_stored_says_so_and_marks_what_it_stores() {
    let site = Site::seeded();
    let joined = ["--joined", "2024-02-01"];
    site.ok(&[
        &["employee", "add", "John", "--twinklet", "13"][..],
        &joined,
    ]
    .concat());
    let clock = TestClock::standing_at(site.folder.path(), "2024-03-12T17:00:00Z");
    let listen = format!("{}:0", site.host);
    let start = |args: &[&str]| {
        let mut command = site.command(&["central", "--listen", &listen]);
        clock.give_to(command.args(args));
        Proc::server(&mut command)
    };
    let mark = |name: &str| {
        let mut command = site.command(&["report", "--month", "2024-03", "--format", "csv"]);
        clock.give_to(&mut command);
        let csv = ended(&mut command).stdout;
        let row = csv.lines().find(|line| line.contains(name)).unwrap();
        row.split(',').nth(2 + 11).unwrap().to_owned()
    };
    let faults = "SELECT count(*) FROM event WHERE clock = 'clock-behind' AND at >= 1710262800000";

    let mut central = start(&[]);
    let flash = |central: &Proc| Client::door(central.address(), "lab").flash(ASHA).verdict;
    assert_eq!(flash(&central), "open");
    assert_eq!(central.stderr.count("this machine's clock"), 0);
    central.kill_9();
    clock.stand_at("2024-03-12T08:00:00Z");
    central = start(&[]);
    let said = central.stderr.wait_for("this machine's clock shows");
    assert!(said.contains("2024-03-12 08:00 UTC"), "{said}");
    assert!(said.contains("2024-03-12 17:00 UTC"), "{said}");
    assert_eq!(flash(&central), "open");
    assert_eq!(site.count(faults), 1, "as of when it can have been");
    assert_eq!((&*mark("Asha"), &*mark("John")), ("P", "a"));
    let events = site.ok(&["report", "events"]);
    assert!(events.contains("open, clock-behind"), "{events}");

    clock.stand_at("2024-03-13T09:00:00Z");
    central.stderr.wait_for("this machine's clock was set");
    assert_eq!(flash(&central), "open");
    assert_eq!(site.count(faults), 1);
    assert_eq!((&*mark("Asha"), &*mark("John")), ("P", "A"));
    assert_eq!(central.stderr.count("this machine's clock shows"), 1);

    // A clock that had run ahead leaves something that is still to come; its word is an end to it.
    drop(central);
    clock.stand_at("2024-03-10T09:00:00Z");
    let central = start(&["--trust-clock"]);
    assert_eq!(flash(&central), "open");
    assert_eq!(central.stderr.count("this machine's clock"), 0);
    assert_eq!(site.count(faults), 1);
}
