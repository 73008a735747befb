//! What a server tells of itself to Prometheus and to whoever watches over it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use common::{ASHA, NOBODY, PlainClient, Proc, SOON, Site, wait_until};

/// Where a server's figures are.
struct Looked(SocketAddr);

impl Looked {
    fn at(server: &Proc) -> Self {
        let line = server.stderr.wait_for("figures at http://");
        let rest = line.split("http://").nth(1).unwrap();
        Self(rest.split('/').next().unwrap().parse().unwrap())
    }

    /// The status and the body of an answer.
    fn send(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.0).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = format!("Content-Length: {}", body.len());
        assert!(head.contains(&length) || request.starts_with("HEAD"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
        ))
    }

    /// One figure, by its name and labels.
    fn figure(&self, name: &str) -> f64 {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        line.parse().unwrap()
    }
}

const OPEN: &str = r#"twinkle_flashes_total{verdict="open",reason=""}"#;

fn refused(reason: &str) -> String {
    format!(r#"twinkle_flashes_total{{verdict="dont-open",reason="{reason}"}}"#)
}

/// A central and a relay that are looked at, and a door.
fn watched(site: &Site, relay_args: &[&str]) -> (Proc, Proc, Proc) {
    let any = format!("{}:0", site.host);
    let central = site.central(0, &["--metrics", &any]);
    let args = [&["--metrics", &any, "--deadline", "1m"], relay_args].concat();
    let relay = site.relay(0, central.address(), &args);
    relay.stderr.wait_for("connected to the central");
    let door = site.door("lab", relay.address(), &[]);
    door.stderr.wait_for("connected to the relay");
    (central, relay, door)
}

#[test]
fn flashes_are_counted_by_verdict_and_reason_and_timed() {
    let site = Site::seeded();
    let (central, relay, mut door) = watched(&site, &[]);
    for badge in [ASHA, NOBODY, 8, 98] {
        door.type_line(&badge.to_string());
        door.stdout.wait_for(&format!("twinklet {badge}: "));
    }
    for server in [&central, &relay] {
        let looked = Looked::at(server);
        assert!((looked.figure(OPEN) - 1.0).abs() < 0.1);
        assert!((looked.figure(&refused("unknown-twinklet")) - 2.0).abs() < 0.1);
        assert!((looked.figure(&refused("suspended")) - 1.0).abs() < 0.1);
        assert!(looked.figure(&refused("expired")).abs() < 0.1, "from 0 on");
        assert!((looked.figure("twinkle_answer_seconds_count") - 4.0).abs() < 0.1);
        let all = looked.figure(r#"twinkle_answer_seconds_bucket{le="+Inf"}"#);
        assert!((all - 4.0).abs() < 0.1);
        let sum = looked.figure("twinkle_answer_seconds_sum");
        assert!(sum > 0.0 && sum < SOON.as_secs_f64(), "{sum}");
        assert!((looked.figure("twinkle_connected_doors") - 1.0).abs() < 0.1);
        assert!(looked.figure("twinkle_storing_fails").abs() < 0.1);
    }
    let looked = Looked::at(&central);
    assert!(looked.figure("twinkle_commit_seconds_count") >= 4.0);
    assert!(looked.figure("twinkle_batch_entries_sum") >= 4.0);
    assert!((looked.figure("twinkle_connected_relays") - 1.0).abs() < 0.1);
    let connected = r#"twinkle_device_connected{role="door",name="lab"}"#;
    wait_until(SOON, "the door is listed", || {
        looked.get("/metrics").1.contains(connected)
    });
    assert!((looked.figure(connected) - 1.0).abs() < 0.1);
    let heard = r#"twinkle_device_last_heard_timestamp_seconds{role="relay",name="site"}"#;
    assert!(looked.figure(heard) > 1_700_000_000.0);
    drop(door);
    wait_until(SOON, "the door has gone", || looked.figure(connected) < 0.5);
}

#[test]
fn flashes_in_plain_text_count_too() {
    let site = Site::seeded();
    let any = format!("{}:0", site.host);
    let central = site.central(0, &["--metrics", &any, "--accept-plain", "lab"]);
    let mut receiver = PlainClient::connect(central.address());
    receiver.send(b"1*7*02/01/2022");
    receiver.expect("Open");
    assert!((Looked::at(&central).figure(OPEN) - 1.0).abs() < 0.1);
}

#[test]
fn a_relay_is_ready_while_it_or_its_central_decides() {
    let site = Site::seeded();
    let (mut central, relay, _door) = watched(&site, &[]);
    let looked = Looked::at(&relay);
    assert_eq!(looked.get("/readyz").0, 200);
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    let (status, why) = looked.get("/readyz");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("no door opens"), "{why}");
    assert_eq!(looked.get("/healthz").0, 200, "a restart would not help");
    assert!(looked.figure("twinkle_central_connected").abs() < 0.1);
    assert!(looked.figure("twinkle_roster_age_seconds").is_nan());
}

#[test]
fn a_relay_in_offline_mode_is_ready_by_its_roster_and_tells_what_waits() {
    let site = Site::seeded();
    let (mut central, relay, mut door) = watched(&site, &["--offline-for", "12h"]);
    let looked = Looked::at(&relay);
    wait_until(SOON, "the roster is here", || {
        !looked.figure("twinkle_roster_age_seconds").is_nan()
    });
    site.roster_knows(1);
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    let (status, how) = looked.get("/readyz");
    assert_eq!(status, 200, "{how}");
    assert!(how.contains("decided here"), "{how}");
    door.type_line("7");
    door.stdout.wait_for("twinklet 7: open");
    assert!((looked.figure(OPEN) - 1.0).abs() < 0.1);
    // Beside the flash there may be what happened at the door.
    wait_until(SOON, "the flash waits", || {
        looked.figure("twinkle_spool_entries") >= 1.0
    });
    assert!((looked.figure("twinkle_offline_limit_seconds") - 43_200.0).abs() < 0.1);
    let age = looked.figure("twinkle_roster_age_seconds");
    assert!((0.0..60.0).contains(&age), "{age}");
}

#[test]
fn a_central_that_cannot_store_is_not_ready_until_it_can() {
    let site = Site::seeded();
    let (central, _relay, mut door) = watched(&site, &[]);
    let looked = Looked::at(&central);
    assert_eq!(looked.get("/readyz").0, 200);
    // Somebody keeps the database locked for longer than the central waits.
    let sql = site.sql();
    sql.execute_batch("BEGIN IMMEDIATE").unwrap();
    door.type_line("7");
    wait_until(SOON, "it notices", || looked.get("/readyz").0 == 503);
    wait_until(SOON * 3, "the flash is refused", || {
        looked.figure(&refused("storage-failed")) > 0.5
    });
    let (status, why) = looked.get("/readyz");
    assert_eq!(status, 503, "{why}");
    assert_eq!(looked.get("/healthz").0, 200, "a restart would not help");
    sql.execute_batch("ROLLBACK").unwrap();
    wait_until(SOON, "it stores again", || looked.get("/readyz").0 == 200);
}

#[test]
fn what_asks_in_other_ways_is_answered_or_left() {
    let site = Site::seeded();
    let any = format!("{}:0", site.host);
    let central = site.central(0, &["--metrics", &any]);
    let looked = Looked::at(&central);
    assert_eq!(looked.get("/nonsense").0, 404);
    assert_eq!(looked.get("/metrics?name[]=x").0, 200);
    assert_eq!(
        looked.send("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n").0,
        405
    );
    let (status, body) = looked.send("HEAD /healthz HTTP/1.0\r\n\r\n");
    assert_eq!((status, body.as_str()), (200, ""));
    // More than may ask at once, who say nothing or too much, keep nobody else from asking for long.
    let idle: Vec<_> = (0..7)
        .map(|_| TcpStream::connect(looked.0).unwrap())
        .collect();
    let mut endless = TcpStream::connect(looked.0).unwrap();
    let _refused = endless.write_all(&[b'x'; 100_000]);
    assert_eq!(looked.get("/healthz").0, 200);
    drop(idle);
    let taken = site.run(&[
        "central",
        "--listen",
        &any,
        "--metrics",
        &looked.0.to_string(),
    ]);
    assert_eq!(taken.code, Some(3), "{taken:?}");
}

#[test]
fn an_address_for_figures_that_is_taken_is_explained() {
    let site = Site::seeded();
    let any = format!("{}:0", site.host);
    let central = site.central(0, &[]);
    let taken = central.address().to_string();
    let relay = site.run(&["relay", "x", "--listen", &any, "--metrics", &taken]);
    assert_eq!(relay.code, Some(4), "{relay:?}");
    assert!(relay.stderr.contains(&taken), "{relay:?}");
}

#[test]
fn every_figure_stands_on_the_page_of_operations() {
    let site = Site::seeded();
    let (central, relay, _door) = watched(&site, &["--offline-for", "12h"]);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let mut seen = 0;
    for server in [&central, &relay] {
        let (_, text) = Looked::at(server).get("/metrics");
        for line in text.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            let name = match kind {
                "counter" => format!("{name}_total"),
                "info" => format!("{name}_info"),
                _ => name.to_owned(),
            };
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}
