//! Where flashes come from: serial ports that are noisy and get unplugged, receivers that speak
//! plain text to the door, badges that are held up.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{ASHA, PlainClient, Proc, SOON, Site, pause};

/// A serial port with a receiver on it: a pseudo-terminal behind a name of its own, like
/// `/dev/ttyUSB0`.
struct Port {
    name: PathBuf,
    receiver: Option<File>,
}

impl Port {
    /// A port that is not there yet.
    fn at(site: &Site) -> Self {
        Self {
            name: site.folder.path().join("ttyUSB0"),
            receiver: None,
        }
    }

    fn source(&self) -> String {
        format!("serial:{},9600", self.name.display())
    }

    fn plug_in(&mut self) {
        let pty = nix::pty::openpty(None, None).unwrap();
        let path = nix::unistd::ttyname(&pty.slave).unwrap();
        symlink(path, &self.name).unwrap();
        self.receiver = Some(File::from(pty.master));
    }

    fn unplug(&mut self) {
        fs::remove_file(&self.name).unwrap();
        self.receiver = None;
    }

    fn send(&mut self, bytes: &[u8]) {
        self.receiver.as_mut().unwrap().write_all(bytes).unwrap();
    }
}

const READING: &str = "reading the serial port";
const SIX: &[u8] = b"6*1*Broadband Wireless Lab*2020-02-03 17:21*Twinkle 6*Correct";

/// A door that reads a serial port, with a central behind it.
fn door_at(site: &Site, port: &Port) -> (Proc, Proc) {
    let central = site.central(0, &[]);
    let door = site.door("lab", central.address(), &["--from", &port.source()]);
    (central, door)
}

#[test]
fn a_receiver_on_a_serial_port_may_send_numbers_and_both_kinds_of_packet() {
    let site = Site::seeded();
    let mut port = Port::at(&site);
    port.plug_in();
    let (_central, door) = door_at(&site, &port);
    door.stderr.wait_for(READING);
    port.send(b"7\r\n");
    door.stdout.wait_for("twinklet 7: open, Asha Rao");
    // Neither a line's end nor anything else follows these.
    port.send(b"1*21*02/01/2022");
    door.stdout.wait_for("twinklet 21: don't open");
    port.send(SIX);
    door.stdout.wait_for("twinklet 6: don't open");
    port.send(b"22:012345\n");
    door.stdout.wait_for("twinklet 22: don't open");
}

#[test]
fn noise_half_lines_and_endless_lines_open_nothing_and_stop_nothing() {
    let site = Site::seeded();
    let mut port = Port::at(&site);
    port.plug_in();
    let (_central, door) = door_at(&site, &port);
    door.stderr.wait_for(READING);
    port.send(b"\xff\x00\x1b[2J\xfe 7 \n");
    door.stderr.wait_for("neither a badge's id nor a packet");
    // Badge 7, and then the cable falls out of its socket: never badge 71.
    port.send(b"7");
    door.stderr.wait_for("half a line, and then nothing: \"7\"");
    port.send(b"1\n");
    door.stdout.wait_for("twinklet 1: don't open");
    port.send(&vec![b'7'; 1_000_000]);
    port.send(b"\n23\n");
    door.stdout.wait_for("twinklet 23: don't open");
    assert_eq!(door.stderr.count("a line of more than 1024 bytes"), 1);
    assert_eq!(site.count("SELECT count(*) FROM event"), 2);
    // A cable that catches noise does not fill the log.
    (0..1_000).for_each(|_| port.send(b"noise\n"));
    port.send(b"24\n");
    door.stdout.wait_for("twinklet 24: don't open");
    assert!(door.stderr.count("passed over") <= 10);
}

#[test]
fn a_serial_port_may_be_unplugged_and_plugged_in_again() {
    let site = Site::seeded();
    let mut port = Port::at(&site);
    let (_central, door) = door_at(&site, &port);
    door.stderr.wait_for("cannot open the serial port");
    for time in 1..=3 {
        port.plug_in();
        door.stderr.wait_for_nth(READING, time);
        // Half a line from before is not the beginning of one from after.
        port.send(format!("{}\n9", 30 + time).as_bytes());
        door.stdout
            .wait_for(&format!("twinklet {}: don't open", 30 + time));
        port.unplug();
        door.stderr.wait_for_nth("lost the serial port", time);
    }
    let (began, used) = (Instant::now(), door.cpu_time());
    pause(Duration::from_secs(2));
    let used = door.cpu_time() - used;
    assert!(used * 20 < began.elapsed(), "{used:?} while unplugged");
    assert_eq!(door.stderr.count("cannot open"), 1, "said once");
    assert_eq!(door.stdout.count("twinklet 9"), 0);
}

