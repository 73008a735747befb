//! What the commands print, each in a file to be read: the command, its exit code, standard output
//! and standard error, at a fixed time and place. Where a change is as it should be,
//! `INSTA_UPDATE=always cargo test --test snapshots` writes the files anew.

#![allow(clippy::unwrap_used, reason = "a failing step fails its test")]

mod common;

use std::fmt::Write;

use clap::CommandFactory;
use common::{ASHA, Client, Ended, NOBODY, Proc, RAVI, SOON, Site, TestClock};
use insta::{Settings, assert_snapshot};
use twinkle::cli::Cli;

/// Noon of a Thursday.
const NOON: &str = "2024-02-15T12:00:00Z";

/// A site at a fixed time.
struct Fixed {
    site: Site,
    clock: TestClock,
}

impl Fixed {
    /// Nothing is there yet.
    fn empty() -> Self {
        let site = Site::new();
        let clock = TestClock::standing_at(site.folder.path(), NOON);
        Self { site, clock }
    }

    /// Three people, one of whom is suspended, and their flashes of three days.
    fn seeded() -> Self {
        let fixed = Self::empty();
        fixed.clock.stand_at("2024-01-31T10:00:00Z");
        fixed.run(&["central", "init"]);
        for (name, id) in [("Asha Rao", ASHA), ("Ravi", RAVI), ("Zoë Müller", 9)] {
            let id = id.to_string();
            fixed.run(&[
                "employee",
                "add",
                name,
                "--twinklet",
                &id,
                "--joined",
                "2024-02-01",
            ]);
        }
        let listen = format!("{}:0", fixed.site.host);
        let mut command = fixed.site.command(&["central", "--listen", &listen]);
        fixed.clock.give_to(&mut command);
        let mut central = Proc::server(&mut command);
        let mut door = Client::door(central.address(), "lab");
        for (time, badges) in [
            ("2024-02-12T08:01:00Z", [ASHA, RAVI]),
            ("2024-02-13T08:02:00Z", [ASHA, 9]),
            ("2024-02-15T08:03:00Z", [RAVI, NOBODY]),
        ] {
            fixed.clock.stand_at(time);
            if badges == [RAVI, NOBODY] {
                fixed.run(&["employee", "suspend", "Ravi"]);
            }
            for badge in badges {
                door.flash(badge);
            }
        }
        drop(door);
        central.signal("TERM");
        central.wait(SOON);
        fixed.clock.stand_at(NOON);
        fixed
    }

    fn run(&self, args: &[&str]) -> Ended {
        let mut command = self.site.command(args);
        command.env("COLUMNS", "100").env("SUDO_USER", "clerk");
        self.clock.give_to(&mut command);
        common::ended(&mut command)
    }

    /// Compares what a command prints with the file of that name.
    fn shows(&self, name: &str, args: &[&str]) {
        let mut command = "$ twinkle".to_owned();
        for arg in args {
            match arg.contains([' ', '\'', '*']) || arg.is_empty() {
                true => write!(command, " '{arg}'").unwrap(),
                false => write!(command, " {arg}").unwrap(),
            }
        }
        let Ended {
            code,
            stdout,
            stderr,
        } = self.run(args);
        let code = code.unwrap();
        let text = format!(
            "{command}\nexit code {code}\n--- standard output\n{stdout}--- standard error\n{stderr}"
        );
        let folder = self.site.folder.path().to_str().unwrap();
        let text = text
            .replace(folder, "[FOLDER]")
            .replace(&self.site.host.to_string(), "[HOST]");
        let text = without_fingerprints(&text);
        let mut settings = Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| assert_snapshot!(name, text));
    }
}

/// Every command with those below it, as words.
fn commands(of: &clap::Command, before: &[String], all: &mut Vec<Vec<String>>) {
    all.push(before.to_vec());
    for command in of
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        let words = [before, &[command.get_name().to_owned()]].concat();
        commands(command, &words, all);
    }
}

fn all_commands() -> Vec<Vec<String>> {
    let mut all = Vec::new();
    commands(&Cli::command(), &[], &mut all);
    assert!(all.len() > 10, "{all:?}");
    all
}

#[test]
fn every_command_explains_itself() {
    let fixed = Fixed::empty();
    for words in all_commands() {
        let name = [&["help".to_owned()], &*words].concat().join("-");
        let args: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        fixed.shows(&name, &args);
    }
}

