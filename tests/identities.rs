//! Only those who belong: with an authority, whoever cannot prove who it is is refused, in one line
//! of the log, and nothing of it is stored.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::guarded::{Guarded, connect, flash, hung_up, open_door, refused, relay, start_relay};
use common::tls;
use common::{ASHA, Client, PlainClient, Proc, SOON, Site, TestClock, pause, wait_until};
use twinkle::wire::identity::Content;
use twinkle::wire::{Door, Message, Role};

#[test]
fn enrolled_devices_are_served_whatever_their_clocks_say() {
    let site = Site::seeded();
    let north = site.enroll("relay", "north", &[]);
    let lab = site.enroll("door", "lab", &["--relay", "north"]);
    let back = site.enroll("door", "back", &[]);
    let central = site.central(0, &[]);
    let clock = TestClock::standing_at(site.folder.path(), "1970-01-01T00:00:00Z");
    for time in ["1970-01-01T00:00:00Z", "2040-06-01T12:00:00Z"] {
        clock.stand_at(time);
        let relay = start_relay(&site, &central, &north, Some(&clock));
        relay.stderr.wait_for("connected to the central");
        assert_eq!(flash(&site, &relay, &lab, Some(&clock)), Some(0), "{time}");
        assert_eq!(
            flash(&site, &central, &back, Some(&clock)),
            Some(0),
            "{time}"
        );
    }
    let relay = relay(&site, &central, &north);
    assert_eq!(flash(&site, &relay, &lab, None), Some(0), "today");
    let through = "SELECT count(*) FROM event JOIN door ON door.id = event.door
                   JOIN relay ON relay.id = event.relay
                   WHERE door.name = 'lab' AND relay.name = 'north' AND verdict = 'open'";
    assert_eq!(site.count(through), 3);
}

#[test]
fn a_central_serves_whatever_its_own_clock_says() {
    let site = Site::seeded();
    let back = site.enroll("door", "back", &[]);
    let clock = TestClock::standing_at(site.folder.path(), "1970-01-01T00:00:01Z");
    let listen = format!("{}:0", site.host);
    let mut command = site.command(&["central", "--listen", &listen]);
    clock.give_to(&mut command);
    let central = Proc::server(&mut command);
    for time in ["1970-01-01T00:00:02Z", "2040-06-01T12:00:00Z"] {
        clock.stand_at(time);
        open_door(&central, &back).ping(1);
    }
}

#[test]
fn whoever_proves_nothing_is_refused() {
    let guarded = Guarded::start();
    let lab = tls::identity(&guarded.lab);
    let answer = |server, shown: Option<&Content>| {
        let mut client = Client::<TcpStream>::inside(tls::connect(server, &lab, shown));
        // The server's alert may come in place of the answer, or before the Hello is out.
        let hello = common::client::frame(&Message::Ping(twinkle::wire::Echo { n: 1 }));
        let _broken = client.stream.write_all(&hello);
        let mut rest = Vec::new();
        assert!(client.stream.read_to_end(&mut rest).is_err());
        assert_eq!(rest, b"");
    };
    guarded.each_refuses("it shows no certificate", |server| answer(server, None));

    let other = Site::seeded();
    let stranger = tls::identity(&other.enroll("door", "lab", &[]));
    guarded.each_refuses("of another installation's authority", |server| {
        answer(server, Some(&stranger));
    });

    guarded.each_refuses("it does not speak TLS 1.3", |server| {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.write_all(&tls_1_2_hello()).unwrap();
        let mut alert = Vec::new();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.read_to_end(&mut alert).unwrap();
        assert_eq!(alert[0], 0x15, "an alert");
    });

    guarded.each_refuses("it speaks frames without TLS", |server| {
        let mut client = Client::connect(server);
        let answer = client.hello((1, 1), Role::Door, "lab");
        assert_eq!(answer, refused("no-identity"));
        assert_eq!(client.try_receive(), None);
    });

    guarded.each_refuses("plain text is not accepted from there", |server| {
        let mut client = PlainClient::connect(server);
        client.send(b"1*7*02/01/2022");
        client.expect_close();
    });
}

/// The first message of a client that speaks TLS 1.2 at the most (RFC 5246, section 7.4.1.2).
fn tls_1_2_hello() -> Vec<u8> {
    let mut hello = vec![0x03, 0x03];
    hello.extend([7; 32]);
    // No session; one cipher suite, ECDHE-ECDSA-AES128-GCM-SHA256; no compression.
    hello.extend([0, 0, 2, 0xC0, 0x2B, 1, 0]);
    // supported_groups: P-256; signature_algorithms: ECDSA with P-256.
    let extensions = [
        0, 10, 0, 4, 0, 2, 0, 23, //
        0, 13, 0, 4, 0, 2, 4, 3,
    ];
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let handshake = [&[1, 0, 0, length][..], &hello].concat();
    [&[0x16, 3, 1, 0, length + 4][..], &handshake].concat()
}

