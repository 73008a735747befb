//! What an administrator changes about employees, and what a running central makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use common::{ASHA, Client, Ended, Site, TestClock};

/// Fails unless a command was refused with this code and one line that says this.
fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(code), ""),
        "{ended:?}"
    );
    assert!(ended.stderr.contains(says), "{ended:?}");
}

/// A seeded site at noon of a Wednesday that stays, with a central and the door "lab".
struct Day {
    site: Site,
    clock: TestClock,
    central: common::Proc,
    door: Client,
}

impl Day {
    fn new() -> Self {
        let site = Site::seeded();
        let clock = TestClock::standing_at(site.folder.path(), "2024-02-28T12:00:00Z");
        let mut command = site.command(&["central", "--listen", "127.0.0.1:0"]);
        clock.give_to(&mut command);
        let central = common::Proc::server(&mut command);
        let door = Client::door(central.address(), "lab");
        Self {
            site,
            clock,
            central,
            door,
        }
    }

    /// Runs `twinkle employee`.
    fn run(&self, args: &[&str]) -> Ended {
        let mut command = self.site.command(&[&["employee"], args].concat());
        self.clock.give_to(&mut command);
        common::ended(&mut command)
    }

    /// Runs `twinkle employee`, which must succeed.
    fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended.stdout
    }

    /// What a badge gets at the door, and whose it is.
    fn flash(&mut self, badge: u64) -> (String, String) {
        let answer = self.door.flash(badge);
        (answer.verdict.to_owned(), answer.name.unwrap_or_default())
    }

    fn opens_for(&mut self, badge: u64, name: &str) {
        assert_eq!(self.flash(badge), ("open".to_owned(), name.to_owned()));
    }

    fn opens_not(&mut self, badge: u64, reason: &str) {
        assert_eq!(self.flash(badge), (reason.to_owned(), String::new()));
    }
}

