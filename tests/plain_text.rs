//! The replaced system's clients: the same packets, the same answers, from relay and central alike.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use common::{PlainClient, SOON, Site, pause};

const SIX: &str = "7*1*Broadband Wireless Lab*2020-02-03 17:21*Twinkle 7*Correct";

/// Does the same at a central and at a relay that both accept plain text for the door "lab", and
/// returns the site.
fn at_both(talk: impl Fn(SocketAddr)) -> Site {
    let site = Site::seeded();
    let central = site.central(0, &["--accept-plain", "lab"]);
    let relay = site.relay(0, central.address(), &["--accept-plain", "lab"]);
    relay.stderr.wait_for("connected to the central");
    for server in [central.address(), relay.address()] {
        talk(server);
        // Whatever came before, the next client is served.
        assert_eq!(answer(server, b"1*7*02/01/2022"), "Open");
    }
    site
}

/// What a client gets that sends this and then waits for the server to close, or to say no more.
fn answer(server: SocketAddr, bytes: &[u8]) -> String {
    let mut client = PlainClient::connect(server);
    client.send(bytes);
    client.stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut client.stream, &mut answer).unwrap();
    answer
}

#[test]
fn a_packet_without_a_line_end_gets_exactly_open() {
    let site = at_both(|server| {
        let mut client = PlainClient::connect(server);
        client.send(b"1*7*02/01/2022");
        client.expect("Open");
        client.expect_silence(Duration::from_millis(100));
        client.send(SIX.as_bytes());
        client.expect("Open");
        client.expect_silence(Duration::from_millis(100));
    });
    let events = site.ok(&["report", "events", "--format", "csv"]);
    assert_eq!(
        events.matches(",lab,,7,1,Asha Rao,open").count(),
        3,
        "{events}"
    );
    assert_eq!(
        events.matches(",lab,site,7,1,Asha Rao,open").count(),
        3,
        "{events}"
    );
    // The server's clock decides the day, not the packet's date.
    assert_eq!(
        site.count("SELECT count(*) FROM attendance WHERE day < '2024-01-01'"),
        0
    );
    assert_eq!(site.count("SELECT flashes FROM attendance"), 6);
}

#[test]
fn what_opens_nothing_gets_dont_open() {
    at_both(|server| {
        for packet in [
            &b"1*99*02/01/2022"[..],
            b"1*8*02/01/2022",
            b"1*7",
            b"1*7*02/01/2022*9\n",
            b"7*1*Lab*2020-02-03",
            b"a*b*02/01/2022",
            b"1*x*02/01/2022",
            b"1*9007199254740992*02/01/2022",
            b"1*99999999999999999999999*02/01/2022",
            b"1*-7*02/01/2022",
            b"-1*7*02/01/2022",
            b"1*0*02/01/2022",
            b"1*7*32/01/2022",
            b"7",
            b"hello\n",
            b"\xff\xfe\xfd",
            b"7*1*L\xff*2020-02-03 17:21*Twinkle 7*Correct",
            b"-7*1*Lab*2020-02-03 17:21*Twinkle 7*Correct",
        ] {
            let expected = match packet {
                // Three fields are complete with the date; what follows is another thing.
                b"1*7*02/01/2022*9\n" => "OpenDont_open",
                _ => "Dont_open",
            };
            assert_eq!(
                answer(server, packet),
                expected,
                "{}",
                String::from_utf8_lossy(packet)
            );
        }
        assert_eq!(answer(server, b""), "");
        assert_eq!(answer(server, b"\r\n\n"), "");
    });
}

#[test]
fn too_much_that_is_no_packet_is_refused_and_closed() {
    at_both(|server| {
        let mut client = PlainClient::connect(server);
        client.send(&[b'7'; 10_000]);
        client.expect("Dont_open");
        client.expect_close();
        // One that never ends, of six fields.
        let mut client = PlainClient::connect(server);
        client.send(SIX.as_bytes());
        client.send(&[b'x'; 1024]);
        client.expect("Dont_open");
        client.expect_close();
    });
}

#[test]
fn a_packet_may_come_in_pieces() {
    at_both(|server| {
        for packet in ["1*7*02/01/2022", &format!("{SIX}\n")] {
            for split in [1, 3, packet.len() / 2, packet.len() - 1] {
                let mut client = PlainClient::connect(server);
                client.send(&packet.as_bytes()[..split]);
                pause(Duration::from_millis(20));
                client.send(&packet.as_bytes()[split..]);
                client.expect("Open");
            }
        }
        // Three fields may pause for longer than what ends six.
        let mut client = PlainClient::connect(server);
        client.send(b"1*7*02/0");
        pause(Duration::from_millis(200));
        client.send(b"1/2022");
        client.expect("Open");
    });
}

