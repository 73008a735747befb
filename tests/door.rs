//! The door by itself: relays that do not answer, answer late, or answer nonsense, played by tests.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::client::frame;
use common::{Client, SOON, Site, pause, wait_until};
use twinkle::domain::access::Verdict;
use twinkle::wire::{Answer, Flash, Message, Role, Welcome};

#[test]
fn one_flash_says_whether_it_opened() {
    let site = Site::seeded();
    let nobody = format!("{}:1", site.host);
    let refused = site.run(&["door", "lab", "--relay", &nobody, "--flash", "7"]);
    let unreachable = "twinklet 7: don't open, central-unreachable (nobody could be asked)
";
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (Some(4), unreachable)
    );
    let why = "error: nobody could be asked: cannot reach the relay at";
    assert!(refused.stderr.starts_with(why), "{refused:?}");

    // The relay answers, but its central does not.
    let relay = site.relay(0, nobody.parse().unwrap(), &[]);
    relay.stderr.wait_for("cannot reach the central");
    let relay = relay.address().to_string();
    let undecided = site.run(&["door", "lab", "--relay", &relay, "--flash", "7"]);
    assert_eq!(
        (undecided.code, undecided.stdout.as_str()),
        (Some(4), unreachable)
    );
    assert!(
        undecided
            .stderr
            .starts_with("error: the relay answers, but"),
        "{undecided:?}"
    );
}

#[test]
fn a_probe_measures_each_hop_without_a_badge() {
    let site = Site::seeded();
    let (mut central, relay) = site.central_and_relay();
    let probe = |to: std::net::SocketAddr, times: &str| {
        let to = to.to_string();
        site.run(&["door", "lab", "--relay", &to, "--probe", times])
    };
    let rows = |ended: &common::Ended| -> Vec<(String, Vec<f64>)> {
        let table = ended.stdout.lines().skip(2);
        let row = |line: &str| {
            let (way, numbers) = line.split_once("  ").unwrap();
            let numbers = numbers.split_whitespace().map(|n| n.parse().unwrap());
            (way.to_owned(), numbers.collect())
        };
        table.take_while(|line| !line.is_empty()).map(row).collect()
    };
    let whole = probe(relay.address(), "50");
    assert_eq!(
        (whole.code, whole.stderr.as_str()),
        (Some(0), ""),
        "{whole:?}"
    );
    let seen = rows(&whole);
    let ways: Vec<_> = seen.iter().map(|(way, _)| way.as_str()).collect();
    assert_eq!(ways, ["door - relay", "relay - central", "door - central"]);
    for (way, numbers) in &seen {
        let [count, min, mean, p99, max] = numbers[..] else {
            panic!("{way}: {numbers:?}")
        };
        assert!(
            count == 50.0 && min <= mean && mean <= max && p99 <= max,
            "{numbers:?}"
        );
    }
    // The whole is the sum of its parts.
    let mean = |way: usize| seen[way].1[2];
    assert!((mean(0) + mean(1) - mean(2)).abs() < 0.01, "{seen:?}");
    assert!(whole.stdout.contains(" messages and "), "{whole:?}");

    let straight = rows(&probe(central.address(), "5"));
    assert_eq!(
        (straight.len(), straight[0].0.as_str()),
        (1, "door - central")
    );
    central.kill_9();
    relay.stderr.wait_for("cannot reach the central");
    let alone = probe(relay.address(), "5");
    assert_eq!(alone.code, Some(4));
    assert_eq!(rows(&alone)[0].0, "door - relay");
    assert!(
        alone
            .stdout
            .ends_with("5 times the relay could not reach the central\n")
    );
    assert_eq!(site.count("SELECT count(*) FROM event"), 0);
}

#[test]
fn one_flash_that_is_not_decided_in_time_is_no_refusal() {
    let site = Site::seeded();
    let (central, relay) = site.central_and_relay();
    central.signal("STOP");
    let relay = relay.address().to_string();
    let flash = ["door", "lab", "--relay", &relay, "--flash", "7"];
    // Long enough for a door to be greeted where others keep the machine busy.
    let impatient = site.run(&[&flash[..], &["--deadline", "1500ms"]].concat());
    central.signal("CONT");
    assert_eq!(impatient.code, Some(4), "{impatient:?}");
    let says = "twinklet 7: don't open, too-late (the time for an answer was over)\n";
    assert_eq!(impatient.stdout, says);
    assert!(
        impatient
            .stderr
            .starts_with("error: the relay answers, but"),
        "{impatient:?}"
    );
}

