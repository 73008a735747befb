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
