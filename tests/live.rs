//! The live view: in a terminal, and line by line where there is none.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::process::Command;
use std::time::Duration;

use common::pty::Pty;
use common::{ASHA, Client, NOBODY, Proc, RAVI, SOON, Site, wait_until};
use twinkle::roles::report::live::screen::Screen;
use vt100::Color;

/// What is promised is a second; a busy machine may take a little longer to start threads.
const AT_ONCE: Duration = Duration::from_secs(2);

fn view(site: &Site, rows: u16, columns: u16) -> Pty {
    let view = Pty::spawn(&site.command(&["report", "live"]), rows, columns);
    view.wait_for("q quit");
    view
}

#[test]
fn arrivals_appear_within_a_second_with_who_is_missing_and_how_doors_stand() {
    let site = Site::seeded();
    // On a weekly off nobody is missing.
    site.ok(&["central", "init", "--weekly-off", "none"]);
    let (central, relay) = site.central_and_relay();
    let view = view(&site, 30, 100);
    view.wait_for("central runs");
    view.wait_for("missing (2)");
    let mut door = Client::door(relay.address(), "lab");
    door.flash(ASHA);
    view.wait_for_within(AT_ONCE, "twinklet 7: open, Asha Rao (1)");
    view.wait_for("1 of 2 there");
    view.wait_for("missing (1)");
    door.flash(RAVI);
    door.flash(NOBODY);
    view.wait_for_within(AT_ONCE, "twinklet 99: unknown-twinklet");
    view.wait_for("twinklet 8: suspended, Ravi (2)");
    view.wait_for("lab at site  connected since");
    drop(central);
    view.wait_for("the central does not run: no door opens");
    view.wait_for("lab at site  last heard");
}

#[test]
fn what_somebody_should_look_at_stands_out_among_what_happens_at_doors() {
    const RED: Color = Color::Idx(1);
    const GREEN: Color = Color::Idx(2);
    const YELLOW: Color = Color::Idx(3);
    let site = Site::seeded();
    let central = site.central(0, &["--travel-time", "10m"]);
    let lines = Proc::spawn(&mut site.command(&["report", "live"]));
    lines.stderr.wait_for("database ");
    let view = view(&site, 30, 120);
    let mut gate = Client::door(central.address(), "gate");
    let mut lab = Client::door(central.address(), "lab");
    gate.flash(ASHA);
    gate.flash(NOBODY);
    lab.flash(ASHA);
    for kind in ["exit-button", "door-forced", "battery-low"] {
        lab.report(&lab.new_happened(kind));
        view.wait_for_within(AT_ONCE, &format!("lab  {kind}"));
        lines.stdout.wait_for(&format!("lab  {kind}"));
    }
    lines.stdout.wait_for("s after gate, Asha Rao (1)");
    for (text, look) in [
        ("twinklet 7: open, Asha", (GREEN, false, false)),
        ("twinklet 99: unknown-twinklet", (RED, false, false)),
        // Sooner than anybody goes.
        ("s after gate, Asha Rao (1)", (YELLOW, true, false)),
        ("door-forced", (YELLOW, true, false)),
        ("exit-button", (Color::Default, false, true)),
        ("battery-low", (Color::Default, false, true)),
    ] {
        assert_eq!(view.look_of(text), look, "{text}");
    }
}

#[test]
fn tab_shows_the_register_filling_up_and_back() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut view = view(&site, 30, 130);
    view.press("\t");
    view.wait_for("Register of ");
    view.wait_for("Asha Rao");
    let marks = |view: &Pty| {
        let screen = view.screen();
        let line = screen
            .lines()
            .find(|line| line.contains("Asha Rao"))
            .unwrap()
            .to_owned();
        line.matches('P').count()
    };
    assert_eq!(marks(&view), 0);
    Client::door(central.address(), "lab").flash(ASHA);
    wait_until(SOON, "a P on the register", || marks(&view) == 1);
    view.press("\t");
    view.wait_for("Arrivals, newest first");
}

#[test]
fn the_view_fits_the_terminal_whenever_that_changes() {
    let site = Site::seeded();
    let view = view(&site, 30, 100);
    for (rows, columns) in [(12, 40), (3, 10), (50, 200), (24, 80)] {
        view.resize(rows, columns);
        wait_until(
            SOON,
            &format!("the keys in the last of {rows} lines"),
            || {
                let screen = view.screen();
                let lines: Vec<_> = screen.lines().collect();
                let last = lines.get(usize::from(rows) - 1);
                last.is_some_and(|line| line.contains("q quit"))
            },
        );
    }
}

#[test]
fn q_control_c_and_a_signal_give_the_terminal_back() {
    let site = Site::seeded();
    for key in ["q", "\x03"] {
        let mut view = view(&site, 24, 80);
        view.press(key);
        assert_eq!(
            view.ends_with_the_terminal_as_it_was().code(),
            Some(0),
            "{key:?}"
        );
    }
}

#[test]
fn a_panic_gives_the_terminal_back_too() {
    let mut panicking = Command::new(std::env::current_exe().unwrap());
    panicking.args(["--exact", "a_view_that_panics", "--ignored", "--nocapture"]);
    let mut view = Pty::spawn(&panicking, 24, 80);
    let ended = view.ends_with_the_terminal_as_it_was();
    assert_eq!(ended.code(), Some(101));
    wait_until(SOON, "what the panic says", || {
        view.has_printed("on purpose")
    });
}

#[test]
#[ignore = "runs in the terminal of a_panic_gives_the_terminal_back_too"]
fn a_view_that_panics() {
    let mut screen = Screen::open().unwrap();
    screen.draw(|_| panic!("on purpose")).unwrap();
}

#[test]
fn without_a_terminal_each_event_is_one_line_at_once() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    door.flash(NOBODY);
    let mut live = Proc::spawn(&mut site.command(&["report", "live"]));
    live.stderr.wait_for("database ");
    wait_until(SOON, "a line for a flash", || {
        door.flash(ASHA);
        live.stdout.count("lab  twinklet 7: open, Asha Rao (1)") > 0
    });
    assert_eq!(
        live.stdout.count("twinklet 99"),
        0,
        "what was before is no arrival"
    );
    live.signal("TERM");
    assert_eq!(live.wait(SOON).code(), Some(0));
}
