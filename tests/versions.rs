//! Programs of different versions work with one another, or both say which of them to upgrade.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use common::client::frame;
use common::{ASHA, Client, Proc, Site};
use twinkle::domain::access::Verdict;
use twinkle::wire::spool::Stored;
use twinkle::wire::{Answer, Door, Echo, Event, Hello, Message, Refused, Role, Welcome};

/// A message that no program of today knows: `{"lamp": {"on": true}}`.
const LAMP: &[u8] = b"\0\0\0\x0b\x81\xa4lamp\x81\xa2on\xc3";
/// What is said of whoever sends it.
const IS_NEWER: &str = "is newer: 'lamp', and what else is not known here, is passed over";

/// A message as a newer program writes it, with a field more: `"later": [1, {"x": nil}]`.
fn grown(message: &Message) -> Vec<u8> {
    let mut bytes = frame(message);
    // {"name": {…}}: the length, a map of one, a short string, and the map to be added to.
    let fields = 4 + 2 + usize::from(bytes[5] & 0x1f);
    assert!((0x80..0x8f).contains(&bytes[fields]), "a short map");
    bytes[fields] += 1;
    bytes.extend_from_slice(b"\xa5later\x92\x01\x81\xa1x\xc0");
    let length = u32::try_from(bytes.len() - 4).unwrap();
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn say(client: &mut Client, message: &Message) {
    client.stream.write_all(&grown(message)).unwrap();
}

/// Greets a server as a device that speaks these versions, with a field that it does not know.
fn greet(server: &Proc, versions: (u16, u16), role: Role, name: &str) -> Client {
    let mut client = Client::named(server.address(), name);
    let name = name.parse().unwrap();
    say(
        &mut client,
        &Message::Hello(Hello {
            versions,
            role,
            name,
        }),
    );
    assert!(matches!(client.receive(), Message::Welcome(w) if w.version == 1));
    if role == Role::Relay {
        let door = Door {
            name: client.new_flash(ASHA).door,
            plain: false,
            identity: None,
        };
        say(&mut client, &Message::Door(door));
    }
    client
}

#[test]
fn older_and_newer_doors_and_relays_keep_working() {
    let site = Site::seeded();
    let (central, relay) = site.central_and_relay();
    for (server, role) in [
        (&central, Role::Relay),
        (&central, Role::Door),
        (&relay, Role::Door),
    ] {
        for (name, versions) in [("older", (0, 1)), ("same", (1, 1)), ("newer", (1, 2))] {
            let mut device = greet(server, versions, role, name);
            let flash = device.new_flash(ASHA);
            say(&mut device, &Message::Flash(flash));
            assert_eq!(device.verdict().verdict, "open", "{role} '{name}'");
        }
        let mut newer = greet(server, (1, 2), role, "newer");
        for n in 1..=3 {
            newer.stream.write_all(LAMP).unwrap();
            say(&mut newer, &Message::Ping(Echo { n }));
            assert_eq!(newer.receive(), Message::Pong(Echo { n }));
        }
        assert_eq!(newer.flash(ASHA).verdict, "open");
        let said = format!("{role} 'newer' {IS_NEWER}");
        server.stderr.wait_for(&said);
        assert_eq!(server.stderr.count(&said), 1, "once a connection");
    }
    // An unknown message is no greeting.
    let mut stranger = Client::connect(central.address());
    stranger.stream.write_all(LAMP).unwrap();
    assert_eq!(stranger.try_receive(), None);
    central.stderr.wait_for("a message before Hello");
}

/// A server of another version, for the one client that comes: what it does is said by `serve`.
fn upstream(
    site: &Site,
    serve: impl FnOnce(Client) + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind((site.host, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::thread::spawn(move || serve(Client::over(listener.accept().unwrap().0)));
    (address, served)
}

/// Serves a client as a newer program would that still speaks its version, until that has gone.
fn serve_as_newer(mut client: Client) {
    let mut lamps = 0;
    while let Some(message) = client.try_receive() {
        let answer = match message {
            Message::Hello(_) => Message::Welcome(Welcome {
                version: 1,
                name: "newer".parse().unwrap(),
                installation: None,
                time: now(),
            }),
            Message::Flash(flash) => Message::Verdict(Answer {
                seq: flash.seq,
                verdict: Verdict::Open,
                name: Some("Asha Rao".to_owned()),
            }),
            Message::Spool(_) => Message::Resume(Stored { to: 0 }),
            Message::Undelivered(Event { event }) => Message::Noted(Event { event }),
            Message::Happened(happened) => Message::Noted(Event {
                event: happened.event,
            }),
            Message::Ping(echo) => Message::Pong(echo),
            _ => continue,
        };
        say(&mut client, &answer);
        if lamps < 2 {
            lamps += 1;
            client.stream.write_all(LAMP).unwrap();
        }
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[test]
fn a_door_opens_with_a_newer_relay_and_a_relay_with_a_newer_central() {
    let site = Site::new();
    let (newer, served) = upstream(&site, serve_as_newer);
    let mut door = site.door("lab", newer, &[]);
    door.stderr.wait_for(&format!("the relay {IS_NEWER}"));
    door.type_line("7");
    door.stdout.wait_for("open");
    assert_eq!(door.stderr.count(IS_NEWER), 1);
    drop(door);
    served.join().unwrap();

    let (newer, served) = upstream(&site, serve_as_newer);
    let relay = site.relay(0, newer, &[]);
    relay.stderr.wait_for(&format!("the central {IS_NEWER}"));
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    assert_eq!(relay.stderr.count(IS_NEWER), 1);
    drop((door, relay));
    served.join().unwrap();
}

#[test]
fn programs_too_far_apart_both_say_which_of_them_to_upgrade() {
    let site = Site::seeded();
    let (central, _relay) = site.central_and_relay();
    // The server's side: the door hears which versions there are.
    for (versions, said) in [
        (
            (2, 3),
            "versions 2 to 3 of the protocol, the twinkle here version 1; upgrade the one here",
        ),
        (
            (0, 0),
            "version 0 of the protocol, the twinkle here version 1; upgrade the other",
        ),
    ] {
        let mut door = Client::connect(central.address());
        let refused = Message::Refused(Refused {
            reason: "version".to_owned(),
            versions: Some((1, 1)),
        });
        assert_eq!(door.hello(versions, Role::Door, "far"), refused);
        assert_eq!(door.try_receive(), None);
        central
            .stderr
            .wait_for(&format!("closed: door 'far' speaks {said}"));
    }
    // The client's side, as the first release and as a later one refuses it.
    for (versions, said) in [
        (
            None,
            "it refuses us: version; upgrade the older of the two programs",
        ),
        (
            Some((2, 3)),
            "it speaks versions 2 to 3 of the protocol, the twinkle here version 1; upgrade the one here",
        ),
        (
            Some((0, 0)),
            "it speaks version 0 of the protocol, the twinkle here version 1; upgrade the other",
        ),
    ] {
        let (other, served) = upstream(&site, move |mut client| {
            client.receive();
            client.send(&Message::Refused(Refused {
                reason: "version".to_owned(),
                versions,
            }));
        });
        let door = site.door("lab", other, &[]);
        door.stderr
            .wait_for(&format!("cannot use the relay at {other}: {said}"));
        served.join().unwrap();
    }
}