#[test]
fn a_device_is_taken_as_what_its_certificate_says_alone() {
    let guarded = Guarded::start();
    guarded.refuses(
        &guarded.central,
        "relay 'lab' is not taken: not-yours",
        || {
            let mut client = connect(guarded.central.address(), &guarded.lab);
            let answer = client.hello((1, 1), Role::Relay, "lab");
            assert_eq!(answer, refused("not-yours"));
            hung_up(&mut client, "");
        },
    );
    for server in [&guarded.central, &guarded.relay] {
        guarded.refuses(server, "door 'gate' is not taken: not-yours", || {
            let mut client = connect(server.address(), &guarded.lab);
            let answer = client.hello((1, 1), Role::Door, "gate");
            assert_eq!(answer, refused("not-yours"));
        });
    }
    let gate = guarded.site.folder.path().join("gate.identity");
    guarded.refuses(
        &guarded.relay,
        "door 'gate' is not taken: not-this-relay",
        || {
            let mut client = connect(guarded.relay.address(), &gate);
            let answer = client.hello((1, 1), Role::Door, "gate");
            assert_eq!(answer, refused("not-this-relay"));
        },
    );
    // A door knows whom it may trust, too.
    let door = guarded.site.run(&[
        "door",
        "--relay",
        &guarded.relay.address().to_string(),
        "--identity",
        gate.to_str().unwrap(),
        "--flash",
        "7",
    ]);
    assert_eq!(door.code, Some(4));
    assert!(door.stderr.contains("nor a relay that this identity names"));
}

#[test]
fn a_relay_speaks_for_its_own_doors_only() {
    let guarded = Guarded::start();
    let mut relay = connect(guarded.central.address(), &guarded.north);
    let welcome = relay.hello((1, 1), Role::Relay, "north");
    assert!(matches!(welcome, Message::Welcome(_)), "{welcome:?}");
    let Message::Roll(roll) = relay.receive() else {
        panic!("the roll comes first");
    };
    assert_eq!((roll.identities.len(), roll.more), (1, false));

    let why = "speaks for door 'gate', which is not enrolled with it";
    guarded.refuses(&guarded.central, why, || {
        let gate = tls::identity(&guarded.site.folder.path().join("gate.identity"));
        relay.send(&Message::Door(Door {
            name: gate.name.clone(),
            plain: false,
            identity: None,
        }));
        for door in ["gate", "nowhere"] {
            let mut flash = relay.new_flash(ASHA);
            flash.door = door.parse().unwrap();
            assert_eq!(relay.ask(&flash).verdict, "unknown-door");
        }
    });
    let mut flash = relay.new_flash(ASHA);
    flash.door = "lab".parse().unwrap();
    assert_eq!(relay.ask(&flash).verdict, "open", "its own");
}

#[test]
fn a_door_for_plain_text_counts_at_the_relay_that_it_is_enrolled_with() {
    let site = Site::seeded();
    let north = site.enroll("relay", "north", &[]);
    site.ok(&[
        "central", "enroll", "old", "--role", "door", "--relay", "north", "--plain",
    ]);
    let central = site.central(0, &[]);
    let (listen, upstream) = (format!("{}:0", site.host), central.address().to_string());
    let fixed = [
        "relay",
        "--listen",
        &listen,
        "--central",
        &upstream,
        "--accept-plain",
        "old",
    ];
    let relay = Proc::server(site.command(&fixed).arg("--identity").arg(north));
    relay.stderr.wait_for("connected to the central");
    let mut client = PlainClient::connect(relay.address());
    client.send(b"1*7*02/01/2022");
    client.expect("Open");
}

#[test]
fn a_disowned_device_is_hung_up_on_within_a_second() {
    let guarded = Guarded::start();
    let site = &guarded.site;
    let back = site.enroll("door", "back", &[]);
    wait_until(SOON, "the new door is known", || {
        // A central says of thirty in a minute that it does not take them, and is to say so below.
        pause(Duration::from_millis(50));
        let mut client = connect(guarded.central.address(), &back);
        matches!(
            client.hello((1, 1), Role::Door, "back"),
            Message::Welcome(_)
        )
    });
    for (server, name, identity) in [
        (&guarded.central, "back", &back),
        (&guarded.relay, "lab", &guarded.lab),
        (&guarded.central, "north", &guarded.north),
    ] {
        let role = if name == "north" {
            Role::Relay
        } else {
            Role::Door
        };
        let mut client = connect(server.address(), identity);
        let welcome = client.hello((1, 1), role, name);
        assert!(matches!(welcome, Message::Welcome(_)), "{welcome:?}");
        if role == Role::Relay {
            assert!(matches!(client.receive(), Message::Roll(_)));
        }
        client.ping(1);
        site.ok(&["central", "disown", name]);
        let took = hung_up(&mut client, "disowned");
        assert!(took < Duration::from_secs(1), "{name}: {took:?}");
        server
            .stderr
            .wait_for(&format!("'{name}' is not taken: disowned"));
        // Nor is it taken again.
        let mut client = connect(server.address(), identity);
        assert_eq!(client.hello((1, 1), role, name), refused("disowned"));
    }
    // The relay itself was hung up on with its identity: it says what to do.
    guarded.relay.stderr.wait_for("this identity was ended");
}