#[test]
fn one_flash_that_is_broken_off_says_that_it_was_not_decided() {
    let site = Site::new();
    let listener = TcpListener::bind((site.host, 0)).unwrap();
    let relay = listener.local_addr().unwrap();
    for greeted in [false, true] {
        let mut door = site.door("lab", relay, &["--flash", "7"]);
        let (played, _) = match greeted {
            false => (Client::over(listener.accept().unwrap().0), None),
            true => {
                let mut played = welcome(&listener);
                let asked = flash(&mut played);
                (played, Some(asked))
            }
        };
        door.signal("TERM");
        assert_eq!(door.wait(SOON).code(), Some(4));
        drop(played);
        let error = "error: told to end before a verdict came";
        assert_eq!(door.stderr.to_the_end(), [error]);
        assert_eq!(door.stdout.count("unlocked"), 0);
    }
}

/// Plays a relay's part in the greeting of the next door that connects.
fn welcome(listener: &TcpListener) -> Client {
    let (stream, _) = listener.accept().unwrap();
    let mut door = Client::over(stream);
    let Message::Hello(hello) = door.receive() else {
        panic!("no Hello")
    };
    assert_eq!((hello.versions, hello.role), ((1, 1), Role::Door));
    let name = "played".parse().unwrap();
    door.send(&Message::Welcome(Welcome {
        version: 1,
        name,
        installation: None,
        time: 0,
    }));
    door
}

/// Plays a relay for the next door that connects, whose flashes are answered as told; returns what
/// else the door said.
fn play_relay(listener: &TcpListener, mut answer: impl FnMut(&mut Client, Flash)) -> Vec<Message> {
    let mut door = welcome(listener);
    let mut others = Vec::new();
    while let Some(message) = door.try_receive() {
        match message {
            Message::Flash(flash) => answer(&mut door, flash),
            other => others.push(other),
        }
    }
    others
}

#[test]
fn an_open_after_the_deadline_does_not_open_and_is_reported() {
    let site = Site::new();
    let listener = TcpListener::bind((site.host, 0)).unwrap();
    let relay = listener.local_addr().unwrap();
    let mut door = site.door("lab", relay, &["--deadline", "200ms"]);
    door.type_line("7");
    let mut late = None;
    let reported = thread::scope(|scope| {
        let playing = scope.spawn(|| {
            // The door gives this connection up when it has waited long enough; the Open that
            // comes then finds nobody, and the next connection hears of it.
            play_relay(&listener, |door, flash| {
                assert_eq!(flash.budget_ms, 200);
                late = Some(flash.event);
                wait_until(SOON, "the door gives up", || {
                    !door.stream.peek(&mut [0]).is_ok_and(|count| count > 0)
                });
                let open = Answer {
                    seq: flash.seq,
                    verdict: Verdict::Open,
                    name: None,
                };
                // The connection is closed: whether this can still be written is chance.
                let _written =
                    std::io::Write::write_all(&mut door.stream, &frame(&Message::Verdict(open)));
            });
            play_relay(&listener, |_, _| ())
        });
        door.stdout
            .wait_for("twinklet 7: don't open, central-unreachable");
        door.stderr.wait_for_nth("connected to the relay", 2);
        door.signal("TERM");
        assert!(door.wait(SOON).success());
        playing.join().unwrap()
    });
    let event = late.unwrap();
    assert_eq!(
        reported,
        [Message::Undelivered(twinkle::wire::Event { event })]
    );
    assert_eq!(door.stdout.count("unlocked"), 0);
}

#[test]
fn an_idle_door_pings_its_relay_and_answers_its_pings() {
    let site = Site::new();
    let listener = TcpListener::bind((site.host, 0)).unwrap();
    let _door = site.door("lab", listener.local_addr().unwrap(), &[]);
    let mut relay = welcome(&listener);
    relay.ping(5);
    let began = Instant::now();
    assert!(matches!(relay.receive(), Message::Ping(_)));
    let waited = began.elapsed().as_secs();
    assert!((9..15).contains(&waited), "after {waited} s");
}

