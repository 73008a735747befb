//! Clients that are slow, silent or many: honest doors are served meanwhile, and no memory is lost
//! to them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::client::frame;
use common::{ASHA, Client, PlainClient, Proc, SOON, Site, pause, wait_until};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use twinkle::wire::{Hello, Message, Role};

/// Where the honest doors are, and the dawdlers are not.
const HONEST: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 9);
/// How long a door waits for a verdict.
const DEADLINE: Duration = Duration::from_secs(3);

/// A relay before a central, with these limits.
fn limited(limits: &str) -> (Site, Proc, Proc) {
    let site = Site::seeded();
    let config = site.folder.path().join("twinkle.toml");
    fs::write(&config, format!("[limits]\n{limits}")).unwrap();
    let central = site.central(0, &[]);
    let relay = site.relay(
        0,
        central.address(),
        &["--config", config.to_str().unwrap()],
    );
    relay.stderr.wait_for("connected to the central");
    (site, central, relay)
}

/// Keeps connections busy, each with a byte of a Hello at once and one a second after it; those that
/// are closed are made anew.
fn dawdle(server: SocketAddr, count: usize, up: &AtomicUsize, stop: &AtomicBool) {
    let hello = frame(&Message::Hello(Hello {
        versions: (1, 1),
        role: Role::Door,
        name: "dawdler".parse().unwrap(),
    }));
    let connect = || {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.set_nonblocking(true).unwrap();
        // One that has said nothing at all would be complained of otherwise, and for so many of one
        // address there are only so many lines. It may have been hung up on already.
        let said = usize::from(stream.write(&hello[..1]).is_ok());
        (stream, said)
    };
    let mut streams: Vec<_> = (0..count).map(|_| connect()).collect();
    up.store(count, Ordering::SeqCst);
    while !stop.load(Ordering::SeqCst) {
        for (stream, said) in &mut streams {
            let closed = match stream.read(&mut [0]) {
                Ok(_) => true,
                Err(error) => error.kind() != ErrorKind::WouldBlock,
            };
            if closed || stream.write(&hello[*said..=*said]).is_err() {
                (*stream, *said) = connect();
            } else {
                *said = (*said + 1) % hello.len();
            }
        }
        pause(Duration::from_secs(1));
    }
}

/// A connection that comes from that address.
fn connect_from(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

#[test]
fn honest_doors_are_served_while_a_thousand_connections_dawdle() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let (up, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let _dawdlers = scope.spawn(|| dawdle(relay.address(), 1_000, &up, &stop));
        wait_until(SOON, "they are all there", || {
            up.load(Ordering::SeqCst) == 1_000
        });
        let before = relay.memory();
        let honest: Vec<_> = (0..50)
            .map(|number| {
                let server = relay.address();
                scope.spawn(move || {
                    let mut door = Client::over(connect_from(HONEST, server));
                    let name = format!("door {number}");
                    let welcome = door.hello((1, 1), Role::Door, &name);
                    assert!(matches!(welcome, Message::Welcome(_)), "{welcome:?}");
                    let mut slowest = Duration::ZERO;
                    // Long enough for every dawdler to be hung up on, and to come again.
                    let began = Instant::now();
                    while began.elapsed() < Duration::from_secs(7) {
                        let asked = Instant::now();
                        assert_eq!(door.flash(ASHA).verdict, "open");
                        slowest = slowest.max(asked.elapsed());
                        pause(Duration::from_millis(250));
                    }
                    slowest
                })
            })
            .collect();
        let slowest: Result<Vec<_>, _> = honest.into_iter().map(|door| door.join()).collect();
        stop.store(true, Ordering::SeqCst);
        let slowest = slowest.unwrap().into_iter().max().unwrap();
        assert!(slowest < DEADLINE, "{slowest:?}");
        let grown = relay.memory().saturating_sub(before);
        assert!(grown < 16 << 20, "{grown} bytes");
    });
    relay.stderr.wait_for("it did not say Hello in time");
    // Whatever they do, they do not fill the log.
    assert!(relay.stderr.count("closed: ") <= 100);
}

#[test]
fn strangers_of_one_address_are_few_and_take_no_place_of_those_who_are_known() {
    let (_site, _central, relay) = limited("connections = 8\nstrangers_per_address = 3\n");
    let mut known: Vec<_> = (0..4)
        .map(|number| Client::door(relay.address(), &format!("door {number}")))
        .collect();
    let strangers: Vec<_> = (0..3)
        .map(|_| PlainClient::connect(relay.address()))
        .collect();
    let mut further = PlainClient::connect(relay.address());
    further.expect_close();
    relay.stderr.wait_for("too many connections from there");
    for door in &mut known {
        assert_eq!(door.flash(ASHA).verdict, "open");
    }
    drop(strangers);
    wait_until(SOON, "there is room again", || {
        let mut next = Client::connect(relay.address());
        next.stream
            .write_all(&frame(&Message::Hello(Hello {
                versions: (1, 1),
                role: Role::Door,
                name: "next".parse().unwrap(),
            })))
            .is_ok()
            && next.try_receive().is_some()
    });
}

#[test]
fn greetings_and_silences_are_as_long_as_the_limits_say() {
    let (_site, _central, relay) = limited("greet_within = '200ms'\nsilent_after = '15s'\n");
    let began = Instant::now();
    let mut silent = Client::door(relay.address(), "silent");
    let mut stranger = Client::connect(relay.address());
    assert_eq!(stranger.try_receive(), None);
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(silent.try_receive(), None);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(15) && took < Duration::from_secs(25),
        "{took:?}"
    );
}
