//! A relay that may decide by itself, while its central is away: who gets in, for how long, and
//! what the central makes of it afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::time::{Duration, Instant};

use common::cut_off::EVENTS;
use common::proxy::Proxy;
use common::{ASHA, Client, NOBODY, Proc, RAVI, SOON, Site, TestClock, pause, wait_until};

const COUNTED: &str = "SELECT coalesce(sum(flashes), 0) FROM attendance";

#[test]
fn who_may_enter_does_also_while_the_central_is_away_and_it_counts_once() {
    let site = Site::seeded();
    let (mut central, relay) = site.cut_off_for("12h");
    let port = central.address().port();
    let mut door = site.known_door(relay.address(), "lab", 0);
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    let began = Instant::now();
    for (badge, verdict) in [
        (ASHA, "open"),
        (RAVI, "suspended"),
        (NOBODY, "unknown-twinklet"),
        (ASHA, "open"),
    ] {
        assert_eq!(door.flash(badge).verdict, verdict, "{badge}");
    }
    assert!(began.elapsed() < Duration::from_millis(1500), "at once");
    let stored = site.count(EVENTS);
    let _central = site.central(port, &[]);
    wait_until(SOON, "the central has them", || {
        site.count(EVENTS) >= stored + 4
    });
    let open = "SELECT count(*) FROM event WHERE verdict = 'open'
                AND uid NOT IN (SELECT uid FROM undelivered)";
    wait_until(SOON, "and counts them", || {
        site.count(COUNTED) == site.count(open)
    });
    assert_eq!(door.flash(ASHA).verdict, "open");
}

#[test]
fn nobody_here_can_check_one_time_codes_so_who_needs_one_waits_for_the_central() {
    let site = Site::seeded();
    site.ok(&["employee", "resume", "Ravi"]);
    let (mut central, relay) = site.cut_off_for("12h");
    let mut lab = site.known_door(relay.address(), "lab", 0);
    let mut vault = site.known_door(relay.address(), "vault", 1);
    site.ok(&["employee", "code", "Asha Rao", "--enable"]);
    site.ok(&["central", "door", "vault", "--require-code"]);
    let newest = site.count("SELECT max(id) FROM audit");
    let file = site.relay_sql();
    wait_until(SOON, "the roster follows", || {
        let at = file.query_row("SELECT at FROM roster", [], |row| row.get::<_, i64>(0));
        at.unwrap() == newest
    });
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    let mut coded = lab.new_flash(ASHA);
    coded.code = Some("123456".to_owned().try_into().unwrap());
    assert_eq!(lab.ask(&coded).verdict, "central-unreachable");
    assert_eq!(lab.flash(ASHA).verdict, "central-unreachable");
    assert_eq!(lab.flash(RAVI).verdict, "open");
    assert_eq!(vault.flash(RAVI).verdict, "central-unreachable");
    // What speaks against a badge anyway is known without a code.
    assert_eq!(vault.flash(NOBODY).verdict, "unknown-twinklet");
}

#[test]
fn how_relays_stand_is_shown_with_the_devices() {
    let site = Site::seeded();
    let (central, mut relay) = site.cut_off_for("12h");
    let shown = || site.ok(&["central", "devices"]);
    wait_until(SOON, "it is connected", || {
        shown().contains("decides for 12 h") && shown().contains("connected")
    });
    assert!(!shown().contains("told all until"), "{}", shown());
    relay.kill_9();
    wait_until(SOON, "until when it has told all", || {
        shown().contains("decides for 12 h, told all until 20")
    });
    site.ok(&["central", "retire", "site"]);
    assert!(shown().contains("out of service"), "{}", shown());
    drop(central);
}

#[test]
fn a_badge_revoked_while_the_relay_was_cut_off_is_refused_once_it_is_back() {
    let site = Site::seeded();
    let (mut central, mut relay) = site.cut_off_for("12h");
    let (port, address) = (central.address().port(), central.address());
    site.known_door(relay.address(), "lab", 0);
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    site.ok(&["employee", "suspend", "Asha Rao"]);
    let central = site.central(port, &[]);
    relay.stderr.wait_for_nth("connected to the central", 2);
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "suspended");
    // Soon afterwards the relay knows it by itself, also after a restart.
    wait_until(SOON, "the roster follows", || {
        relay.kill_9();
        relay = site.relay(0, address, &["--offline-for", "12h"]);
        relay.stderr.wait_for("connected to the central");
        central.signal("STOP");
        let mut door = Client::door(relay.address(), "lab");
        let verdict = door.flash(ASHA).verdict;
        central.signal("CONT");
        verdict == "suspended"
    });
}

#[test]
fn a_roster_older_than_the_limit_opens_nothing_though_the_relay_ran_and_its_clock_was_set_back() {
    let site = Site::seeded();
    let clock = TestClock::off_by(site.folder.path(), 0);
    let mut central = site.central(0, &[]);
    let listen = format!("{}:0", site.host);
    let to = central.address().to_string();
    let mut command = site.command(&[
        "relay",
        "site",
        "--listen",
        &listen,
        "--central",
        &to,
        "--offline-for",
        "3s",
    ]);
    clock.give_to(&mut command);
    let relay = Proc::server(&mut command);
    relay.stderr.wait_for("the roster is here");
    site.known_door(relay.address(), "lab", 0);
    let mut door = Client::door(relay.address(), "lab");
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    assert_eq!(door.flash(ASHA).verdict, "open");
    clock.go_off_by(-86_400);
    pause(Duration::from_secs(3));
    assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
    relay.stderr.wait_for("its roster is older than allowed");
    clock.go_off_by(86_400);
    assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
}

