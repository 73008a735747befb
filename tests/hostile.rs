//! Peers that break the protocol: each is closed or refused alone, and everybody else is served.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::time::Instant;

use common::client::frame;
use common::{ASHA, Client, Proc, SOON, Site, wait_until};
use twinkle::domain::access::Verdict;
use twinkle::domain::ids::EventId;
use twinkle::wire::{Answer, Door, Echo, Event, Gone, Message, Refused, Role};

/// A central, and a relay before it: both speak the same protocol, so both must hold out.
struct Servers {
    site: Site,
    central: Proc,
    relay: Proc,
}

impl Servers {
    fn start() -> Self {
        let site = Site::seeded();
        let (central, relay) = site.central_and_relay();
        Self {
            site,
            central,
            relay,
        }
    }

    /// Has something done to each, with an honest door connected, and sees that this door and a
    /// new one are served afterwards.
    fn each(&self, attack: impl Fn(SocketAddr)) {
        for server in [&self.central, &self.relay] {
            let mut before = Client::door(server.address(), "honest");
            attack(server.address());
            assert_eq!(before.flash(ASHA).verdict, "open");
            assert_eq!(
                Client::door(server.address(), "next").flash(ASHA).verdict,
                "open"
            );
        }
        for server in [&self.central, &self.relay] {
            assert_eq!(server.stderr.count("panicked"), 0);
        }
    }

    /// Has these bytes sent by a stranger, or by a welcomed door, who must be closed for it, with
    /// one line in the log.
    fn close_on(&self, welcomed: bool, bytes: &[u8], why: &str) {
        let before: Vec<_> = [&self.central, &self.relay]
            .map(|s| s.stderr.count(why))
            .into_iter()
            .collect();
        self.each(|server| {
            let mut client = match welcomed {
                true => Client::door(server, "attacker"),
                false => Client::connect(server),
            };
            client.stream.write_all(bytes).unwrap();
            assert_eq!(client.try_receive(), None);
        });
        for (server, before) in [&self.central, &self.relay].into_iter().zip(before) {
            server.stderr.wait_for_nth(why, before + 1);
            assert_eq!(server.stderr.count(why), before + 1, "one line each");
        }
    }
}

fn long_frame(length: u32, content: usize) -> Vec<u8> {
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.resize(4 + content, 0xC0);
    bytes
}

#[test]
fn frames_that_are_no_message_close_their_connection_only() {
    let servers = Servers::start();
    let ping = frame(&Message::Ping(Echo { n: 1 }));
    let mut trailing = ping.clone();
    trailing[3] += 1;
    trailing.push(0xC0);
    for welcomed in [false, true] {
        servers.close_on(welcomed, &[0, 0, 0, 0], "an empty frame");
        servers.close_on(welcomed, &[0, 0, 0, 1, 0xC1], "a frame that is no message");
        servers.close_on(
            welcomed,
            b"\0\0\0\x05\x81\xa4nope",
            "a frame that is no message",
        );
        servers.close_on(welcomed, &trailing, "more in it than one message");
        servers.close_on(
            welcomed,
            &long_frame(0x00FF_FFFF, 100),
            "a frame is longer than",
        );
    }
    servers.close_on(
        false,
        &long_frame(1025, 1025),
        "a frame is longer than 1024 bytes",
    );
    servers.close_on(
        true,
        &long_frame(65_537, 0),
        "a frame is longer than 65536 bytes",
    );
    // A length of 4 GiB does not even begin like a frame; after the Hello it is one that is too
    // long.
    servers.close_on(false, &[0xFF; 8], "it speaks no frames");
    servers.close_on(true, &[0xFF; 8], "a frame is longer than");
    servers.close_on(false, b"\x16\x03\x01\x02\0\x01", "TLS");
    servers.close_on(false, b"GET / HTTP/1.1\r\n\r\n", "it speaks no frames");
}

#[test]
fn a_truncated_frame_closes_its_connection_only() {
    let servers = Servers::start();
    servers.each(|server| {
        let mut client = Client::door(server, "attacker");
        client.stream.write_all(b"\0\0\0\x20\x81\xa4pi").unwrap();
        client.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.try_receive(), None);
    });
    servers
        .central
        .stderr
        .wait_for("the stream ended within a frame");
    servers
        .relay
        .stderr
        .wait_for("the stream ended within a frame");
}

#[test]
fn messages_out_of_place_close_their_connection_only() {
    let servers = Servers::start();
    let mut any = Client::door(servers.relay.address(), "lab");
    let flash = frame(&Message::Flash(any.new_flash(ASHA)));
    servers.close_on(false, &flash, "a message before Hello");
    servers.close_on(
        false,
        &frame(&Message::Ping(Echo { n: 1 })),
        "a message before Hello",
    );
    let event = EventId::generate();
    let open = Answer {
        seq: 1,
        verdict: Verdict::Open,
        name: None,
    };
    for message in [
        Message::Verdict(open),
        Message::Noted(Event { event }),
        Message::Refused(Refused::with("version")),
        Message::Door(Door {
            name: "other".parse().unwrap(),
            plain: false,
            identity: None,
        }),
        Message::Gone(Gone {
            name: "other".parse().unwrap(),
        }),
    ] {
        let why = "a message that no door sends";
        let count = |server: &Proc| server.stderr.count(why);
        let before = (count(&servers.central), count(&servers.relay));
        servers.close_on(true, &frame(&message), why);
        assert_eq!(
            (count(&servers.central), count(&servers.relay)),
            (before.0 + 1, before.1 + 1)
        );
    }
    assert_eq!(
        servers
            .site
            .count("SELECT count(*) FROM event WHERE door IS NULL"),
        0
    );
}

