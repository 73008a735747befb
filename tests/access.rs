//! Who gets in after what an administrator changed: badges, doors and hours.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{ASHA, Client, Day, refused};

#[test]
fn a_replaced_badge_opens_nothing_and_the_new_one_at_once() {
    let mut day = Day::new();
    assert_eq!(
        day.ok(&["replace", "asha rao", "--with", "12"]),
        "1: Asha Rao has twinklet 12 now; 7 opens nothing any more\n"
    );
    day.opens_not(ASHA, "twinklet-revoked");
    day.opens_for(12, "Asha Rao");
    assert_eq!(
        day.ok(&["replace", "1", "--with", "12"]),
        "1: Asha Rao has twinklet 12 already\n"
    );
    refused(
        &day.run(&["replace", "1", "--with", "8"]),
        3,
        "twinklet 8 belongs to Ravi (2)",
    );
    day.opens_for(12, "Asha Rao");
    // The old one may be given to somebody else on the same day.
    day.ok(&["add", "Zoë", "--twinklet", "7"]);
    day.opens_for(ASHA, "Zoë");
    assert_eq!(
        day.ok(&["show", "1"]),
        "\
number      1
name        Asha Rao
department  none
state       active
joined      2024-02-01
hours       at any time
doors       every door
register    on
twinklet    7 from 2024-02-01 until 2024-02-28, taken back
twinklet    12 from 2024-02-28
"
    );
}

#[test]
fn a_lost_badge_opens_nothing_until_it_is_found() {
    let mut day = Day::new();
    assert_eq!(
        day.ok(&["lost", "1"]),
        "1: Asha Rao: twinklet 7 is lost, and opens nothing any more\n\
         'twinkle employee replace 1 --with ID' gives another; \
         'found --twinklet 7' takes this back\n"
    );
    day.opens_not(ASHA, "twinklet-revoked");
    let again = day.ok(&["lost", "--twinklet", "7"]);
    assert_eq!(again, "1: Asha Rao: twinklet 7 was lost already\n");
    let show = day.ok(&["show", "1"]);
    assert!(
        show.ends_with("twinklet    7 from 2024-02-01, lost\n"),
        "{show}"
    );
    assert_eq!(
        day.ok(&["found", "1"]),
        "1: Asha Rao: twinklet 7 is there again, and opens as before\n"
    );
    day.opens_for(ASHA, "Asha Rao");
    refused(
        &day.run(&["found", "1"]),
        3,
        "Asha Rao (1) has lost no badge",
    );
    refused(
        &day.run(&["found", "--twinklet", "7"]),
        3,
        "twinklet 7 is not lost",
    );

    // Lost, replaced, given to another by whoever found it: it is not found again.
    day.ok(&["lost", "1"]);
    day.ok(&["replace", "1", "--with", "12"]);
    day.opens_for(12, "Asha Rao");
    refused(
        &day.run(&["found", "--twinklet", "7"]),
        3,
        "twinklet 7 is not lost",
    );
    day.ok(&["lost", "1"]);
    day.ok(&["add", "Zoë", "--twinklet", "12"]);
    let taken = day.run(&["found", "1"]);
    refused(&taken, 3, "twinklet 12 belongs to Zoë (3) since 2024-02-28");
    day.opens_for(12, "Zoë");
}

#[test]
fn a_loan_that_ends_sooner_gives_the_badge_back_at_once() {
    let mut day = Day::new();
    day.ok(&["resume", "2"]);
    day.ok(&["lend", "Ravi", "--twinklet", "7", "--until", "2024-03-09"]);
    day.opens_for(ASHA, "Ravi");
    day.ok(&["edit", "--twinklet", "7", "--valid-until", "2024-02-29"]);
    let show = day.ok(&["show", "1"]);
    assert!(
        show.contains("twinklet    7 from 2024-03-01"),
        "nobody has it meanwhile: {show}"
    );
    day.clock.stand_at("2024-03-01T12:00:00Z");
    day.opens_for(ASHA, "Asha Rao");
}

