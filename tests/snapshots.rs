//! What the commands print, each in a file to be read: the command, its exit code, standard output
//! and standard error, at a fixed time and place. Where a change is as it should be,
//! `INSTA_UPDATE=always cargo test --test snapshots --test help` writes the files anew.

#![allow(clippy::unwrap_used, reason = "a failing step fails its test")]

mod common;

use common::Fixed;

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