#[test]
fn half_a_packet_is_given_up_after_half_a_second() {
    at_both(|server| {
        let began = Instant::now();
        let mut client = PlainClient::connect(server);
        client.send(b"1*7*02/01");
        client.expect("Dont_open");
        let took = began.elapsed();
        assert!(
            took >= Duration::from_millis(500) && took < SOON,
            "{took:?}"
        );
        client.send(b"1*7*02/01/2022");
        client.expect("Open");
    });
}

#[test]
fn six_fields_are_complete_after_a_short_silence_or_a_line_end() {
    at_both(|server| {
        let mut client = PlainClient::connect(server);
        let began = Instant::now();
        client.send(SIX.as_bytes());
        client.expect("Open");
        let took = began.elapsed();
        assert!(
            took >= Duration::from_millis(50) && took < Duration::from_secs(2),
            "{took:?}"
        );
        client.send(format!("{SIX}\r\n").as_bytes());
        client.expect("Open");
    });
}

#[test]
fn packets_that_follow_one_another_are_answered_in_order() {
    at_both(|server| {
        assert_eq!(
            answer(server, b"1*7*02/01/20221*99*02/01/20222*7*02/01/2022"),
            "OpenDont_openOpen"
        );
        assert_eq!(
            answer(server, b"1*7*02/01/2022\r\n\r\n2*8*02/01/2022\n"),
            "OpenDont_open"
        );
        let unknown = SIX.replacen('7', "99", 1);
        // Glued: the digits at the remark's end begin the next packet.
        assert_eq!(answer(server, format!("{SIX}{SIX}").as_bytes()), "OpenOpen");
        assert_eq!(
            answer(server, format!("{SIX}{unknown}{SIX}").as_bytes()),
            "OpenDont_openOpen"
        );
        assert_eq!(
            answer(server, format!("{SIX}1*99*02/01/2022").as_bytes()),
            "OpenDont_open"
        );
        assert_eq!(
            answer(server, format!("{SIX}\n{unknown}").as_bytes()),
            "OpenDont_open"
        );
        assert_eq!(answer(server, b"hello\n1*7*02/01/2022"), "Dont_openOpen");
    });
}

#[test]
fn a_client_may_stay_connected_and_silent() {
    let site = Site::seeded();
    let central = site.central(0, &["--accept-plain", "lab"]);
    let relay = site.relay(0, central.address(), &["--accept-plain", "lab"]);
    relay.stderr.wait_for("connected to the central");
    // The old receivers connect when they start, long before somebody comes to the door.
    let mut clients = [central.address(), relay.address()].map(PlainClient::connect);
    clients[0].expect_silence(Duration::from_millis(5500));
    for client in &mut clients {
        client.send(b"1*7*02/01/2022");
        client.expect("Open");
    }
}

#[test]
fn plain_text_is_refused_where_it_is_not_switched_on() {
    let site = Site::seeded();
    let elsewhere = "lab@203.0.113.0/24,attic@198.51.100.7";
    for args in [&[][..], &["--accept-plain", elsewhere]] {
        let central = site.central(0, args);
        assert_eq!(answer(central.address(), b"1*7*02/01/2022"), "");
        central
            .stderr
            .wait_for("plain text is not accepted from there");
    }
    let rules = [
        "--accept-plain",
        "lab@127.0.0.0/8",
        "--accept-plain",
        "attic@127.0.0.1",
    ];
    let central = site.central(0, &rules);
    assert_eq!(answer(central.address(), b"1*7*02/01/2022"), "Open");
    let events = site.ok(&["report", "events", "--format", "csv"]);
    assert!(
        events.contains(",attic,,7,"),
        "the narrowest network names the door: {events}"
    );
}

#[test]
fn a_relay_without_its_central_says_dont_open() {
    let site = Site::seeded();
    let nobody = format!("{}:1", site.host).parse().unwrap();
    let relay = site.relay(0, nobody, &["--accept-plain", "lab"]);
    relay.stderr.wait_for("cannot reach the central");
    assert_eq!(answer(relay.address(), b"1*7*02/01/2022"), "Dont_open");
    let warned = relay.stderr.wait_for("plain text is accepted");
    assert!(
        warned.contains("from anywhere") && warned.contains("open door 'lab'"),
        "{warned}"
    );
}