#[test]
fn a_lent_badge_counts_for_who_has_it_and_comes_back_by_itself() {
    let mut day = Day::new();
    day.ok(&["resume", "2"]);
    let lend = ["lend", "Ravi", "--twinklet", "7", "--until", "2024-02-29"];
    assert_eq!(
        day.ok(&lend),
        "2: Ravi has twinklet 7 from 2024-02-28 until 2024-02-29\n\
         1: Asha Rao has it before and after that\n"
    );
    day.opens_for(ASHA, "Ravi");
    refused(
        &day.run(&lend),
        3,
        "twinklet 7 belongs to Ravi (2) since 2024-02-28",
    );
    day.clock.stand_at("2024-03-01T12:00:00Z");
    day.opens_for(ASHA, "Asha Rao");
    let present = "SELECT group_concat(day || ' ' || employee, ', ') FROM attendance";
    let present: String = day
        .site
        .sql()
        .query_row(present, [], |row| row.get(0))
        .unwrap();
    assert_eq!(present, "2024-02-28 2, 2024-03-01 1");
    let show = day.ok(&["show", "1"]);
    assert!(
        show.ends_with(
            "twinklet    7 from 2024-02-01 until 2024-02-27, over\n\
             twinklet    7 from 2024-03-01\n"
        ),
        "{show}"
    );

    // A spare badge is nobody's before and after.
    let spare = ["lend", "1", "--twinklet", "90", "--until", "2024-03-05"];
    assert_eq!(
        day.ok(&spare),
        "1: Asha Rao has twinklet 90 from 2024-03-01 until 2024-03-05\n"
    );
    day.opens_for(90, "Asha Rao");
    let both = day.run(&["lost", "1"]);
    refused(
        &both,
        3,
        "Asha Rao (1) has twinklets 7 and 90; say which with --twinklet ID",
    );
    // A part of a loan, or one's own badge, cannot be lent.
    let over_its_end = ["lend", "2", "--twinklet", "90", "--until", "2024-03-09"];
    refused(
        &day.run(&over_its_end),
        3,
        "twinklet 90 belongs to Asha Rao (1)",
    );
    let own = ["lend", "1", "--twinklet", "7", "--until", "2024-03-09"];
    refused(&day.run(&own), 3, "twinklet 7 belongs to Asha Rao (1)");
    day.ok(&["edit", "--twinklet", "90", "--valid-until", "today"]);
    day.clock.stand_at("2024-03-02T12:00:00Z");
    day.opens_not(90, "expired");
    let backwards = ["lend", "2", "--twinklet", "91", "--until", "2024-03-01"];
    refused(&day.run(&backwards), 3, "the last day is before the first");
}

#[test]
fn a_lost_badge_does_not_come_back_to_life_when_its_loan_ends() {
    let mut day = Day::new();
    day.ok(&["resume", "2"]);
    day.ok(&["lend", "Ravi", "--twinklet", "7", "--until", "2024-02-29"]);
    day.ok(&["lost", "--twinklet", "7"]);
    day.opens_not(ASHA, "twinklet-revoked");
    day.clock.stand_at("2024-03-01T12:00:00Z");
    day.opens_not(ASHA, "twinklet-revoked");
}

#[test]
fn validity_is_that_of_the_badge() {
    let mut day = Day::new();
    let edit = |day: &Day, rest: &[&str]| day.ok(&[&["edit", "1"], rest].concat());
    assert_eq!(
        edit(
            &day,
            &["--valid-from", "2024-02-29", "--name", "Asha Menon"]
        ),
        "edited 1: Asha Menon\n  name      Asha Rao -> Asha Menon\n  \
         twinklet  7 from 2024-02-01 -> 7 from 2024-02-29\n"
    );
    day.opens_not(ASHA, "not-yet-valid");
    edit(
        &day,
        &["--valid-from", "2024-02-01", "--valid-until", "yesterday"],
    );
    day.opens_not(ASHA, "expired");
    refused(
        &day.run(&["edit", "1", "--valid-from", "today"]),
        3,
        "the last day is before the first",
    );
    edit(&day, &["--valid-until", ""]);
    day.opens_for(ASHA, "Asha Menon");
    day.ok(&["lend", "1", "--twinklet", "90", "--until", "2024-03-05"]);
    refused(
        &day.run(&["edit", "1", "--name", "X", "--valid-until", "today"]),
        3,
        "has twinklets 7 and 90",
    );
    assert_eq!(
        day.site
            .count("SELECT count(*) FROM employee WHERE name = 'X'"),
        0
    );
}

