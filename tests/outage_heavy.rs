//! What takes long: many kills, a week's spool. `make test-outage` runs it, on the release build.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failing step fails its test"
)]

mod common;

use std::time::{Duration, Instant};

use common::cut_off::{EVENTS, killed_under_load};
use common::{ASHA, Client, SOON, Site, pause, wait_until};
use twinkle::clock;
use twinkle::db::{Draft, RelayStore};
use twinkle::domain::access::Verdict;
use twinkle::domain::ids::{EventId, TwinkletId};
use twinkle::domain::spool::{Acted, What};

const WEEK: u64 = 1_000_000;

#[test]
#[ignore = "takes minutes: make test-outage"]
fn a_weeks_spool_drains_quickly_and_delays_no_flash() {
    let site = Site::seeded();
    fill(&site, WEEK);
    let central = site.central(0, &[]);
    let relay = site.relay(0, central.address(), &[]);
    let began = Instant::now();
    let mut door = Client::door(relay.address(), "lab");
    let newest = "SELECT coalesce(max(id), 0) FROM event";
    let mut slowest = Duration::ZERO;
    let mut flashes = 0;
    while site.count(newest) < i64::try_from(WEEK).unwrap() {
        let asked = Instant::now();
        assert_eq!(door.flash(ASHA).verdict, "open");
        slowest = slowest.max(asked.elapsed());
        flashes += 1;
        pause(Duration::from_millis(20));
    }
    let took = began.elapsed();
    let rate = WEEK as f64 / took.as_secs_f64();
    eprintln!("{rate:.0} events/s; slowest of {flashes} flashes meanwhile {slowest:?}");
    assert!(rate >= 20_000.0, "{rate:.0} events/s");
    assert!(slowest < Duration::from_millis(1_500), "{slowest:?}");
    wait_until(SOON, "all of it is there once", || {
        site.count(EVENTS) == i64::try_from(WEEK).unwrap() + flashes
    });
    let counted = site.count("SELECT sum(flashes) FROM attendance");
    assert_eq!(counted, i64::try_from(WEEK).unwrap() + flashes);
}

/// A relay's file with so many flashes, one a half second, the newest just now.
fn fill(site: &Site, count: u64) {
    let path = site.relay_file();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut store = RelayStore::open_as_relay(&path).unwrap().store;
    let boot = clock::boot();
    let now = "2026-11-20T12:00:00Z"
        .parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap();
    let all: Vec<u64> = (0..count).collect();
    for part in all.chunks(10_000) {
        let drafts: Vec<_> = part
            .iter()
            .map(|number| Draft {
                at: now - chrono::TimeDelta::milliseconds((count - number) as i64 * 500),
                uptime: 0,
                what: What::Flash(Acted {
                    event: EventId::generate(),
                    door: "lab".parse().unwrap(),
                    twinklet: TwinkletId::new(ASHA).unwrap(),
                    device_at: 0,
                    verdict: Verdict::Open,
                    own: true,
                }),
            })
            .collect();
        store.append(&[], &drafts, boot).unwrap();
    }
}

#[test]
#[ignore = "takes minutes: make test-outage"]
fn fifty_kills_lose_no_open_without_offline_mode() {
    fifty_kills(&[]);
}

#[test]
#[ignore = "takes minutes: make test-outage"]
fn fifty_kills_lose_no_open_with_offline_mode() {
    fifty_kills(&["--offline-for", "12h"]);
}

fn fifty_kills(mode: &[&str]) {
    let opened = killed_under_load(50, mode);
    eprintln!("{opened} opened");
    assert!(opened > 500, "only {opened} opened");
}