#[test]
fn whatever_is_no_open_leaves_the_door_locked() {
    let site = Site::new();
    let listener = TcpListener::bind((site.host, 0)).unwrap();
    let relay = listener.local_addr().unwrap();
    let mut door = site.door("lab", relay, &[]);
    // {"verdict": {"seq": SEQ, "v": "opened"}}: a reason this version does not know.
    let unknown = |seq: u64| {
        let mut bytes = b"\0\0\0\0\x81\xa7verdict\x82\xa3seq".to_vec();
        bytes.push(u8::try_from(seq).unwrap());
        bytes.extend(b"\xa1v\xa6opened");
        bytes[3] = u8::try_from(bytes.len()).unwrap() - 4;
        bytes
    };
    let answers: [fn(u64) -> Vec<u8>; 4] = [
        unknown,
        // Answers to flashes that were never asked, then garbage, then half a frame.
        |seq| {
            let open = Answer {
                seq: seq + 1000,
                verdict: Verdict::Open,
                name: None,
            };
            let mut bytes = frame(&Message::Verdict(open));
            bytes.extend(b"\0\0\0\x01\xc1");
            bytes
        },
        |_| b"\0\0\0\x20\x81\xa7verdict".to_vec(),
        |_| Vec::new(),
    ];
    for (number, answer) in (1..).zip(answers) {
        thread::scope(|scope| {
            let playing = scope.spawn(|| {
                play_relay(&listener, |door, flash| {
                    door.stream.write_all(&answer(flash.seq)).unwrap();
                    door.stream.shutdown(std::net::Shutdown::Write).unwrap();
                })
            });
            door.stderr.wait_for_nth("connected to the relay", number);
            door.type_line(&number.to_string());
            door.stdout.wait_for_nth("don't open", number);
            playing.join().unwrap();
        });
    }
    assert_eq!(door.stdout.count("unlocked"), 0);
    assert_eq!(door.stdout.count("don't open, unrecognised"), 1);
    assert_eq!(door.stdout.count("don't open, central-unreachable"), 3);
}

#[test]
fn an_open_that_waited_behind_a_blocked_output_opens_nothing() {
    let site = Site::new();
    let listener = TcpListener::bind((site.host, 0)).unwrap();
    let relay = listener.local_addr().unwrap().to_string();
    let deadline = Duration::from_secs(3);
    let args = [
        "door",
        "lab",
        "--relay",
        &relay,
        "--deadline",
        "3s",
        "--open-for",
        "1h",
    ];
    let mut command = site.command(&args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut door = command.spawn().unwrap();
    let mut played = welcome(&listener);
    let mut stdin = door.stdin.take().unwrap();
    // One badge read again and again would be one flash.
    let lines: String = (0..1000).map(|code| format!("7:{code:06}\n")).collect();
    stdin.write_all(lines.as_bytes()).unwrap();
    let flashes: Vec<_> = (0..1000).map(|_| flash(&mut played)).collect();
    // Lines so long that a pipe that nobody reads does not hold them all.
    let name = Some("x".repeat(200));
    let opens: Vec<u8> = flashes
        .iter()
        .map(|flash| Answer {
            seq: flash.seq,
            verdict: Verdict::Open,
            name: name.clone(),
        })
        .flat_map(|answer| frame(&Message::Verdict(answer)))
        .collect();
    played.stream.write_all(&opens).unwrap();
    pause(deadline * 2);
    let mut lines = BufReader::new(door.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let (mut opened, mut refused) = (0, 0);
    while opened + refused < flashes.len() {
        let line = lines.next().unwrap();
        opened += usize::from(line.starts_with("twinklet 7: open"));
        refused += usize::from(line.starts_with("twinklet 7: don't open"));
    }
    assert!(
        opened > 100 && refused > 100,
        "{opened} opened, {refused} refused"
    );
    door.kill().unwrap();
    door.wait().unwrap();
}

/// The next flash that a door sends.
fn flash(door: &mut Client) -> Flash {
    match door.receive() {
        Message::Flash(flash) => flash,
        other => panic!("no flash: {other:?}"),
    }
}
