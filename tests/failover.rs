//! A way to the upstream that is cut without a word, and an upstream with several addresses.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use common::proxy::Proxy;
use common::{ASHA, Client, Proc, RAVI, SOON, Site, guarded, pause, wait_until};
use twinkle::domain::ids::EventId;

/// How long a relay allows its central by default.
const DEADLINE: Duration = Duration::from_millis(1_500);
/// What a busy test machine may add to any answer.
const SLACK: Duration = Duration::from_millis(700);
/// How many doors there are, and how long they have nobody to ask but their relay.
const DOORS: u64 = 20;
const CUT_FOR: Duration = Duration::from_secs(10);

/// A relay of that name, which asks the central by these addresses.
fn relay(site: &Site, name: &str, central: &[SocketAddr], args: &[&str]) -> Proc {
    let listen = format!("{}:0", site.host);
    let mut command = site.command(&["relay", name, "--listen", &listen]);
    for address in central {
        command.args(["--central", &address.to_string()]);
    }
    Proc::server(command.args(args))
}

/// One flash at a door, as the door saw it.
struct Seen {
    event: EventId,
    verdict: &'static str,
    /// How long after the first flash of all it began, and how long it took.
    began: Duration,
    took: Duration,
}

/// Has each door of a relay flash once, evenly over the time for which the way is cut.
fn flash_while_cut(doors: &mut [Client]) -> Vec<Seen> {
    let begin = Instant::now();
    let each = CUT_FOR / u32::try_from(doors.len()).unwrap();
    thread::scope(|scope| {
        let flashing: Vec<_> = (0..)
            .zip(doors)
            .map(|(number, door)| {
                scope.spawn(move || {
                    pause(each * number);
                    let flash = door.new_flash(if number == 7 { RAVI } else { ASHA });
                    let began = begin.elapsed();
                    let verdict = door.ask(&flash).verdict;
                    let took = begin.elapsed() - began;
                    Seen {
                        event: flash.event,
                        verdict,
                        began,
                        took,
                    }
                })
            })
            .collect();
        flashing.into_iter().map(|f| f.join().unwrap()).collect()
    })
}

