//! The main job, with real processes: a flash at a door goes over a relay to the central, is
//! stored, and opens the door.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::collections::HashSet;
use std::io::Write;
use std::thread;

use common::client::frame;
use common::{ASHA, Client, NOBODY, RAVI, SOON, Site};
use twinkle::wire::{Event, Flash, Message};

#[test]
fn a_flash_opens_the_door_and_marks_the_day() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut door = site.door("lab", relay.address(), &["--open-for", "100ms"]);
    door.type_line("7");
    door.stdout.wait_for("twinklet 7: open, Asha Rao");
    door.stdout.wait_for("unlocked for 0.1 s");
    door.stdout.wait_for("locked");
    door.type_line("99");
    door.stdout
        .wait_for("twinklet 99: don't open, unknown-twinklet");
    door.type_line("6*1*Broadband Wireless Lab*2020-02-03 17:21*Twinkle 6*Correct");
    door.stdout
        .wait_for("twinklet 6: don't open, unknown-twinklet");
    door.type_line("8");
    door.stdout.wait_for("twinklet 8: don't open, suspended");
    door.close_input();
    assert!(door.wait(SOON).success());

    let events = site.ok(&["report", "events", "--format", "csv"]);
    let verdicts: Vec<_> = events
        .lines()
        .skip(1)
        .map(|l| l.split_once(',').unwrap().1)
        .collect();
    assert_eq!(
        verdicts,
        [
            "lab,site,7,1,Asha Rao,open",
            "lab,site,99,,,unknown-twinklet",
            "lab,site,6,,,unknown-twinklet",
            "lab,site,8,2,Ravi,suspended",
        ]
    );
    let register = site.ok(&["report", "--month", "--format", "csv"]);
    let rows: Vec<_> = register.lines().skip(1).collect();
    assert!(
        rows[0].starts_with("1,Asha Rao,") && rows[0].ends_with(",1,0"),
        "{register}"
    );
    assert_eq!(rows[0].matches(",P").count(), 1, "{register}");
    assert_eq!(rows[1].matches(",P").count(), 0, "{register}");
}

#[test]
fn a_door_may_speak_straight_to_the_central() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let address = central.address().to_string();
    let flash = |id: &str| {
        site.run(&[
            "door",
            "lab",
            "--relay",
            &address,
            "--flash",
            id,
            "--open-for",
            "10ms",
        ])
    };
    let opened = flash("7");
    assert_eq!(
        opened.stdout,
        "twinklet 7: open, Asha Rao\nunlocked for 0.01 s\nlocked\n"
    );
    assert_eq!((opened.code, opened.stderr.as_str()), (Some(0), ""));
    assert_eq!(flash("8").code, Some(1));
    assert_eq!(flash("99").code, Some(1));
    let events = site.ok(&["report", "events", "--last", "3", "--format", "csv"]);
    assert!(events.contains(",lab,,7,1,Asha Rao,open"), "{events}");
}

#[test]
fn a_thousand_flashes_may_be_in_flight_at_one_door() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut client = Client::door(relay.address(), "lab");
    let flashes: Vec<_> = (0..1000)
        .map(|n| client.new_flash(if n % 10 == 0 { NOBODY } else { ASHA }))
        .collect();
    let bytes: Vec<u8> = flashes
        .iter()
        .flat_map(|flash| frame(&Message::Flash(flash.clone())))
        .collect();
    // All of them are sent before the first answer is read.
    std::io::Write::write_all(&mut client.stream, &bytes).unwrap();
    let mut answered = HashSet::new();
    for _ in &flashes {
        let verdict = client.verdict();
        let nobody = flashes[usize::try_from(verdict.seq).unwrap() - 1]
            .twinklet
            .get()
            == NOBODY;
        assert_eq!(
            verdict.verdict,
            if nobody { "unknown-twinklet" } else { "open" }
        );
        assert!(answered.insert(verdict.seq));
    }
    assert_eq!(
        site.count("SELECT count(*) FROM event WHERE verdict = 'open'"),
        900
    );
    // A hundred unknown ones are nine, and one event of guessing for the others.
    assert_eq!(site.count("SELECT count(*) FROM event"), 910);
    assert_eq!(site.count("SELECT count FROM guessing"), 100);
    assert_eq!(site.count("SELECT flashes FROM attendance"), 900);
}

#[test]
fn the_door_itself_keeps_a_thousand_in_flight() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let relay = relay.address().to_string();
    let args = [
        "door",
        "lab",
        "--relay",
        &relay,
        "--open-for",
        "1ms",
        "--deadline",
        "1m",
    ];
    // One badge read again and again would be one flash.
    let lines: String = (0..1000).map(|code| format!("7:{code:06}\n")).collect();
    let ended = site.run_with_input(&args, lines.as_bytes());
    assert_eq!(ended.code, Some(0));
    assert_eq!(
        ended.stdout.matches("twinklet 7: open, Asha Rao").count(),
        1000
    );
    assert!(ended.stdout.ends_with("\nlocked\n"));
    assert_eq!(
        site.count("SELECT count(*) FROM event WHERE verdict = 'open'"),
        1000
    );
}