#[test]
fn a_port_that_cannot_be_opened_is_explained() {
    let site = Site::new();
    for (from, says) in [
        ("serial:", "write serial:/dev/ttyUSB0 or"),
        ("serial:/dev/ttyUSB0,fast", "write serial:/dev/ttyUSB0 or"),
        ("usb", "there is: stdin, serial:PORT[,BAUD], tcp:ADDR"),
        ("tcp:9000", "write HOST:PORT"),
        ("tcp:0.0.0.0:0", "--insecure"),
    ] {
        let ended = site.run(&["door", "lab", "--from", from]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
}

#[test]
fn a_receiver_that_speaks_plain_text_gets_its_answers_from_the_door() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let from = format!("tcp:{}:0", site.host);
    let door = site.door("lab", relay.address(), &["--from", &from]);
    let line = door.stderr.wait_for("plain-text receivers may connect to ");
    let address = line.rsplit(' ').next().unwrap().parse().unwrap();
    let mut receiver = PlainClient::connect(address);
    receiver.send(b"1*7*02/01/2022");
    receiver.expect("Open");
    door.stdout.wait_for("unlocked for 5 s");
    receiver.send(b"1*8*02/01/2022");
    receiver.expect("Dont_open");
    receiver.send(SIX);
    receiver.expect("Dont_open");
    receiver.send(b"nonsense\n");
    receiver.expect("Dont_open");
    // Two receivers may read the same badge: one flash, and both are told.
    let mut other = PlainClient::connect(address);
    for receiver in [&mut receiver, &mut other] {
        receiver.send(b"1*7*02/01/2022");
    }
    receiver.expect("Open");
    other.expect("Open");
    let opens = site.count("SELECT count(*) FROM event WHERE verdict = 'open'");
    assert!((1..=2).contains(&opens), "{opens}");
}

#[test]
fn a_badge_that_is_held_up_is_one_flash() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut door = site.door("lab", relay.address(), &[]);
    for badge in ["7", "8", "7", "7", "8"] {
        door.type_line(badge);
    }
    door.type_line("9");
    door.stdout.wait_for("twinklet 9");
    assert_eq!(site.count("SELECT count(*) FROM event"), 3);
    assert_eq!(door.stdout.count("unlocked"), 1);
    // Taken away and held up again, it is another.
    let began = Instant::now();
    while door.stdout.count("twinklet 7: open") < 2 {
        assert!(began.elapsed() < SOON);
        pause(Duration::from_millis(1_100));
        door.type_line(&ASHA.to_string());
    }
}

#[test]
fn a_door_whose_relay_is_away_refuses_at_once_and_serves_again_soon() {
    let site = Site::seeded();
    let (central, mut relay) = site.central_and_relay();
    let (port, central) = (relay.address().port(), central.address());
    let mut door = site.door("lab", relay.address(), &[]);
    door.stderr.wait_for("connected to the relay");
    relay.kill_9();
    door.stderr.wait_for("lost the relay");
    for badge in 101..110 {
        let began = Instant::now();
        door.type_line(&badge.to_string());
        let line = format!("twinklet {badge}: don't open, central-unreachable");
        door.stdout.wait_for(&line);
        assert!(began.elapsed() < Duration::from_millis(500));
    }
    // The one badge that would open asks in vain, too.
    door.type_line("7");
    door.stdout.wait_for("twinklet 7: don't open");
    let relay = site.relay(port, central, &[]);
    let back = Instant::now();
    relay.stderr.wait_for("door 'lab' has connected");
    assert!(
        back.elapsed() < Duration::from_secs(2),
        "{:?}",
        back.elapsed()
    );
    relay.stderr.wait_for("connected to the central");
    // The relay says so before the door has its word.
    door.stderr.wait_for_nth("connected to the relay", 2);
    door.type_line("8");
    door.stdout.wait_for("twinklet 8: don't open, suspended");
    assert_eq!(
        door.stdout.count("unlocked"),
        0,
        "nothing was kept for later"
    );

    // A relay that hangs costs one deadline, and is found again as soon.
    relay.signal("STOP");
    door.type_line("201");
    door.stdout.wait_for("twinklet 201: don't open");
    let began = Instant::now();
    door.type_line("202");
    door.stdout.wait_for("twinklet 202: don't open");
    assert!(began.elapsed() < Duration::from_millis(500));
    relay.signal("CONT");
    door.stderr.wait_for_nth("connected to the relay", 3);
    door.type_line("7");
    door.stdout.wait_for("twinklet 7: open, Asha Rao");
    door.stdout.wait_for("unlocked");
    assert_eq!(door.stdout.count("unlocked"), 1);
}