#[test]
fn versions_that_nobody_speaks_are_refused_with_the_reason() {
    let servers = Servers::start();
    let refused = Message::Refused(Refused::with("version"));
    servers.each(|server| {
        for versions in [(900, 999), (0, 0), (2, 1), (u16::MAX, 0)] {
            let mut client = Client::connect(server);
            assert_eq!(client.hello(versions, Role::Door, "newer"), refused);
            assert_eq!(client.try_receive(), None);
        }
        // One that speaks more versions is served in the one that both speak.
        let mut client = Client::connect(server);
        assert!(matches!(client.hello((0, 999), Role::Door, "wide"), Message::Welcome(w) if w.version == 1));
    });
    servers.central.stderr.wait_for(
        "door 'newer' speaks versions 900 to 999 of the protocol, the twinkle here version 1; \
             upgrade the one here",
    );
    servers.relay.stderr.wait_for(
        "door 'newer' speaks version 0 of the protocol, the twinkle here version 1; upgrade the \
         other",
    );
}

#[test]
fn a_relay_takes_no_relays() {
    let servers = Servers::start();
    let mut client = Client::connect(servers.relay.address());
    let refused = Message::Refused(Refused::with("role"));
    assert_eq!(client.hello((1, 1), Role::Relay, "chained"), refused);
    assert_eq!(client.try_receive(), None);
}

#[test]
fn a_door_speaks_for_itself_only() {
    let servers = Servers::start();
    let mut any = Client::door(servers.relay.address(), "honest");
    let flash = frame(&Message::Flash(any.new_flash(ASHA)));
    let why = "door 'attacker' speaks in the name of 'honest'";
    servers.close_on(true, &flash, why);
    let fire = frame(&Message::Happened(any.new_happened("fire")));
    servers.close_on(true, &fire, why);
    let by_honest = "SELECT count(*) FROM event JOIN door ON door.id = door WHERE name = 'honest'";
    assert_eq!(servers.site.count(by_honest), 4, "its own flashes");
}

#[test]
fn an_event_used_twice_with_other_content_is_refused() {
    let servers = Servers::start();
    servers.each(|server| {
        let mut client = Client::door(server, "attacker");
        let first = client.new_flash(99);
        assert_eq!(client.ask(&first).verdict, "unknown-twinklet");
        let mut second = client.new_flash(ASHA);
        second.event = first.event;
        assert_eq!(client.ask(&second).verdict, "event-reused");
    });
}

#[test]
fn a_doors_event_cannot_take_a_flashs_place() {
    let servers = Servers::start();
    servers.each(|server| {
        let mut client = Client::door(server, "attacker");
        let mut flash = client.new_flash(ASHA);
        let mut happened = client.new_happened("door-opened");
        happened.event = flash.event;
        let stored = || {
            let events = "SELECT count(*) FROM event WHERE kind = 'door-opened'";
            servers.site.count(events)
        };
        let before = stored();
        client.report(&happened);
        // A relay takes it on before its central has it, and lets flashes go first.
        wait_until(SOON, "it has come to the central", || stored() > before);
        assert_eq!(client.ask(&flash).verdict, "event-reused");
        flash = client.new_flash(ASHA);
        assert_eq!(client.ask(&flash).verdict, "open");
        // The other way round it is taken for a repetition.
        happened.event = flash.event;
        client.report(&happened);
        assert_eq!(client.ask(&flash).verdict, "open");
    });
    let flashes = "SELECT count(*) FROM event WHERE kind = 'flash' AND verdict = 'open'
        AND door = (SELECT id FROM door WHERE name = 'attacker')";
    assert_eq!(servers.site.count(flashes), 2);
}

#[test]
fn a_client_that_says_nothing_is_closed_after_five_seconds() {
    let servers = Servers::start();
    // All at once, so that the test takes the five seconds only once.
    let servers_addresses = [servers.central.address(), servers.relay.address()];
    let began = Instant::now();
    let mut silent: Vec<_> = servers_addresses.map(Client::connect).into_iter().collect();
    let mut half_said: Vec<_> = servers_addresses.map(Client::connect).into_iter().collect();
    half_said
        .iter_mut()
        .for_each(|client| client.stream.write_all(&[0, 0]).unwrap());
    for client in silent.iter_mut().chain(&mut half_said) {
        assert_eq!(client.try_receive(), None);
    }
    let took = began.elapsed();
    assert!(took.as_secs() >= 5 && took < SOON, "{took:?}");
    servers.each(|_| ());
}

#[test]
fn a_client_that_reads_no_answers_holds_up_nobody() {
    let servers = Servers::start();
    servers.each(|server| {
        let mut greedy = Client::door(server, "greedy");
        greedy.stream.set_nonblocking(true).unwrap();
        let ping = frame(&Message::Ping(Echo { n: 1 })).repeat(1000);
        // Until the server takes no more from it: that is the server's limit, not its end.
        while greedy.stream.write(&ping).is_ok() {}
        let mut honest = Client::door(server, "other");
        for _ in 0..100 {
            assert_eq!(honest.flash(ASHA).verdict, "open");
        }
    });
}
