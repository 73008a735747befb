//! Somebody with a torch tries one badge after the other, or has a copy of one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use common::{ASHA, Client, Proc, SOON, Site, wait_until};
use twinkle::wire::Message;

/// Tries badges that are nobody's; from the tenth on, each is answered later than the one before.
fn guess(door: &mut Client, badges: RangeInclusive<u64>) {
    for (number, badge) in (1_u32..).zip(badges) {
        let began = Instant::now();
        assert_eq!(door.flash(badge).verdict, "unknown-twinklet");
        let (took, least) = (
            began.elapsed(),
            Duration::from_millis(100) * number.saturating_sub(9),
        );
        assert!(took >= least, "{number}: {took:?}");
    }
}

#[test]
fn guesses_are_answered_slower_and_slower_and_are_one_event() {
    let site = Site::seeded();
    let (central, relay) = site.central_and_relay();
    let live = Proc::spawn(&mut site.command(&["report", "live"]));
    let mut lab = Client::door(relay.address(), "lab");
    wait_until(SOON, "the live view is there", || {
        lab.flash(ASHA);
        live.stdout.count("Asha Rao") > 0
    });
    guess(&mut lab, 1001..=1016);
    let line = "door 'lab': 10 unknown badges within a minute";
    central.stderr.wait_for(line);
    assert_eq!(central.stderr.count("unknown badges"), 1);
    live.stdout.wait_for("lab  guessing, ");
    let events = site.ok(&["report", "events", "--format", "csv"]);
    assert_eq!(events.matches("unknown-twinklet").count(), 9, "{events}");
    assert_eq!(events.matches("guessing, 16 badges").count(), 1, "{events}");
    let why = site.ok(&["report", "why", "lab"]);
    assert!(why.contains("see who tries one badge after"), "{why}");
    // Another door has nothing to do with it.
    let mut gate = Client::door(relay.address(), "gate");
    assert_eq!(gate.flash(1017).verdict, "unknown-twinklet");
    let guessing = "SELECT count(*) FROM event WHERE kind = 'guessing'";
    assert_eq!(site.count(guessing), 1);
}

#[test]
fn a_valid_badge_is_never_held_back_by_guesses() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut lab = Client::door(relay.address(), "lab");
    let mut gate = Client::door(relay.address(), "gate");
    for round in 0..5 {
        let began = Instant::now();
        for id in 0..200 {
            let guess = lab.new_flash(10_000 + round * 200 + id);
            lab.send(&Message::Flash(guess));
        }
        // The valid one comes last, and is answered before the guesses are.
        let flash = lab.new_flash(ASHA);
        lab.send(&Message::Flash(flash.clone()));
        let mut before = 0;
        loop {
            let answer = lab.verdict();
            if answer.seq == flash.seq {
                assert_eq!(answer.verdict, "open");
                break;
            }
            before += 1;
        }
        assert!(before < 100, "{before} guesses were answered first");
        assert_eq!(gate.flash(ASHA).verdict, "open");
        (before..200).for_each(|_| drop(lab.verdict()));
        let answered = began.elapsed();
        assert!(answered >= Duration::from_millis(900), "{answered:?}");
    }
    assert_eq!(site.count("SELECT count FROM guessing"), 1_000);
    let unknown = "SELECT count(*) FROM event WHERE verdict = 'unknown-twinklet'";
    assert_eq!(site.count(unknown), 9);
}

#[test]
fn guesses_at_a_relay_that_is_cut_off_are_answered_slower_too_and_are_one_event() {
    let site = Site::seeded();
    let (mut central, relay) = site.cut_off_for("12h");
    let port = central.address().port();
    let mut lab = site.known_door(relay.address(), "lab", 0);
    let mut gate = site.known_door(relay.address(), "gate", 1);
    central.kill_9();
    relay.stderr.wait_for("lost the central");
    guess(&mut lab, 1001..=1014);
    relay
        .stderr
        .wait_for("door 'lab': 10 unknown badges within a minute");
    // Others do not wait, neither there nor elsewhere.
    let guess = lab.new_flash(1015);
    lab.send(&Message::Flash(guess.clone()));
    let flash = lab.new_flash(ASHA);
    lab.send(&Message::Flash(flash.clone()));
    for (seq, verdict) in [(flash.seq, "open"), (guess.seq, "unknown-twinklet")] {
        let answer = lab.verdict();
        assert_eq!((answer.seq, answer.verdict), (seq, verdict));
    }
    assert_eq!(gate.flash(1016).verdict, "unknown-twinklet");
    assert_eq!(relay.stderr.count("unknown badges"), 1);
    let _central = site.central(port, &[]);
    wait_until(SOON, "the central has all that was kept", || {
        site.count("SELECT count(*) FROM event WHERE verdict = 'open'") == 3
            && site.count("SELECT count(*) FROM event WHERE verdict = 'unknown-twinklet'") == 10
    });
    let guessing = "SELECT count(*) FROM event WHERE kind = 'guessing'";
    assert_eq!(site.count(guessing), 1);
}

