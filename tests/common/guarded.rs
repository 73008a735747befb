//! A site that takes nobody without an identity.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use twinkle::wire::{Message, Refused, Role};

use super::tls::{self, TlsStream};
use super::{ASHA, Client, Proc, Site, TestClock, ended};

/// A site whose devices are enrolled, with its servers.
pub struct Guarded {
    pub site: Site,
    pub central: Proc,
    pub relay: Proc,
    pub lab: PathBuf,
    pub north: PathBuf,
}

impl Guarded {
    pub fn start() -> Self {
        let site = Site::seeded();
        let north = site.enroll("relay", "north", &[]);
        let lab = site.enroll("door", "lab", &["--relay", "north"]);
        site.enroll("relay", "south", &[]);
        site.enroll("door", "gate", &["--relay", "south"]);
        let central = site.central(0, &[]);
        let relay = relay(&site, &central, &north);
        Self {
            site,
            central,
            relay,
            lab,
            north,
        }
    }

    /// Both servers refuse what is done to each, with this in one line of the log, and store
    /// nothing of it; an honest door is served meanwhile.
    pub fn each_refuses(&self, why: &str, attack: impl Fn(SocketAddr)) {
        let mut honest = open_door(&self.relay, &self.lab);
        assert_eq!(honest.flash(ASHA).verdict, "open");
        for server in [&self.central, &self.relay] {
            self.refuses(server, why, || attack(server.address()));
        }
        assert_eq!(honest.flash(ASHA).verdict, "open");
    }

    /// One of them does.
    pub fn refuses(&self, server: &Proc, why: &str, attack: impl FnOnce()) {
        let stored = self.stored();
        let before = server.stderr.count(why);
        attack();
        server.stderr.wait_for_nth(why, before + 1);
        assert_eq!(server.stderr.count(why), before + 1, "one line");
        assert_eq!(self.stored(), stored);
    }

    /// How much there is of events, doors and relays.
    pub fn stored(&self) -> i64 {
        let tables = ["event", "door", "relay"];
        let count = |table| self.site.count(&format!("SELECT count(*) FROM {table}"));
        tables.into_iter().map(count).sum()
    }
}

/// A relay of that identity that has reached its central.
pub fn relay(site: &Site, central: &Proc, identity: &Path) -> Proc {
    let relay = start_relay(site, central, identity, None);
    relay.stderr.wait_for("connected to the central");
    relay
}

pub fn start_relay(
    site: &Site,
    central: &Proc,
    identity: &Path,
    clock: Option<&TestClock>,
) -> Proc {
    let (listen, central) = (format!("{}:0", site.host), central.address().to_string());
    let mut command = site.command(&["relay", "--listen", &listen, "--central", &central]);
    command.arg("--identity").arg(identity);
    if let Some(clock) = clock {
        clock.give_to(&mut command);
    }
    Proc::server(&mut command)
}

/// A connection inside TLS with that identity.
pub fn connect(server: SocketAddr, identity: &Path) -> Client<TlsStream> {
    let identity = tls::identity(identity);
    Client::<TcpStream>::inside(tls::connect(server, &identity, Some(&identity)))
}

/// A door with that identity that has been welcomed.
pub fn open_door(server: &Proc, identity: &Path) -> Client<TlsStream> {
    let mut door = connect(server.address(), identity);
    let name = tls::identity(identity).name;
    let answer = door.hello((1, 1), Role::Door, name.as_str());
    assert!(matches!(answer, Message::Welcome(_)), "{answer:?}");
    door
}

pub fn refused(why: &str) -> Message {
    Message::Refused(Refused::with(why))
}

/// Waits until the server has hung up, saying this or nothing; returns how long that took.
pub fn hung_up(client: &mut Client<TlsStream>, code: &str) -> Duration {
    let began = Instant::now();
    while let Some(message) = client.try_receive() {
        // A relay may still have to hear of its doors.
        if !matches!(message, Message::Roll(_)) {
            assert_eq!(message, refused(code));
        }
    }
    began.elapsed()
}

/// One flash of Asha's badge by the real door, with this identity.
pub fn flash(
    site: &Site,
    server: &Proc,
    identity: &Path,
    clock: Option<&TestClock>,
) -> Option<i32> {
    let server = server.address().to_string();
    let flash = [
        "door",
        "--relay",
        &server,
        "--flash",
        "7",
        "--open-for",
        "1ms",
    ];
    let mut command = site.command(&flash);
    command.arg("--identity").arg(identity);
    if let Some(clock) = clock {
        clock.give_to(&mut command);
    }
    ended(&mut command).code
}
