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

use common::{ASHA, Client, Proc, SOON, Site, TestClock, ended, pause, wait_until};

/// How soon the first badge must open once the central is up.
const AT_ONCE: Duration = Duration::from_secs(5);

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
        let file = powered.relay_file();
        wait_until(SOON, "the roster knows the door", || {
            let known = "SELECT count(*) FROM roster_door";
            let known = file.query_row(known, [], |row| row.get::<_, i64>(0));
            known.unwrap() == 1
        });
        // Clocks without a battery begin at the beginning.
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        powered.clock.go_off_by(10 - i64::try_from(since).unwrap());
        powered
    }

    fn relay_file(&self) -> rusqlite::Connection {
        let file = ".local/share/twinkle/relay-site.db";
        let sql = rusqlite::Connection::open(self.site.folder.path().join(file)).unwrap();
        sql.busy_timeout(SOON).unwrap();
        sql
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

    /// A relay and its door, as their computers start them.
    fn start_others(&self) -> (Proc, Proc) {
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
        let door = self.site.command(&["door", "lab", "--relay", &listen]);
        let door = Proc::spawn(&mut self.with_clock(door));
        (Proc::server(&mut self.with_clock(relay)), door)
    }
}

#[test]
fn after_a_power_cut_the_first_badge_opens_soon_after_the_central_is_up() {
    let powered = Powered::cut();
    // As a restart of the relay's machine has it: nobody knows for how long it was off.
    powered
        .relay_file()
        .execute("UPDATE roster SET boot = zeroblob(16)", [])
        .unwrap();
    let (relay, mut door) = powered.start_others();
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
    let (_relay, mut door) = powered.start_others();
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