#[test]
fn help_has_a_line_for_each_flag_examples_and_room_in_the_terminal() {
    let fixed = Fixed::empty();
    for words in all_commands() {
        let args: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let help = fixed.run(&args).stdout;
        // The line of its use cannot be broken.
        for line in help.lines().filter(|line| !line.starts_with("Usage:")) {
            assert!(line.chars().count() <= 100, "{words:?}: {line}");
        }
        assert!(help.contains("\nExamples:\n"), "{words:?} has no examples");
        // clap puts the text of a flag below it where the two do not fit on one line.
        let mut lines = help.lines().skip_while(|line| *line != "Options:").skip(1);
        let options: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        assert!(!options.is_empty(), "{words:?} has no options");
        for line in options {
            assert!(line.trim_start().starts_with('-'), "{words:?}: {line}");
        }
    }
}

/// The text with every fingerprint as one and the same.
fn without_fingerprints(text: &str) -> String {
    text.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| {
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_one = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            // The largest badge is as long.
            match is_one && digits != "9007199254740991" {
                true => word.replace(digits, "[FINGERPRINT]"),
                false => word.to_owned(),
            }
        })
        .collect()
}

#[test]
fn before_there_is_anything_each_command_says_what_to_do() {
    let fixed = Fixed::empty();
    fixed.shows("no-database", &["employee", "list"]);
    fixed.shows("central-init", &["central", "init"]);
    fixed.shows("central-init-again", &["central", "init"]);
    fixed.shows("employee-list-empty", &["employee", "list"]);
    fixed.shows("report-month-empty", &["report", "--month"]);
    fixed.shows("report-events-empty", &["report", "events"]);
    fixed.shows("report-why-nobody", &["report", "why", "Asha"]);
}

#[test]
fn an_office_adds_and_changes_employees() {
    let fixed = Fixed::seeded();
    fixed.shows(
        "employee-add",
        &["employee", "add", "नेहा शर्मा", "--twinklet", "10"],
    );
    fixed.shows(
        "employee-add-taken",
        &["employee", "add", "Second", "--twinklet", "7"],
    );
    fixed.shows("employee-list", &["employee", "list"]);
    fixed.shows(
        "employee-list-csv",
        &["employee", "list", "--format", "csv"],
    );
    fixed.shows("employee-resume", &["employee", "resume", "ravi"]);
    fixed.shows("employee-near", &["employee", "suspend", "asha"]);
    fixed.shows(
        "employee-edit",
        &["employee", "edit", "2", "--department", "Optics"],
    );
    fixed.shows(
        "employee-depart",
        &["employee", "depart", "3", "--on", "2024-02-29"],
    );
    fixed.shows("employee-lost", &["employee", "lost", "1"]);
    fixed.shows(
        "employee-replace",
        &["employee", "replace", "1", "--with", "12"],
    );
    fixed.shows("employee-grant", &["employee", "grant", "2", "lab"]);
    fixed.shows("employee-show", &["employee", "show", "1"]);
    fixed.shows("employee-history", &["employee", "history", "1"]);
}

#[test]
fn reports_show_what_was() {
    let fixed = Fixed::seeded();
    fixed.shows("report-month", &["report", "--month"]);
    fixed.shows(
        "report-month-csv",
        &["report", "--month", "2024-02", "--format", "csv"],
    );
    fixed.shows("report-events", &["report", "events"]);
    fixed.shows(
        "report-events-csv",
        &["report", "events", "--last", "2", "--format", "csv"],
    );
    fixed.shows(
        "report-events-json",
        &["report", "events", "--last", "2", "--format", "json"],
    );
    fixed.shows(
        "report-why-present",
        &["report", "why", "Asha Rao", "--on", "2024-02-13"],
    );
    fixed.shows(
        "report-why-absent",
        &["report", "why", "asha rao", "--on", "2024-02-14"],
    );
    fixed.shows(
        "report-why-refused",
        &["report", "why", "Ravi", "--at", "08:05"],
    );
    fixed.shows("report-why-now", &["report", "why", "1"]);
    fixed.shows("report-why-door", &["report", "why", "lab"]);
    fixed.shows("report-why-badge", &["report", "why", "--twinklet", "99"]);
    fixed.shows("report-why-unknown", &["report", "why", "asha"]);
}

