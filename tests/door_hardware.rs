//! A door's hardware, as far as a machine without any shows it: what `--check` finds, signals,
//! clocks. With a GPIO chip, tests/vm shows the rest.

#![allow(clippy::unwrap_used, reason = "a failing step fails its test")]

mod common;

use std::process::Command;

use common::{ASHA, Ended, Proc, SOON, Site, TestClock};

/// The line of a check that is about this.
fn line<'a>(check: &'a Ended, what: &str) -> &'a str {
    let mut lines = check.stdout.lines();
    let found = lines.find(|line| line.get(6..).is_some_and(|rest| rest.starts_with(what)));
    found.unwrap_or_else(|| panic!("nothing about {what}: {check:?}"))
}

#[test]
fn a_check_says_of_each_part_how_it_is_and_what_to_do() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let address = relay.address().to_string();
    let check = |args: &[&str]| {
        let fixed = ["door", "lab", "--check", "--relay", &address];
        site.run(&[&fixed[..], args].concat())
    };

    let all = check(&[]);
    assert_eq!((all.code, all.stderr.as_str()), (Some(0), ""), "{all:?}");
    assert!(line(&all, "lock").starts_with("warn  lock          simulated:"));
    assert!(
        all.stdout
            .contains("\n                    name the lock's line with --lock")
    );
    let answers = format!("ok    relay         'site' at {address} answers in ");
    assert!(line(&all, "relay").starts_with(&answers), "{all:?}");
    assert!(line(&all, "clock").contains("UTC"));
    assert!(!all.stdout.contains('\x1b'), "colours in a pipe");

    let none = check(&["--lock", "gpiochip999:3", "--contact", "gpiochip999:4"]);
    assert_eq!(none.code, Some(3), "{none:?}");
    let missing = "FAIL  lock          no GPIO chip is called 'gpiochip999'";
    assert_eq!(line(&none, "lock"), missing);
    assert!(line(&none, "contact").starts_with("FAIL"));
    assert!(none.stdout.ends_with("\n2 failures\n"), "{none:?}");

    let unplugged = check(&["--from", "serial:/dev/ttyNONE7"]);
    assert_eq!(unplugged.code, Some(4), "{unplugged:?}");
    let flashes = line(&unplugged, "flashes");
    assert!(flashes.starts_with("FAIL  flashes       the serial port /dev/ttyNONE7: No such file"));

    let away = format!("{}:1", site.host);
    let away = site.run(&["door", "lab", "--check", "--relay", &away]);
    assert_eq!(away.code, Some(4), "{away:?}");
    assert!(line(&away, "relay").starts_with("FAIL"));
    assert!(
        away.stdout.ends_with("\n1 failure, 1 warning\n"),
        "{away:?}"
    );
}

#[test]
fn a_wrong_clock_is_warned_of_and_decides_nothing() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    for (seconds, says) in [
        (-3_600, "s behind the relay's"),
        (7_200, "s ahead of the relay's"),
    ] {
        let clock = TestClock::off_by(site.folder.path(), seconds);
        let address = relay.address().to_string();
        let start = |args: &[&str]| {
            let mut command = site.command(&["door", "lab", "--relay", &address]);
            clock.give_to(command.args(args));
            command
        };
        let mut door = Proc::spawn(&mut start(&[]));
        door.stderr.wait_for(says);
        door.type_line(&ASHA.to_string());
        door.stdout.wait_for("unlocked for 5 s");
        door.signal("TERM");
        door.wait(SOON);
        let check = common::ended(&mut start(&["--check"]));
        assert!(line(&check, "clock").contains(says), "{check:?}");
    }
}

/// Twinkle with these arguments, started by another command.
fn started_by(mut starter: Command, site: &Site, args: &[&str]) -> Command {
    let twinkle = site.command(args);
    starter.arg(twinkle.get_program()).args(twinkle.get_args());
    starter.env_clear().current_dir(site.folder.path());
    for (name, value) in twinkle.get_envs() {
        starter.env(name, value.unwrap());
    }
    starter
}

#[test]
fn a_door_ends_locked_on_every_signal_that_would_end_it() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let relay = relay.address().to_string();
    let args = ["door", "lab", "--relay", &relay, "--open-for", "1h"];
    for signal in ["HUP", "INT", "QUIT", "TERM", "ALRM", "USR1", "USR2"] {
        // Also where these tests themselves were started to outlive a terminal.
        let mut hears = Command::new("env");
        hears.arg("--default-signal=HUP");
        let mut door = Proc::spawn(&mut started_by(hears, &site, &args));
        door.stderr.wait_for("connected to the relay");
        door.type_line(&ASHA.to_string());
        door.stdout.wait_for("unlocked for 3600 s");
        door.signal(signal);
        assert_eq!(door.wait(SOON).code(), Some(0), "SIG{signal}");
        let said = door.stdout.to_the_end();
        assert_eq!(said.last().unwrap(), "locked", "SIG{signal}");
    }
}

#[test]
fn a_door_that_was_started_to_outlive_its_terminal_does() {
    let site = Site::seeded();
    let (_central, relay) = site.central_and_relay();
    let relay = relay.address().to_string();
    let mut command = started_by(
        Command::new("nohup"),
        &site,
        &["door", "lab", "--relay", &relay],
    );
    let mut door = Proc::spawn(&mut command);
    door.stderr.wait_for("connected to the relay");
    door.signal("HUP");
    door.type_line(&ASHA.to_string());
    door.stdout.wait_for("unlocked for 5 s");
    door.signal("TERM");
    assert_eq!(door.wait(SOON).code(), Some(0));
}

#[test]
fn what_is_said_of_a_lock_that_is_not_there_is_refused() {
    let site = Site::new();
    for (args, code, says) in [
        (&["--active-low"][..], 2, "are about a real lock"),
        (&["--fail-safe"], 2, "are about a real lock"),
        (
            &["--lock", "GPIO17,upside-down"],
            2,
            "write a line as gpiochip0:17",
        ),
        (&["--contact", ","], 2, "write a line as gpiochip0:17"),
        (&["--pulse"], 2, "--check"),
        (&["--relock", "--check"], 2, "cannot be used with"),
        (
            &["--lock", "gpiochip999:1", "--relock"],
            3,
            "no GPIO chip is called",
        ),
        (&["--tamper", "gpiochip999:1"], 3, "no GPIO chip is called"),
    ] {
        let refused = site.run(&[&["door", "lab"], args].concat());
        assert_eq!(refused.code, Some(code), "{args:?}: {refused:?}");
        assert!(refused.stderr.contains(says), "{args:?}: {refused:?}");
    }
    let relocked = site.ok(&["door", "lab", "--relock"]);
    assert_eq!(relocked, "locked: a simulated lock: nothing is unlocked\n");
}