#[test]
fn a_badge_that_a_relay_takes_for_a_guess_counts_for_nothing_though_the_central_knows_it() {
    let site = Site::seeded();
    let (central, relay) = site.cut_off_for("12h");
    let mut lab = site.known_door(relay.address(), "lab", 0);
    central.signal("STOP");
    site.ok(&["employee", "add", "Zoë", "--twinklet", "12"]);
    for badge in (1001..=1011).chain([12]) {
        let mut flash = lab.new_flash(badge);
        flash.budget_ms = 500;
        lab.send(&Message::Flash(flash));
    }
    for _ in 1..=12 {
        assert_eq!(lab.verdict().verdict, "unknown-twinklet");
    }
    central.signal("CONT");
    let undelivered = "SELECT count(*) FROM event JOIN undelivered USING (uid)
                       WHERE twinklet = 12 AND verdict = 'open'";
    wait_until(SOON, "the central knows that it opened nothing", || {
        site.count(undelivered) == 1
    });
    let hers = "SELECT count(*) FROM attendance JOIN assignment USING (employee)
                WHERE twinklet = 12";
    assert_eq!(site.count(hers), 0);
}

#[test]
fn the_configuration_says_from_when_on_unknown_badges_are_guesses() {
    let site = Site::seeded();
    let config = site.folder.path().join("twinkle.toml");
    fs::write(&config, "[central]\nguesses_from = 2\n").unwrap();
    let central = site.central(0, &["--config", config.to_str().unwrap()]);
    let mut lab = Client::door(central.address(), "lab");
    for id in 1001..=1003 {
        assert_eq!(lab.flash(id).verdict, "unknown-twinklet");
    }
    assert_eq!(site.count("SELECT count FROM guessing"), 3);
}

#[test]
fn a_badge_that_is_at_two_doors_sooner_than_anybody_goes_is_flagged() {
    let site = Site::seeded();
    let mut central = site.central(0, &["--travel-time", "10m"]);
    let flagged = || site.count("SELECT count(*) FROM hasty");
    let mut gate = Client::door(central.address(), "gate");
    let mut lab = Client::door(central.address(), "lab");
    for _ in 0..2 {
        assert_eq!(gate.flash(ASHA).verdict, "open");
    }
    assert_eq!(flagged(), 0);
    assert_eq!(lab.flash(ASHA).verdict, "open");
    assert_eq!(flagged(), 1);
    central.stderr.wait_for("is there a copy of it?");
    let events = site.ok(&["report", "events"]);
    assert!(events.contains("s after gate"), "{events}");
    for whom in ["Asha Rao", "lab"] {
        let why = site.ok(&["report", "why", whom]);
        assert!(
            why.contains("s after gate") && why.contains("copy"),
            "{why}"
        );
    }
    // A central that was started anew knows it from its log.
    central.kill_9();
    let central = site.central(0, &["--travel-time", "10m"]);
    let mut gate = Client::door(central.address(), "gate");
    assert_eq!(gate.flash(ASHA).verdict, "open");
    assert_eq!(flagged(), 2);
    drop(central);
    // Nobody asked for it here.
    let central = site.central(0, &[]);
    let mut lab = Client::door(central.address(), "lab");
    assert_eq!(lab.flash(ASHA).verdict, "open");
    assert_eq!(flagged(), 2);
}

#[test]
fn an_id_that_is_easily_guessed_gets_a_hint() {
    let site = Site::seeded();
    let hint = "can be found by trying";
    let small = site.run(&["employee", "add", "Zoë", "--twinklet", "31"]);
    assert_eq!(small.code, Some(0));
    assert!(small.stderr.contains(hint), "{small:?}");
    assert!(
        small.stderr.contains("employee code 3 --enable"),
        "{small:?}"
    );
    let large = ["employee", "add", "Li", "--twinklet", "4503599627370497"];
    let large = site.run(&large);
    assert_eq!(large.code, Some(0));
    assert!(!large.stderr.contains("hint"), "{large:?}");
}
