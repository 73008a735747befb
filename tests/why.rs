//! What `report why` says, and that it says what a flash then gets.

#![allow(clippy::unwrap_used, reason = "a failing step fails its test")]

mod common;

use common::{ASHA, Client, NOBODY, RAVI, Site};

fn why(site: &Site, question: &[&str]) -> String {
    site.ok(&[&["report", "why"], question].concat())
}

fn says(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text:?} is not in\n{page}");
    }
}

#[test]
fn what_is_said_of_a_flash_is_what_a_flash_then_gets() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    let mut check = |args: &[&str], verdict: &str, advice: &str| {
        if !args.is_empty() {
            site.ok(&[&["employee"], args].concat());
        }
        let page = why(&site, &["1", "--door", "lab"]);
        let found = page.split("A flash now would find").nth(1).unwrap();
        let row = found.lines().find(|line| line.contains(" lab ")).unwrap();
        assert!(row.contains(&format!("  {verdict} ")), "{verdict}: {page}");
        says(&page, &[advice]);
        assert_eq!(door.flash(ASHA).verdict, verdict);
    };
    check(&[], "open", "nothing speaks against it");
    check(&["suspend", "1"], "suspended", "twinkle employee resume 1");
    check(&["resume", "1"], "open", "nothing speaks against it");
    check(
        &["ungrant", "1", "--all"],
        "not-this-door",
        "twinkle employee grant 1 'lab'",
    );
    check(&["grant", "1", "lab"], "open", "nothing speaks against it");
    let never = ["edit", "1", "--hours", "mon 00:00-00:01"];
    check(&never, "outside-hours", "twinkle employee edit 1 --hours");
}

#[test]
fn a_door_that_is_away_is_what_is_wrong_with_it() {
    let site = Site::seeded();
    let (mut central, relay) = site.central_and_relay();
    let mut door = Client::door(relay.address(), "lab");
    door.flash(RAVI);
    door.flash(NOBODY);
    let page = why(&site, &["lab"]);
    says(
        &page,
        &[
            "Central  runs",
            "2 that day: 1 suspended, 1 unknown-twinklet",
            "suspended: to let them in again: twinkle employee resume 2",
        ],
    );
    central.kill_9();
    says(
        &why(&site, &["lab"]),
        &["does not run: no door opens", "start the central"],
    );
}

#[test]
fn questions_that_mean_nothing_or_two_things_say_so() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    drop(Client::door(central.address(), "Ravi"));
    for (question, code, text) in [
        (
            &["Asha"][..],
            3,
            "no employee and no door is called 'Asha'; did you mean 'Asha Rao'?",
        ),
        (
            &["Zebedee"],
            3,
            "'twinkle employee list' and 'twinkle report live' show all",
        ),
        (&["77"], 3, "no employee has number 77"),
        (
            &["Ravi"],
            2,
            "'Ravi' is a door and an employee; say --door 'Ravi', or the employee's number, 2",
        ),
        (&[], 2, "required"),
        (&["1", "--at", "noon"], 2, "write a time as 08:05"),
        (
            &["1", "--at", "08:05", "--on", "today"],
            2,
            "cannot be used with",
        ),
    ] {
        let ended = site.run(&[&["report", "why"], question].concat());
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(text), "{ended:?}");
    }
    says(&why(&site, &["2"]), &["Ravi (2) on "]);
    says(&why(&site, &["--door", "Ravi"]), &["Door Ravi on "]);
}

#[test]
fn an_alarm_at_a_door_is_something_to_look_after() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    let forced = "door-forced: go and see; that it is over was not reported";
    for kind in ["door-forced", "door-held", "door-held-over"] {
        door.report(&door.new_happened(kind));
    }
    let page = why(&site, &["lab"]);
    says(
        &page,
        &[
            "3 that day: 1 door-forced, 1 door-held, 1 door-held-over",
            forced,
            "door-held: it is over; find out how it came about",
        ],
    );
    door.report(&door.new_happened("door-forced-over"));
    let page = why(&site, &["lab"]);
    assert!(!page.contains(forced), "{page}");
    says(&page, &["door-forced: it is over"]);
}