#[test]
fn doors_are_granted_and_taken_away_down_to_none() {
    let mut day = Day::new();
    Client::door(day.central.address(), "front door").flash(ASHA);
    let say = |day: &Day, args: &[&str]| day.ok(args);
    let take_from_all = day.run(&["ungrant", "1", "lab"]);
    refused(
        &take_from_all,
        3,
        "Asha Rao (1) may use every door; name those to keep",
    );
    refused(
        &day.run(&["grant", "1", "labb"]),
        3,
        "no door 'labb'; did you mean 'lab'?",
    );
    let far = day.run(&["grant", "1", "lab", "attic"]);
    refused(&far, 3, "no door 'attic'; there is 'front door', 'lab'");
    day.opens_for(ASHA, "Asha Rao");
    assert_eq!(
        say(&day, &["grant", "1", "front door"]),
        "1: Asha Rao may use front door now (until now: every)\n"
    );
    day.opens_not(ASHA, "not-this-door");
    assert_eq!(
        say(&day, &["grant", "1", "lab", "front door"]),
        "1: Asha Rao may use front door, lab now (until now: front door)\n"
    );
    day.opens_for(ASHA, "Asha Rao");
    assert_eq!(
        say(&day, &["grant", "1", "lab"]),
        "1: Asha Rao may use front door, lab already\n"
    );
    say(&day, &["ungrant", "1", "front door"]);
    day.opens_for(ASHA, "Asha Rao");
    assert_eq!(
        say(&day, &["ungrant", "1", "lab"]),
        "1: Asha Rao may use no door now (until now: lab)\n"
    );
    day.opens_not(ASHA, "not-this-door");
    say(&day, &["grant", "1", "--all"]);
    day.opens_for(ASHA, "Asha Rao");
    say(&day, &["ungrant", "1", "--all"]);
    day.opens_not(ASHA, "not-this-door");
    refused(&day.run(&["grant", "1"]), 2, "DOOR");
    refused(
        &day.run(&["grant", "1", "lab", "--all"]),
        2,
        "cannot be used with",
    );
}

#[test]
fn hours_are_those_on_the_sites_wall() {
    let mut day = Day::new();
    let set = |day: &Day, hours: &str| day.ok(&["edit", "1", "--hours", hours]);
    assert_eq!(
        set(&day, "Mon-Fri 8:00-20:00, sat 9:00-13:00"),
        "edited 1: Asha Rao\n  hours  - -> mon-fri 08:00-20:00, sat 09:00-13:00\n"
    );
    day.opens_for(ASHA, "Asha Rao");
    day.clock.stand_at("2024-02-28T20:00:00Z");
    day.opens_not(ASHA, "outside-hours");
    set(&day, "wed 20:00-04:00");
    day.opens_for(ASHA, "Asha Rao");
    day.clock.stand_at("2024-02-29T03:59:59Z");
    day.opens_for(ASHA, "Asha Rao");
    day.clock.stand_at("2024-02-29T04:00:00Z");
    day.opens_not(ASHA, "outside-hours");
    set(&day, "");
    day.opens_for(ASHA, "Asha Rao");
    day.ok(&[
        "add",
        "Zoë",
        "--twinklet",
        "9",
        "--hours",
        "thu 08:00-20:00",
    ]);
    day.opens_not(9, "outside-hours");
    day.clock.stand_at("2024-02-29T08:00:00Z");
    day.opens_for(9, "Zoë");
    let wrong = day.run(&["edit", "1", "--hours", "mon 8-20"]);
    refused(
        &wrong,
        2,
        "'8-20' are no hours from 00:00 to 24:00; write hours as",
    );
}
