//! How long flashes take, as relays tell it and `report delays` shows it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{ASHA, Client, NOBODY, SOON, Site, wait_until};

/// A central, and a relay that is told to end, so that it tells at once what it would in 10 s.
fn site_with_flashes() -> Site {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let mut relay = site.relay(0, central.address(), &["--deadline", "1500ms"]);
    relay.stderr.wait_for("connected to the central");
    let mut lab = Client::door(relay.address(), "lab");
    for badge in [ASHA, NOBODY, ASHA] {
        lab.flash(badge);
    }
    Client::door(relay.address(), "gate").flash(ASHA);
    // One that nobody answers in time.
    central.signal("STOP");
    assert_eq!(lab.flash(ASHA).verdict, "central-unreachable");
    central.signal("CONT");
    relay.stderr.wait_for_nth("connected to the central", 2);
    drop(lab);
    relay.signal("TERM");
    relay.wait(SOON);
    wait_until(SOON, "the relay has told", || {
        site.count("SELECT count(*) FROM delay") == 5
    });
    central.signal("TERM");
    central.wait(SOON);
    site
}

#[test]
fn each_flash_has_its_delay() {
    let site = site_with_flashes();
    let late = "SELECT count(*) FROM delay WHERE us >= 1500000";
    assert_eq!(site.count(late), 1);
    let unanswered = site.count("SELECT us FROM delay ORDER BY at DESC LIMIT 1");
    assert!(unanswered >= 1_500_000, "{unanswered}");
    let csv = site.ok(&["report", "delays", "--format", "csv"]);
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("time,door,relay,us"));
    let rows: Vec<_> = lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .collect();
    assert_eq!(rows.len(), 5, "{csv}");
    let at = |door| rows.iter().filter(|row| row[1] == door).count();
    assert_eq!((at("lab"), at("gate")), (4, 1));
    let json = site.ok(&["report", "delays", "--door", "gate", "--format", "json"]);
    let row: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(row["door"], "gate");
    assert!(row["us"].as_u64().unwrap() > 0, "{json}");
}

#[test]
fn flashes_that_the_relay_answers_by_itself_have_theirs_too() {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let address = central.address();
    let mut relay = site.relay(0, address, &["--offline-for", "1h"]);
    relay.stderr.wait_for("the roster is here");
    let mut lab = Client::door(relay.address(), "lab");
    lab.flash(ASHA);
    site.roster_knows(1);
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    assert_eq!(lab.flash(ASHA).verdict, "open");
    assert_eq!(lab.flash(NOBODY).verdict, "unknown-twinklet");

    let central = site.central(address.port(), &[]);
    relay.stderr.wait_for_nth("connected to the central", 2);
    wait_until(SOON, "the flashes are here", || {
        site.count("SELECT count(*) FROM event") == 3
    });
    drop(lab);
    relay.signal("TERM");
    relay.wait(SOON);
    wait_until(SOON, "the relay has told", || {
        site.count("SELECT count(*) FROM delay") == 3
    });
    drop(central);
}

#[test]
fn delays_are_put_together_for_people_and_as_a_picture() {
    let site = site_with_flashes();
    let page = site.ok(&["report", "delays"]);
    for part in [
        "door  relay  flashes  ",
        "\nHow they are spread\n",
        "\nOver time, in ms\n",
    ] {
        let relay = site.sql();
        let relay: String = relay
            .query_row("SELECT name FROM relay", [], |row| row.get(0))
            .unwrap();
        let part = part.replace(
            "relay  ",
            &format!("{:<w$}  ", "relay", w = relay.len().max(5)),
        );
        assert!(page.contains(&part), "{part}: {page}");
    }
    let all = page.lines().find(|line| line.starts_with("all ")).unwrap();
    assert!(all.split_whitespace().nth(1) == Some("5"), "{page}");

    let file = site.folder.path().join("delays.svg");
    let path = file.to_str().unwrap();
    assert_eq!(site.ok(&["report", "delays", "-o", path]), "");
    let picture = std::fs::read_to_string(&file).unwrap();
    assert!(picture.starts_with("<svg "), "{picture}");
    assert!(picture.contains("5 flashes"), "{picture}");
    let printed = site.ok(&["report", "delays", "--format", "svg"]);
    assert_eq!(printed, picture);
}

#[test]
fn what_cannot_be_shown_is_said() {
    let site = Site::seeded();
    let none = site.ok(&["report", "delays", "--on", "2020-01-01"]);
    assert!(none.contains("no relay has told of a flash"), "{none}");
    let no_picture = site.ok(&["report", "delays", "--format", "svg"]);
    assert!(no_picture.contains("0 flashes"), "{no_picture}");
    let code = |args: &[&str]| site.run(&[&["report", "delays"], args].concat()).code;
    assert_eq!(code(&["--door", "nowhere"]), Some(3));
    assert_eq!(code(&["-o", "delays.txt"]), Some(2));
    let turned = ["--from", "2026-11-02", "--to", "2026-11-01"];
    assert_eq!(code(&turned), Some(2));
}
