//! Outputs that nobody reads: a pipe to a program that has stopped, or has gone. No server waits
//! for its reader.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use common::{ASHA, Client, SOON, Site, wait_until};
use socket2::{Domain, Socket, Type};

/// More lines of log than a pipe and the program's own queue hold.
const MANY: u32 = 3_000;

/// A server whose log goes into a pipe that this test holds and does not read.
struct Unread {
    child: Child,
    address: SocketAddr,
}

impl Unread {
    fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        let address = first.trim().strip_prefix("listening on ").unwrap();
        Self {
            address: address.parse().unwrap(),
            child,
        }
    }

    /// Has it log more than fits anywhere: one line for each stranger, of whom many come from
    /// elsewhere each time, because the lines about one address are few.
    fn fill_log(&self) {
        for number in 0..MANY {
            let [.., high, low] = number.to_be_bytes();
            let stranger = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            let from = SocketAddr::from(([127, 90, high, low], 0));
            stranger.bind(&from.into()).unwrap();
            stranger.connect(&self.address.into()).unwrap();
            let mut stranger = TcpStream::from(stranger);
            stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        }
    }

    fn is_served(&self) {
        let began = Instant::now();
        assert_eq!(
            Client::door(self.address, "lab").flash(ASHA).verdict,
            "open"
        );
        assert!(began.elapsed() < SOON);
    }

    fn ends_when_told(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(told.unwrap().success());
        let began = Instant::now();
        wait_until(SOON, "it ends", || self.child.try_wait().unwrap().is_some());
        assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn listen(site: &Site) -> String {
    format!("{}:0", site.host)
}

#[test]
fn a_log_that_nobody_reads_stops_no_server() {
    let site = Site::seeded();
    let central = Unread::start(&mut site.command(&["central", "--listen", &listen(&site)]));
    central.fill_log();
    central.is_served();
    let to = central.address.to_string();
    let relay = [
        "relay",
        "site",
        "--listen",
        &listen(&site),
        "--central",
        &to,
    ];
    let relay = Unread::start(&mut site.command(&relay));
    relay.fill_log();
    relay.is_served();
    relay.ends_when_told();
    central.ends_when_told();
}

#[test]
fn a_log_whose_reader_comes_back_says_how_much_it_missed() {
    let site = Site::seeded();
    let mut central = Unread::start(&mut site.command(&["central", "--listen", &listen(&site)]));
    central.fill_log();
    central.is_served();
    let mut log = central.child.stderr.take().unwrap();
    let reading = thread::spawn(move || {
        let mut said = String::new();
        log.read_to_string(&mut said).unwrap();
        said
    });
    central.ends_when_told();
    let said = reading.join().unwrap();
    assert!(
        said.contains(" lines were left out: nobody read on)"),
        "{said}"
    );
}

#[test]
fn a_log_whose_reader_has_gone_stops_no_server() {
    let site = Site::seeded();
    let mut central = Unread::start(&mut site.command(&["central", "--listen", &listen(&site)]));
    drop(central.child.stderr.take());
    central.fill_log();
    central.is_served();
    central.ends_when_told();
}