#[test]
fn more_flashes_than_the_queue_holds_wait_and_are_all_answered() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut doors: Vec<_> = (0..20)
        .map(|number| Client::door(central.address(), &format!("door {number}")))
        .collect();
    // The central stands still while 20 doors send 250 flashes each: its queue holds 4096.
    central.signal("STOP");
    for door in &mut doors {
        let patient = |mut flash: Flash| {
            flash.budget_ms = 120_000;
            frame(&Message::Flash(flash))
        };
        let flashes: Vec<u8> = (0..250)
            .flat_map(|_| patient(door.new_flash(ASHA)))
            .collect();
        std::io::Write::write_all(&mut door.stream, &flashes).unwrap();
    }
    central.signal("CONT");
    for door in &mut doors {
        for _ in 0..250 {
            assert_eq!(door.verdict().verdict, "open");
        }
    }
    assert_eq!(site.count("SELECT flashes FROM attendance"), 5000);
}

#[test]
fn two_hundred_doors_share_one_relay_and_one_connection() {
    let site = Site::seeded();
    let (central, relay) = site.central_and_relay();
    let address = relay.address();
    let doors: Vec<_> = (0..200)
        .map(|number| {
            thread::spawn(move || {
                let mut door = Client::door(address, &format!("door {number}"));
                for badge in [ASHA, RAVI, NOBODY, ASHA, ASHA] {
                    let verdict = door.flash(badge).verdict;
                    let expected = match badge {
                        ASHA => "open",
                        RAVI => "suspended",
                        _ => "unknown-twinklet",
                    };
                    assert_eq!(verdict, expected);
                }
            })
        })
        .collect();
    doors.into_iter().for_each(|door| door.join().unwrap());
    assert_eq!(site.count("SELECT count(*) FROM event"), 1000);
    assert_eq!(site.count("SELECT count(DISTINCT door) FROM event"), 200);
    assert_eq!(
        central.stderr.count("has connected"),
        1,
        "the relay's connection alone"
    );
}

#[test]
fn a_change_of_an_employee_holds_for_the_next_flash() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut door = Client::door(relay.address(), "lab");
    for _ in 0..5 {
        assert_eq!(door.flash(RAVI).verdict, "suspended");
        site.ok(&["employee", "resume", "Ravi"]);
        assert_eq!(door.flash(RAVI).verdict, "open");
        site.ok(&["employee", "suspend", "--twinklet", "8"]);
    }
    assert_eq!(door.flash(12).verdict, "unknown-twinklet");
    site.ok(&["employee", "add", "Newcomer", "--twinklet", "12"]);
    assert_eq!(door.flash(12).name.as_deref(), Some("Newcomer"));
    site.ok(&[
        "employee",
        "add",
        "Later",
        "--twinklet",
        "13",
        "--joined",
        "2099-01-01",
    ]);
    assert_eq!(door.flash(13).verdict, "not-yet-valid");
}

#[test]
fn a_resend_is_answered_again_and_stored_once() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut door = Client::door(relay.address(), "lab");
    let flash = door.new_flash(ASHA);
    assert_eq!(door.ask(&flash).verdict, "open");
    assert_eq!(door.ask(&flash).verdict, "open");
    // The same event from the same door over a new connection, as after a lost one.
    let mut again = Client::door(relay.address(), "lab");
    assert_eq!(again.ask(&flash).verdict, "open");
    // The same event from elsewhere, or about something else.
    let mut elsewhere = Client::door(relay.address(), "attic");
    let mut moved = flash.clone();
    moved.door = "attic".parse().unwrap();
    assert_eq!(elsewhere.ask(&moved).verdict, "event-reused");
    let mut other = flash.clone();
    other.twinklet = NOBODY.try_into().unwrap();
    assert_eq!(door.ask(&other).verdict, "event-reused");
    assert_eq!(
        door.flash(ASHA).verdict,
        "open",
        "the connection is none the worse"
    );
    assert_eq!(site.count("SELECT flashes FROM attendance"), 2);
    assert_eq!(site.count("SELECT count(*) FROM event"), 2);
}

#[test]
fn an_undelivered_open_counts_for_nothing() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let mut door = Client::door(relay.address(), "lab");
    let flash = door.new_flash(ASHA);
    assert_eq!(door.ask(&flash).verdict, "open");
    assert_eq!(site.count("SELECT count(*) FROM attendance"), 1);
    door.undelivered(flash.event);
    assert_eq!(site.count("SELECT count(*) FROM attendance"), 0);
    let events = site.ok(&["report", "events", "--format", "csv"]);
    assert!(events.ends_with("\"open, undelivered\"\r\n"), "{events}");
    assert_eq!(
        door.ask(&flash).verdict,
        "too-late",
        "and opens nothing later"
    );
}

#[test]
fn an_event_that_is_undelivered_opens_nothing_if_it_comes_again_in_the_same_breath() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    let flash = door.new_flash(ASHA);
    let event = flash.event;
    let lost = Message::Undelivered(Event { event });
    let both = [frame(&lost), frame(&Message::Flash(flash))].concat();
    door.stream.write_all(&both).unwrap();
    assert_eq!(door.receive(), Message::Noted(Event { event }));
    assert_eq!(door.verdict().verdict, "too-late");
    assert_eq!(site.count("SELECT count(*) FROM attendance"), 0);
}

#[test]
fn a_flash_without_time_left_is_stored_as_too_late() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    let mut flash = door.new_flash(ASHA);
    flash.budget_ms = 0;
    assert_eq!(door.ask(&flash).verdict, "too-late");
    assert_eq!(
        site.count("SELECT count(*) FROM event WHERE verdict = 'too-late'"),
        1
    );
    assert_eq!(site.count("SELECT count(*) FROM attendance"), 0);
}
