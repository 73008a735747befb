//! Told to end: every role ends soon, with its door locked, and what the doors opened until then is
//! what the register counts.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::io::Write;
use std::thread;
use std::time::Duration;

use common::client::frame;
use common::{Client, PlainClient, Proc, SOON, Site, pause, wait_until};
use twinkle::wire::{Echo, Message};

/// How long a role may take to end.
const WITHIN: Duration = Duration::from_secs(2);

fn ends(role: &str, process: &mut Proc, signal: &str) {
    process.signal(signal);
    let status = process.wait(WITHIN);
    assert_eq!(status.code(), Some(0), "{role} after SIG{signal}");
}

#[test]
fn every_role_ends_cleanly_when_told_to() {
    for signal in ["TERM", "INT"] {
        let site = Site::seeded();
        let mut central = site.central(0, &["--accept-plain", "old"]);
        let mut relay = site.relay(0, central.address(), &["--accept-plain", "old"]);
        relay.stderr.wait_for("connected to the central");
        let mut door = site.door("lab", relay.address(), &["--open-for", "1h"]);
        let servers = [central.address(), relay.address()];
        // Peers that stay connected: silent, in the middle of a frame, of a greeting, of a packet.
        let _peers: Vec<_> = servers
            .iter()
            .map(|&server| {
                let idle = Client::door(server, "idle");
                let mut half = Client::door(server, "half");
                let ping = frame(&Message::Ping(Echo { n: 1 }));
                half.stream.write_all(&ping[..ping.len() - 1]).unwrap();
                let mut greeting = Client::connect(server);
                greeting.stream.write_all(b"\0\0").unwrap();
                let mut packet = PlainClient::connect(server);
                packet.send(b"1*7*02");
                (idle, half, greeting, packet)
            })
            .collect();
        door.type_line("7");
        door.stdout.wait_for("unlocked for 3600 s");
        ends("door", &mut door, signal);
        ends("relay", &mut relay, signal);
        ends("central", &mut central, signal);
        assert_eq!(door.stdout.all().last().unwrap(), "locked");
        // Nothing is left to be recovered: the write-ahead log went with the last to close.
        assert!(!site.folder.path().join("twinkle.db-wal").exists());
    }
}

/// A site under load: doors at which Asha's badge is flashed two hundred times a second.
struct Busy {
    site: Site,
    central: Proc,
    relay: Proc,
    doors: Vec<Proc>,
}

impl Busy {
    fn start() -> Self {
        let site = Site::seeded();
        let (central, relay) = site.central_and_relay();
        let to = relay.address();
        let args = ["--open-for", "1h", "--deadline", "1m"];
        let door = |number| site.door(&format!("door {number}"), to, &args);
        let mut doors: Vec<_> = (0..4).map(door).collect();
        for door in &mut doors {
            let mut input = door.take_input();
            // Until the door has ended.
            thread::spawn(move || {
                // A code of its own each time: a badge that is held up is read many times, and is
                // one flash.
                let mut codes = (0..1_000_000).cycle().map(|code| format!("7:{code:06}"));
                while codes
                    .next()
                    .is_some_and(|flash| writeln!(input, "{flash}").is_ok())
                {
                    pause(Duration::from_millis(5));
                }
            });
        }
        let busy = Self {
            site,
            central,
            relay,
            doors,
        };
        busy.more_is_stored();
        busy
    }

    /// Waits until the load goes on.
    fn more_is_stored(&self) {
        let stored = || {
            self.site
                .count("SELECT count(*) FROM event WHERE verdict = 'open'")
        };
        let before = stored();
        wait_until(SOON, "flashes are stored", || stored() > before + 200);
    }

    /// Has all that still run end, the doors first, and compares what opened with what counts.
    fn agrees(mut self) {
        self.doors
            .iter_mut()
            .for_each(|door| ends("door", door, "TERM"));
        ends("relay", &mut self.relay, "TERM");
        ends("central", &mut self.central, "TERM");
        let mut opened = 0;
        for door in &self.doors {
            let printed = door.stdout.to_the_end();
            let opens = printed
                .iter()
                .filter(|line| line.starts_with("twinklet 7: open, "));
            opened += opens.count();
            assert_eq!(printed.last().unwrap(), "locked");
        }
        let counted = self.site.count("SELECT sum(flashes) FROM attendance");
        assert_eq!(i64::try_from(opened).unwrap(), counted);
        assert!(opened > 200, "{opened}");
    }
}

#[test]
fn doors_that_end_under_load_opened_as_often_as_the_register_counts() {
    Busy::start().agrees();
}

#[test]
fn a_relay_that_ends_under_load_leaves_no_door_and_register_apart() {
    let mut busy = Busy::start();
    let (port, central) = (busy.relay.address().port(), busy.central.address());
    ends("relay", &mut busy.relay, "TERM");
    busy.relay = busy.site.relay(port, central, &["--deadline", "1m"]);
    busy.more_is_stored();
    busy.agrees();
}

#[test]
fn a_central_that_ends_under_load_leaves_no_door_and_register_apart() {
    let mut busy = Busy::start();
    let port = busy.central.address().port();
    ends("central", &mut busy.central, "TERM");
    busy.central = busy.site.central(port, &[]);
    busy.more_is_stored();
    busy.agrees();
}