/// The stored verdicts, and whether each counts, in the order in which they were stored.
fn stored(site: &Site) -> Vec<(EventId, String, bool, i64)> {
    let sql = site.sql();
    let mut select = sql
        .prepare(
            "SELECT uid, verdict, uid NOT IN (SELECT uid FROM undelivered), at FROM event
             ORDER BY id",
        )
        .unwrap();
    let rows = select.query_map([], |row| {
        let event = EventId::from_bytes(row.get(0)?);
        Ok((event, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    rows.unwrap().map(|row| row.unwrap()).collect()
}

#[test]
fn a_link_that_is_cut_costs_one_flash_its_deadline_and_loses_nothing() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let way = Proxy::new(site.host, central.address());
    let deciding = relay(&site, "site", &[way.address], &["--offline-for", "12h"]);
    let asking = relay(&site, "annex", &[way.address], &[]);
    deciding.stderr.wait_for("the roster is here");
    asking.stderr.wait_for("connected to the central");
    let connect = |relay: &Proc, named: &str| -> Vec<_> {
        (0..DOORS)
            .map(|number| Client::door(relay.address(), &format!("{named} {number}")))
            .collect()
    };
    let (mut at_deciding, mut at_asking) = (connect(&deciding, "site"), connect(&asking, "annex"));
    site.roster_knows(DOORS.cast_signed());

    way.cut();
    let (decided, refused) = thread::scope(|scope| {
        let refused = scope.spawn(|| flash_while_cut(&mut at_asking));
        (flash_while_cut(&mut at_deciding), refused.join().unwrap())
    });
    way.mend();

    for seen in [&decided, &refused] {
        // What comes while the first still waits cannot know better, and waits no longer than it.
        let known = seen[0].began + seen[0].took;
        for flash in seen {
            assert!(flash.took < DEADLINE + SLACK, "{:?}", flash.took);
            if flash.began > known {
                assert!(flash.took < SLACK, "{:?}", flash.took);
            } else {
                assert!(flash.began + flash.took < known + SLACK);
            }
        }
    }
    for (number, flash) in decided.iter().enumerate() {
        let verdict = if number == 7 { "suspended" } else { "open" };
        assert_eq!(flash.verdict, verdict, "{number}");
    }
    for flash in &refused {
        assert_eq!(flash.verdict, "central-unreachable");
    }

    wait_until(
        Duration::from_secs(5),
        "all of it is at the central",
        || {
            let stored = stored(&site);
            let verdicts: HashMap<_, _> =
                stored.iter().map(|row| (row.0, (&*row.1, row.2))).collect();
            let opened = i64::try_from(DOORS).unwrap() - 1;
            verdicts.len() == stored.len()
                && decided
                    .iter()
                    .all(|flash| verdicts.get(&flash.event) == Some(&(flash.verdict, true)))
                && refused.iter().all(|flash| {
                    verdicts
                        .get(&flash.event)
                        .is_none_or(|(verdict, counts)| *verdict != "open" || !counts)
                })
                && site.count("SELECT coalesce(sum(flashes), 0) FROM attendance") == opened
        },
    );
    // The first few may have been under way when the link was cut.
    let kept: Vec<_> = decided
        .iter()
        .filter(|flash| flash.began > decided[0].began + decided[0].took)
        .map(|flash| flash.event)
        .collect();
    let stored = stored(&site);
    let order: Vec<_> = stored
        .iter()
        .filter(|row| kept.contains(&row.0))
        .map(|row| row.0)
        .collect();
    assert_eq!(order, kept, "in order");
    let times: Vec<_> = stored
        .iter()
        .filter(|row| kept.contains(&row.0))
        .map(|row| row.3)
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let apart = times[times.len() - 1] - times[0];
    assert!(
        apart > 5_000,
        "when they happened, not when they came: {apart} ms"
    );
}

#[test]
fn another_address_of_the_central_is_used_until_the_preferred_one_answers_again() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let way = Proxy::new(site.host, central.address());
    let relay = relay(&site, "site", &[way.address, central.address()], &[]);
    let at = |address: SocketAddr| {
        let needle = format!("at {address}");
        let all = relay.stderr.all();
        all.iter()
            .filter(|line| line.contains("connected to the central") && line.contains(&needle))
            .count()
    };
    relay.stderr.wait_for("connected to the central");
    assert_eq!((at(way.address), at(central.address())), (1, 0));
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");

    way.cut();
    let began = Instant::now();
    assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
    assert!(began.elapsed() < DEADLINE + SLACK);
    relay.stderr.wait_for_nth("connected to the central", 2);
    assert_eq!(at(central.address()), 1);
    assert!(began.elapsed() < DEADLINE + SLACK * 2, "the other is there");
    let began = Instant::now();
    assert_eq!(door.flash(ASHA).verdict, "open");
    assert!(began.elapsed() < SLACK);

    way.mend();
    let began = Instant::now();
    wait_until(SOON, "it is back at the preferred address", || {
        // Nobody waits for that.
        let asked = Instant::now();
        assert_eq!(door.flash(ASHA).verdict, "open");
        assert!(asked.elapsed() < SLACK);
        at(way.address) == 2
    });
    assert!(began.elapsed() > Duration::from_secs(8), "not at once");
    assert_eq!(relay.stderr.count("lost the central"), 1);
    assert_eq!(door.flash(ASHA).verdict, "open");
}

#[test]
fn an_address_of_another_installation_is_passed_over() {
    let (site, other) = (Site::seeded(), Site::seeded());
    let central = site.central(0, &[]);
    let stranger = other.central(0, &[]);
    drop({
        let relay = relay(&site, "site", &[central.address()], &[]);
        relay.stderr.wait_for("connected to the central");
        let mut door = Client::door(relay.address(), "lab");
        assert_eq!(door.flash(ASHA).verdict, "open");
        let sql = site.relay_sql();
        wait_until(SOON, "it knows whose it is", || {
            let known = "SELECT installation IS NOT NULL FROM file";
            sql.query_row(known, [], |row| row.get(0)).unwrap()
        });
        relay
    });
    let addresses = [stranger.address(), central.address()];
    let relay = relay(&site, "site", &addresses, &[]);
    relay.stderr.wait_for("connected to the central");
    let said = relay.stderr.wait_for("cannot use the central at");
    assert!(said.contains(&stranger.address().to_string()), "{said}");
    assert!(said.contains("not to ours"), "{said}");
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    assert_eq!(other.count("SELECT count(*) FROM event"), 0);
}

#[test]
fn a_door_goes_on_by_another_relay_when_its_own_is_dead() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut relays = ["site", "annex"].map(|name| relay(&site, name, &[central.address()], &[]));
    for relay in &relays {
        relay.stderr.wait_for("connected to the central");
    }
    let both = relays.each_ref().map(|relay| relay.address().to_string());
    let mut door = site.door(
        "lab",
        relays[0].address(),
        &["--relay", &both[1], "--open-for", "2s"],
    );
    door.stderr.wait_for("connected to the relay 'site'");
    door.type_line(&ASHA.to_string());
    door.stdout.wait_for("unlocked");
    relays[0].kill_9();
    door.stderr.wait_for("connected to the relay 'annex'");
    door.stdout.wait_for_nth("locked", 2);
    door.type_line(&ASHA.to_string());
    door.stdout.wait_for_nth("unlocked", 2);
}

#[test]
fn a_relay_that_is_slow_with_each_answer_is_not_dead() {
    let site = Site::seeded();
    let north = site.enroll("relay", "north", &[]);
    let lab = site.enroll("door", "lab", &["--relay", "north"]);
    let central = site.central(0, &[]);
    let relay = guarded::relay(&site, &central, &north);
    // Until a door is welcomed the relay answers twice, in TLS and to its Hello: late as both are, they
    // take longer than the deadline together.
    let way = Proxy::slow(site.host, relay.address(), Duration::from_secs(2));
    let door = site.door(
        "lab",
        way.address,
        &["--identity", lab.to_str().unwrap(), "--deadline", "3s"],
    );
    door.stderr.wait_for("connected to the relay");
    assert_eq!(door.stderr.count("cannot reach"), 0);
}