/// What the audit says: action, old, new.
fn audited(site: &Site) -> Vec<(String, String, String)> {
    let sql = site.sql();
    let mut select = sql
        .prepare("SELECT action, old, new FROM audit ORDER BY id")
        .unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_change_is_audited_with_its_author_and_values() {
    let site = Site::new();
    site.ok(&["central", "init"]);
    let add = ["employee", "add", "Asha Rao", "--twinklet", "7"];
    site.ok(&[&add[..], &["--joined", "2024-02-01"]].concat());
    site.ok(&[
        "employee",
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--department",
        "Optics",
    ]);
    site.ok(&[
        "employee",
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--by",
        "Meera",
    ]);
    site.ok(&[
        "employee",
        "edit",
        "1",
        "--department",
        "",
        "--off-register",
        "--by",
        "Meera",
    ]);
    site.ok(&["employee", "suspend", "1"]);
    site.ok(&["employee", "suspend", "1"]);
    site.ok(&["employee", "resume", "1"]);
    let rows = audited(&site);
    let row = |row: usize| {
        (
            rows[row].0.as_str(),
            rows[row].1.as_str(),
            rows[row].2.as_str(),
        )
    };
    assert_eq!(rows.len(), 5, "what changes nothing is not written down");
    assert_eq!(
        row(0),
        (
            "add",
            "{}",
            r#"{"joined":"2024-02-01","name":"Asha Rao","twinklet":"7"}"#
        )
    );
    assert_eq!(
        row(1),
        (
            "edit",
            r#"{"name":"Asha Rao"}"#,
            r#"{"department":"Optics","name":"Asha Menon"}"#
        )
    );
    assert_eq!(
        row(2),
        (
            "edit",
            r#"{"department":"Optics"}"#,
            r#"{"off-register":"yes"}"#
        )
    );
    assert_eq!(row(3), ("suspend", "{}", r#"{"suspended":"yes"}"#));
    assert_eq!(row(4), ("resume", r#"{"suspended":"yes"}"#, "{}"));
    let by_meera = "SELECT count(*) FROM audit WHERE who LIKE 'Meera (as _%)'";
    assert_eq!(site.count(by_meera), 1);
    assert_eq!(
        site.count("SELECT count(*) FROM audit WHERE who NOT LIKE 'Meera%'"),
        4
    );
}

#[test]
fn an_edit_says_what_it_changed() {
    let site = Site::seeded();
    let edit = |rest: &[&str]| site.ok(&[&["employee", "edit"], rest].concat());
    assert_eq!(
        edit(&[
            "asha rao",
            "--name",
            "Asha Menon",
            "--department",
            " Optics "
        ]),
        "edited 1: Asha Menon\n  name        Asha Rao -> Asha Menon\n  department  - -> Optics\n"
    );
    assert_eq!(
        edit(&["1", "--department", "Optics"]),
        "1: Asha Menon is so already\n"
    );
    assert_eq!(
        edit(&[
            "--twinklet",
            "7",
            "--joined",
            "2024-01-15",
            "--department",
            ""
        ]),
        "edited 1: Asha Menon\n  department  Optics -> -\n  joined      2024-02-01 -> 2024-01-15\n"
    );
    assert_eq!(
        edit(&["1", "--off-register"]),
        "edited 1: Asha Menon\n  off-register  - -> yes\n"
    );
    let run = |rest: &[&str]| site.run(&[&["employee", "edit"], rest].concat());
    refused(&run(&["1"]), 2, "--department");
    refused(&run(&["--name", "Asha"]), 2, "EMPLOYEE");
    refused(
        &run(&["1", "--on-register", "--off-register"]),
        2,
        "cannot be used with",
    );
    refused(
        &run(&["1", "--department", "a\tb"]),
        2,
        "a department's name has 1 to 64",
    );
    refused(&run(&["1", "--by", "42", "--on-register"]), 2, "no letter");
}

#[test]
fn who_departs_gets_in_until_the_last_day_and_not_after_it() {
    let mut day = Day::new();
    let depart = |day: &Day, rest: &[&str]| day.ok(&[&["depart"], rest].concat());
    assert_eq!(
        depart(&day, &["1"]),
        "1: Asha Rao's last day is 2024-02-28\n"
    );
    let again = depart(&day, &["1", "--on", "2024-02-28"]);
    assert_eq!(again, "1: Asha Rao leaves on 2024-02-28 already\n");
    day.opens_for(ASHA, "Asha Rao");
    let yesterday = depart(&day, &["1", "--on", "yesterday"]);
    assert_eq!(yesterday, "1: Asha Rao left on 2024-02-27\n");
    day.opens_not(ASHA, "left");
    refused(
        &day.run(&["depart", "1", "--on", "2024-01-31"]),
        3,
        "Asha Rao (1) joined on 2024-02-01: the last day cannot be 2024-01-31, before that",
    );
    let list = day.ok(&["list"]);
    assert!(
        list.ends_with("\n\n1 more left; --all shows them too\n"),
        "{list}"
    );
    assert!(!list.contains("Asha"), "{list}");
    let all = day.ok(&["list", "--all"]);
    assert!(
        all.contains("1  Asha Rao            2024-02-01  left\n"),
        "{all}"
    );

    // The badge is free for somebody else, and then the departure cannot be undone.
    let add = ["add", "Zoë", "--twinklet", "7", "--joined"];
    let too_early = day.run(&[&add[..], &["2024-02-27"]].concat());
    refused(&too_early, 3, "twinklet 7 belongs to Asha Rao (1)");
    day.ok(&[&add[..], &["2024-02-28"]].concat());
    day.opens_for(ASHA, "Zoë");
    refused(
        &day.run(&["depart", "1", "--undo"]),
        3,
        "twinklet 7 belongs to Zoë (3) since 2024-02-28",
    );
    depart(&day, &["3", "--on", "2024-03-01"]);
    assert_eq!(depart(&day, &["3", "--undo"]), "3: Zoë stays\n");
    assert_eq!(depart(&day, &["3", "--undo"]), "3: Zoë had no last day\n");
}

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
    let wrong = day.run(&["edit", "1", "--hours", "mon 8-20"]);
    refused(
        &wrong,
        2,
        "'8-20' are no hours from 00:00 to 24:00; write hours as",
    );
}

#[test]
fn a_dry_run_says_everything_and_changes_nothing() {
    let mut day = Day::new();
    let before = day.site.count("SELECT count(*) FROM audit");
    for args in [
        &["lost", "1"][..],
        &["depart", "1", "--on", "yesterday"],
        &["replace", "1", "--with", "12"],
        &["ungrant", "1", "--all"],
        &["edit", "1", "--name", "Zoë", "--hours", "sun 01:00-02:00"],
        &["add", "Zoë", "--twinklet", "12"],
    ] {
        let dry = [args, &["--dry-run"]].concat();
        let said = day.ok(&dry);
        let (said, last) = said.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(last, "Nothing was changed: this was a dry run.");
        assert!(said.contains("Asha Rao") || said.contains("Zoë"), "{said}");
    }
    refused(
        &day.run(&["add", "Zoë", "--twinklet", "7", "--dry-run"]),
        3,
        "belongs to",
    );
    day.opens_for(ASHA, "Asha Rao");
    assert_eq!(day.site.count("SELECT count(*) FROM audit"), before);
    assert_eq!(day.site.count("SELECT count(*) FROM employee"), 2);
}

#[test]
fn the_history_says_who_changed_what_when() {
    let day = Day::new();
    day.ok(&[
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--department",
        "Optics",
        "--by",
        "Meera",
    ]);
    day.ok(&["lost", "1"]);
    day.ok(&["replace", "1", "--with", "12"]);
    day.ok(&["ungrant", "1", "--all"]);
    let history = day.ok(&["history", "1", "--format", "csv"]);
    let rows: Vec<_> = history.lines().collect();
    assert_eq!(rows[0], "time,who,action,change");
    assert!(
        rows[1].contains(",add,joined 2024-02-01; name Asha Rao; twinklet 7"),
        "{history}"
    );
    assert!(
        rows[2].starts_with("2024-02-28T12:00:00+00:00,Meera (as "),
        "{history}"
    );
    assert!(
        rows[2].ends_with("),edit,department Optics; name Asha Rao -> Asha Menon"),
        "{history}"
    );
    let ends: Vec<_> = rows[3..]
        .iter()
        .map(|row| row.splitn(3, ',').nth(2).unwrap())
        .collect();
    assert_eq!(
        ends,
        [
            "lost,twinklet 7 -> -",
            "replace,twinklet 7 -> 12",
            "ungrant,doors every -> none"
        ]
    );
    assert_eq!(day.ok(&["history", "1"]).lines().count(), 2 + 5);
}

#[test]
fn an_erased_name_is_nowhere_and_the_days_stay() {
    let mut day = Day::new();
    day.opens_for(ASHA, "Asha Rao");
    day.ok(&[
        "edit",
        "1",
        "--name",
        "Asha Menon",
        "--department",
        "Quantum",
    ]);
    let erase = ["erase", "1", "--reason", "Asha Rao asked for it"];
    day.ok(&["mark", "1", "today", "HD", "--reason", "asha menon was ill"]);
    let closed = day.site.run(&["report", "--month", "2024-02", "--close"]);
    assert_eq!(closed.code, Some(0), "{closed:?}");
    let here = day.run(&erase);
    refused(
        &here,
        3,
        "Asha Menon (1) has not left; 'twinkle employee depart 1' comes first",
    );
    day.ok(&["depart", "1", "--on", "yesterday"]);
    refused(&day.run(&["erase", "1"]), 2, "--reason");
    let dry = day.ok(&[&erase[..], &["--dry-run"]].concat());
    assert!(
        dry.ends_with("Nothing was changed: this was a dry run.\n"),
        "{dry}"
    );
    assert_eq!(
        day.site
            .count("SELECT count(*) FROM employee WHERE name = 'Asha Menon'"),
        1
    );
    let said = day.ok(&erase);
    assert!(
        said.starts_with("1 is 'erased 1' from now on; days and totals stay."),
        "{said}"
    );
    assert_eq!(
        day.site
            .count("SELECT count(*) FROM attendance WHERE employee = 1"),
        1
    );
    let history = day.ok(&["history", "1", "--format", "csv"]);
    assert!(
        history.contains(",erase,erased 1 asked for it"),
        "{history}"
    );
    let events = day.site.ok(&["report", "events"]);
    assert!(events.contains("erased 1"), "{events}");

    // Not in what is left of it in the files either.
    drop(day.door);
    drop(day.central);
    for file in std::fs::read_dir(day.site.folder.path()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        for name in ["asha", "menon", "quantum"] {
            let found = bytes
                .windows(name.len())
                .any(|window| window.eq_ignore_ascii_case(name.as_bytes()));
            assert!(!found, "{name} is in {}", file.display());
        }
    }
}