#[test]
fn an_office_moves_lists_in_and_out() {
    let fixed = Fixed::seeded();
    let write = |name: &str, text: &str| {
        let file = fixed.site.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let good = write(
        "people.csv",
        "number;name;twinklet;department\n1;Asha Rao;7;Optics\n;\"Rao, \"\"Bob\"\"\";21;\n;=SUM(A1);22;Optics\n",
    );
    let bad = write(
        "bad.csv",
        "name,twinklet\nAsha,seven\n,8\nNeha,7\nNeha,99999999999999999999\n",
    );
    // What the log says comes before or after the bad lines, as the two are written apart.
    let quietly = ["employee", "import", &bad, "--log", "warn"];
    fixed.shows("employee-import-bad", &quietly);
    fixed.shows(
        "employee-import-dry",
        &["employee", "import", &good, "--dry-run"],
    );
    fixed.shows("employee-import", &["employee", "import", &good]);
    fixed.shows("employee-import-again", &["employee", "import", &good]);
    fixed.shows("employee-export", &["employee", "export"]);
}

#[test]
fn an_office_helps_people_and_forgets_them() {
    let fixed = Fixed::seeded();
    fixed.shows(
        "employee-lend",
        &["employee", "lend", "2", "--twinklet", "31"],
    );
    fixed.shows(
        "employee-lend-until",
        &[
            "employee",
            "lend",
            "2",
            "--twinklet",
            "31",
            "--until",
            "2024-02-17",
        ],
    );
    fixed.shows("employee-ungrant", &["employee", "ungrant", "1", "lab"]);
    fixed.shows("employee-grant-near", &["employee", "grant", "1", "lob"]);
    fixed.shows(
        "employee-mark",
        &[
            "employee",
            "mark",
            "1",
            "2024-02-14",
            "HD",
            "--reason",
            "left at noon",
        ],
    );
    fixed.shows(
        "employee-mark-without-reason",
        &["employee", "mark", "1", "2024-02-14", "P"],
    );
    fixed.shows(
        "employee-erase-here",
        &["employee", "erase", "3", "--reason", "asked for it"],
    );
    fixed.run(&["employee", "depart", "3", "--on", "2024-02-14"]);
    fixed.shows(
        "employee-erase",
        &["employee", "erase", "3", "--reason", "asked for it"],
    );
    fixed.shows(
        "report-from-to",
        &["report", "--from", "2024-02-12", "--to", "2024-02-16"],
    );
    fixed.shows(
        "report-employee-hours",
        &["report", "--month", "2024-02", "--employee", "1", "--hours"],
    );
    fixed.shows(
        "report-close-early",
        &["report", "--month", "2024-02", "--close"],
    );
    fixed.clock.stand_at("2024-03-01T09:00:00Z");
    fixed.shows("report-close", &["report", "--month", "2024-02", "--close"]);
    fixed.shows(
        "report-reopen",
        &[
            "report",
            "--month",
            "2024-02",
            "--reopen",
            "--reason",
            "one was forgotten",
        ],
    );
}

#[test]
fn a_site_knows_its_devices_and_days() {
    let fixed = Fixed::seeded();
    fixed.shows("central-calendar", &["central", "calendar"]);
    fixed.shows(
        "central-door",
        &["central", "door", "lab", "--direction", "out"],
    );
    fixed.shows("central-devices", &["central", "devices"]);
    fixed.shows(
        "central-devices-csv",
        &["central", "devices", "--format", "csv"],
    );
    fixed.shows(
        "central-enroll-relay",
        &["central", "enroll", "north", "--role", "relay"],
    );
    fixed.shows(
        "central-enroll-door",
        &[
            "central", "enroll", "gate", "--role", "door", "--relay", "north",
        ],
    );
    fixed.shows(
        "central-enroll-again",
        &["central", "enroll", "gate", "--role", "door"],
    );
    fixed.shows("central-rotate", &["central", "rotate", "gate"]);
    fixed.shows("central-disown", &["central", "disown", "gate"]);
    fixed.shows("central-disown-unknown", &["central", "disown", "gte"]);
}

#[test]
fn doors_and_relays_that_cannot_work_say_why() {
    let fixed = Fixed::empty();
    let nobody = format!("{}:9998", fixed.site.host);
    fixed.shows(
        "door-nobody-there",
        &["door", "lab", "--relay", &nobody, "--flash", "7"],
    );
    fixed.shows(
        "door-off-this-machine",
        &["door", "lab", "--relay", "192.0.2.1:9998", "--flash", "7"],
    );
    fixed.shows("door-no-badge", &["door", "lab", "--flash", "0"]);
    fixed.shows(
        "relay-without-identity-file",
        &["relay", "--identity", "no-such.identity"],
    );
    fixed.shows(
        "relay-off-this-machine",
        &["relay", "--listen", "0.0.0.0:0"],
    );
}