#[test]
fn a_relay_that_starts_without_its_central_takes_no_disowned_door() {
    let mut guarded = Guarded::start();
    let site = &guarded.site;
    let back = site.enroll("door", "back", &["--relay", "north"]);
    wait_until(SOON, "the relay takes the new door", || {
        let mut door = connect(guarded.relay.address(), &back);
        let answer = door.hello((1, 1), Role::Door, "back");
        matches!(answer, Message::Welcome(_))
    });
    site.ok(&["central", "disown", "lab"]);
    wait_until(SOON, "the relay hears of it", || {
        let mut door = connect(guarded.relay.address(), &guarded.lab);
        door.hello((1, 1), Role::Door, "lab") == refused("disowned")
    });
    let file = site
        .folder
        .path()
        .join(".local/share/twinkle/relay-north.db");
    let file = rusqlite::Connection::open(file).unwrap();
    file.busy_timeout(SOON).unwrap();
    let kept = "SELECT length(identities) FROM roll";
    wait_until(SOON, "the relay keeps that", || {
        file.query_row(kept, [], |row| row.get::<_, i64>(0)) == Ok(32)
    });
    guarded.relay.kill_9();
    guarded.central.kill_9();

    let relay = start_relay(site, &guarded.central, &guarded.north, None);
    let mut lab = connect(relay.address(), &guarded.lab);
    assert_eq!(lab.hello((1, 1), Role::Door, "lab"), refused("disowned"));
    let mut back = open_door(&relay, &back);
    assert_eq!(back.flash(ASHA).verdict, "central-unreachable");
}

#[test]
fn a_rotated_identity_ends_the_old_one_when_it_is_first_used() {
    let guarded = Guarded::start();
    let site = &guarded.site;
    let mut old = open_door(&guarded.relay, &guarded.lab);
    assert_eq!(old.flash(ASHA).verdict, "open");
    site.ok(&["central", "rotate", "lab"]);
    let new = site.folder.path().join("lab.new.identity");
    assert_eq!(old.flash(ASHA).verdict, "open", "until the new one is used");

    let mut connected = None;
    wait_until(SOON, "the relay knows the new identity", || {
        let mut door = connect(guarded.relay.address(), &new);
        let welcomed = matches!(door.hello((1, 1), Role::Door, "lab"), Message::Welcome(_));
        connected = welcomed.then_some(door);
        connected.is_some()
    });
    let took = hung_up(&mut old, "disowned");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(connected.unwrap().flash(ASHA).verdict, "open");
    let mut again = connect(guarded.relay.address(), &guarded.lab);
    assert_eq!(again.hello((1, 1), Role::Door, "lab"), refused("disowned"));
}

#[test]
fn devices_are_listed_with_what_is_known_of_each() {
    let guarded = Guarded::start();
    let site = &guarded.site;
    let list = || site.ok(&["central", "devices", "--format", "csv"]);
    let has = |text: &str| list().lines().any(|line| line.contains(text));
    let _door = open_door(&guarded.relay, &guarded.lab);
    wait_until(SOON, "the door is connected", || {
        has("door,lab,north") && {
            let lab = list();
            let lab = lab
                .lines()
                .find(|line| line.starts_with("door,lab"))
                .unwrap();
            lab.ends_with("connected,now,")
        }
    });
    assert!(has("relay,north,,"));
    assert!(
        list()
            .lines()
            .any(|line| line.starts_with("door,gate,south,") && line.ends_with("never used,,"))
    );
    site.ok(&["central", "disown", "gate"]);
    assert!(has("door,gate,,,disowned,"), "{}", list());
}

#[test]
fn a_recorded_session_that_is_played_again_opens_nothing() {
    let site = Site::seeded();
    let clock = TestClock::off_by(site.folder.path(), 0);
    let listen = format!("{}:0", site.host);
    let mut command = site.command(&["central", "--listen", &listen]);
    clock.give_to(&mut command);
    let central = Proc::server(&mut command);
    let mut door = Client::connect(central.address());
    assert!(matches!(
        door.hello((1, 1), Role::Door, "lab"),
        Message::Welcome(_)
    ));
    let flash = door.new_flash(ASHA);
    assert_eq!(door.ask(&flash).verdict, "open");

    clock.go_off_by(60);
    let mut again = Client::connect(central.address());
    assert!(matches!(
        again.hello((1, 1), Role::Door, "lab"),
        Message::Welcome(_)
    ));
    assert_eq!(again.ask(&flash).verdict, "event-reused");
    assert_eq!(site.count("SELECT count(*) FROM event"), 1);
    assert_eq!(site.count("SELECT flashes FROM attendance"), 1);
}