#[test]
fn after_a_restart_of_the_machine_without_a_clock_the_roster_counts_as_too_old() {
    let site = Site::seeded();
    let (mut central, mut relay) = site.cut_off_for("12h");
    let address = central.address();
    site.known_door(relay.address(), "lab", 0);
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    relay.kill_9();
    // A clock that went on from where it stood.
    let clock = TestClock::off_by(site.folder.path(), 3_600);
    clock.reboot();
    let listen = format!("{}:0", site.host);
    let to = address.to_string();
    let mut command = site.command(&[
        "relay",
        "site",
        "--listen",
        &listen,
        "--central",
        &to,
        "--offline-for",
        "12h",
    ]);
    clock.give_to(&mut command);
    let relay = Proc::server(&mut command);
    relay.stderr.wait_for("cannot reach the central");
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "central-unreachable");
    relay.stderr.wait_for("the machine was started anew");
    // The same start of the machine, and a clock in 1970: the roster's age is known.
    drop(relay);
    clock.stand_at("1970-01-01T00:00:10Z");
    clock.undo_reboot();
    let relay = Proc::server(&mut command);
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let _central = site.central(address.port(), &[]);
    wait_until(SOON, "the entry is there, and marked", || {
        site.count("SELECT count(*) FROM event WHERE clock = 'clock-unset'") == 1
    });
    assert_eq!(
        site.count("SELECT count(DISTINCT day) FROM attendance"),
        1,
        "today"
    );
}

#[test]
fn a_flash_held_up_beyond_midnight_counts_for_the_day_on_which_its_door_opened() {
    let site = Site::seeded();
    let clock = TestClock::off_by(site.folder.path(), 0);
    clock.run_from("2026-03-10T12:00:00Z");
    let listen = format!("{}:0", site.host);
    let start = |args: &[&str]| {
        let mut command = site.command(args);
        clock.give_to(command.args(["--listen", &listen]));
        Proc::server(&mut command)
    };
    let central = start(&["central"]);
    let way = Proxy::new(site.host, central.address());
    let to = way.address.to_string();
    let relay = start(&["relay", "site", "--central", &to, "--offline-for", "12h"]);
    relay.stderr.wait_for("the roster is here");
    let mut door = site.known_door(relay.address(), "lab", 0);
    let days = |what: &str| site.count(&format!("SELECT count(DISTINCT {what}) FROM attendance"));
    assert_eq!(site.count(EVENTS), 1);

    clock.run_from("2026-03-10T23:59:55Z");
    let midnight = Instant::now() + Duration::from_secs(6);
    way.cut();
    assert_eq!(
        door.flash(ASHA).verdict,
        "open",
        "by the relay's own decision"
    );
    pause(midnight.saturating_duration_since(Instant::now()));
    way.mend();
    wait_until(SOON, "the central has heard of it from both", || {
        site.count("SELECT count(*) FROM event WHERE received IS NOT NULL") == 1
    });
    assert_eq!(site.count(EVENTS), 2);
    assert_eq!(days("day"), 1);
    assert_eq!(site.count(COUNTED), 2);
    let latest = "SELECT max(at) FROM event";
    assert!(site.count(latest) < 1_773_187_200_000, "before midnight");
    assert_eq!(door.flash(ASHA).verdict, "open");
    assert_eq!(days("day"), 2);
}

#[test]
fn a_relay_knows_only_the_badges_of_its_own_doors_and_no_names() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let relay = site.relay(0, central.address(), &["--offline-for", "12h"]);
    let other = Client::door(central.address(), "vault");
    site.known_door(relay.address(), "lab", 0);
    let _lab = Client::door(relay.address(), "lab");
    for (id, door) in [(10, "lab"), (11, "vault")] {
        let (name, id) = (format!("Only {door}"), id.to_string());
        site.ok(&["employee", "add", &name, "--twinklet", &id]);
        site.sql()
            .execute_batch(&format!(
                "UPDATE employee SET doors_listed = 1 WHERE name = '{name}';
                 INSERT INTO door_grant SELECT number, (SELECT id FROM door WHERE name = '{door}')
                 FROM employee WHERE name = '{name}';
                 INSERT INTO audit (at, who, action, employee, detail)
                 SELECT 0, 'test', 'grant', number, '' FROM employee WHERE name = '{name}';"
            ))
            .unwrap();
    }
    let file = site.relay_file();
    let sql = site.relay_sql();
    let known = "SELECT group_concat(twinklet) FROM (SELECT twinklet FROM badge JOIN roster
                 USING (generation) ORDER BY twinklet)";
    wait_until(SOON, "the roster is complete", || {
        let known: Option<String> = sql.query_row(known, [], |row| row.get(0)).unwrap();
        known.as_deref() == Some("7,8,10")
    });
    drop((other, sql, relay));
    let bytes = std::fs::read(&file).unwrap();
    let wal = std::fs::read(file.with_extension("db-wal")).unwrap_or_default();
    for name in ["Asha", "Ravi", "Only"] {
        let found = [&bytes, &wal].iter().any(|bytes| {
            bytes
                .windows(name.len())
                .any(|part| part == name.as_bytes())
        });
        assert!(!found, "{name}");
    }
}
