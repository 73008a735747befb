//! Many employees at once: CSV files in and out.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fmt::Write;
use std::fs;
use std::time::Instant;

use common::{ASHA, Client, Ended, Site};

/// Imports a file of this text.
fn import(site: &Site, text: &str, flags: &[&str]) -> Ended {
    fs::write(site.folder.path().join("staff.csv"), text).unwrap();
    site.run(&[&["employee", "import", "staff.csv"], flags].concat())
}

/// Imports a file of this text, which must succeed.
fn ok(site: &Site, text: &str) -> String {
    let ended = import(site, text, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout
}

/// Fails unless the import was refused for exactly these lines, and changed nothing.
fn refused(site: &Site, text: &str, reasons: &[&str]) {
    let before = site.count("SELECT max(id) FROM audit");
    let ended = import(site, text, &[]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    let lines: Vec<_> = ended
        .stderr
        .lines()
        .filter(|l| l.starts_with("line "))
        .collect();
    assert_eq!(lines, reasons, "{ended:?}");
    let last = ended.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: nothing was imported: "),
        "{ended:?}"
    );
    assert_eq!(site.count("SELECT max(id) FROM audit"), before);
}

fn export(site: &Site) -> String {
    site.ok(&["employee", "export"])
}

const HEADER: &str =
    "number,name,twinklet,joined,left,department,hours,doors,suspended,off-register\r\n";

#[test]
fn a_file_adds_and_changes_and_says_what() {
    let site = Site::seeded();
    let said = ok(
        &site,
        "name;twinklet;joined;department\n\
         ASHA RAO;7;2024-02-01;Optics\nZoë Müller;9;2024-02-05;\nRavi;8;;\n",
    );
    assert_eq!(
        said,
        "edited 1: Asha Rao\n  department  - -> Optics\n\
         added 3: Zoë Müller, joined 2024-02-05, twinklet 9\n\
         1 added, 1 changed, 1 the same\n"
    );
    assert_eq!(
        export(&site),
        HEADER.to_owned()
            + "1,Asha Rao,7,2024-02-01,,Optics,,,,\r\n\
               2,Ravi,8,2024-02-01,,,,,yes,\r\n\
               3,Zoë Müller,9,2024-02-05,,,,,,\r\n"
    );
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(9).name.as_deref(), Some("Zoë Müller"));
    let change = "number,twinklet,doors,hours\n3,10,lab,\n1,7,none,\n";
    let dry = import(&site, change, &["--dry-run"]);
    assert_eq!(
        ok(&site, change) + "Nothing was changed: this was a dry run.\n",
        dry.stdout
    );
    assert_eq!(door.flash(9).verdict, "twinklet-revoked");
    assert_eq!(door.flash(10).verdict, "open");
    assert_eq!(door.flash(ASHA).verdict, "not-this-door");
    assert_eq!(ok(&site, change), "0 added, 0 changed, 2 the same\n");
}

#[test]
fn what_is_exported_comes_in_again_anywhere() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    drop(Client::door(central.address(), "lab"));
    let awkward = [
        "=HYPERLINK(\"x\")",
        "+1a",
        "@x",
        "'=a",
        "'t Hooft",
        "Rao, \"Asha\"",
        "نور 🤖",
        "Ó",
    ];
    for (name, id) in awkward.iter().zip(100..) {
        site.ok(&["employee", "add", name, "--twinklet", &id.to_string()]);
    }
    for args in [
        &[
            "edit",
            "1",
            "--hours",
            "mon-fri 08:00-20:00, sat 09:00-13:00",
            "--off-register",
        ][..],
        &["edit", "1", "--department=-Optics; \"new\""],
        &["grant", "1", "lab"],
        &["ungrant", "2", "--all"],
        &["lend", "1", "--twinklet", "90", "--until", "2099-01-01"],
        &["edit", "3", "--valid-from", "2099-01-01"],
        &["depart", "4", "--on", "2099-12-31"],
        // Of which the owner has the badge before and after.
        &[
            "lend",
            "2",
            "--twinklet",
            "7",
            "--from",
            "2098-01-01",
            "--until",
            "2098-01-31",
        ],
    ] {
        site.ok(&[&["employee"], args].concat());
    }
    let exported = export(&site);
    assert_eq!(ok(&site, &exported), "0 added, 0 changed, 10 the same\n");
    let semicolons = "\u{FEFF}".to_owned() + &exported;
    assert_eq!(ok(&site, &semicolons), "0 added, 0 changed, 10 the same\n");

    let other = Site::new();
    other.ok(&["central", "init"]);
    let central = other.central(0, &[]);
    drop(Client::door(central.address(), "lab"));
    let said = ok(&other, &exported);
    assert!(
        said.ends_with("10 added, 0 changed, 0 the same\n"),
        "{said}"
    );
    assert_eq!(export(&other), exported);
}

#[test]
fn one_bad_line_keeps_everything_out() {
    let site = Site::seeded();
    refused(
        &site,
        "number,name,twinklet,doors\n\
         ,Zoë,9,\n,,10,\n,Zoë 2,90,\n,Abel,11,labb\n77,,12,\n1,Asha,7,\n1,Asha,7,\n",
        &[
            "line 3: neither a number nor a name is given",
            "line 5: no door 'labb': none has ever connected",
            "line 6: no employee has number 77",
            "line 8: line 7 is about the same employee",
        ],
    );
    refused(
        &site,
        "number,name,twinklet\n,Zoë,9\n,Zoë 2,9\n,Abel,7\n1,Asha,7\n",
        &[
            &format!("line 3: twinklet 9 belongs to Zoë since {}", today(&site)),
            "line 4: twinklet 7 belongs to Asha since 2024-02-01",
        ],
    );
    let missing = site.run(&["employee", "import", "no-such.csv"]);
    assert_eq!(missing.code, Some(4), "{missing:?}");
    assert!(
        missing.stderr.contains("cannot read no-such.csv"),
        "{missing:?}"
    );
}

fn today(site: &Site) -> String {
    site.sql()
        .query_row("SELECT date('now')", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn whom_a_line_means_is_never_guessed() {
    let site = Site::seeded();
    site.ok(&[
        "employee",
        "add",
        "Ravi",
        "--twinklet",
        "9",
        "--joined",
        "2024-02-01",
    ]);
    let same = "the same\n";
    // By the badge, of two of that name.
    assert!(ok(&site, "name,twinklet\nRavi,9\nravi,8\n").contains("2 the same"));
    refused(
        &site,
        "name\nRavi\n",
        &[
            "line 2: 'Ravi' may be 2 or 3; write that into the column 'number', or 'new' for \
           somebody else of that name",
        ],
    );
    // Another badge for whoever there is, or another one of that name?
    refused(
        &site,
        "name,twinklet\nAsha Rao,70\n",
        &[
            "line 2: 'Asha Rao' may be 1; write that into the column 'number', or 'new' for \
           somebody else of that name",
        ],
    );
    assert!(
        ok(&site, "number,name,twinklet\nnew,Asha Rao,70\n")
            .ends_with("1 added, 0 changed, 0 the same\n")
    );
    assert!(ok(&site, "name,twinklet\nAsha Rao,70\n").ends_with(same));
    // A number that is nobody's becomes that person's.
    assert!(ok(&site, "number,name,twinklet\n500,Zoë,71\n").contains("added 500: Zoë"));
    refused(
        &site,
        "number,twinklet\n501,72\n",
        &["line 2: no employee has number 501"],
    );
    site.ok(&["employee", "add", "Next", "--twinklet", "73"]);
    assert_eq!(site.count("SELECT max(number) FROM employee"), 501);
}

#[test]
fn a_stale_file_does_not_bring_a_lost_badge_back() {
    let site = Site::seeded();
    let stale = export(&site);
    site.ok(&["employee", "lost", "1"]);
    refused(
        &site,
        &stale,
        &["line 2: twinklet 7 is lost; 'twinkle employee found --twinklet 7' takes that back"],
    );
    site.ok(&["employee", "replace", "1", "--with", "12"]);
    refused(
        &site,
        &stale,
        &["line 2: twinklet 7 was taken back from Asha Rao (1); \
           'twinkle employee replace 1 --with 7' gives it again"],
    );
    // Two may exchange their badges, and somebody else may have the one that was taken back.
    let said = ok(
        &site,
        "number,name,twinklet\n1,Asha Rao,8\n2,Ravi,12\n,Zoë,7\n",
    );
    assert!(said.ends_with("1 added, 2 changed, 0 the same\n"), "{said}");
}

#[test]
fn thousands_of_lines_hold_up_no_flash() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    let mut text = "name,twinklet,joined,department\n".to_owned();
    for number in 1..=10_000 {
        writeln!(
            text,
            "Person {number},{},2024-02-01,Department {}",
            number + 1000,
            number % 50
        )
        .unwrap();
    }
    fs::write(site.folder.path().join("staff.csv"), text).unwrap();
    let mut command = site.command(&["employee", "import", "staff.csv"]);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut import = command.spawn().unwrap();
    let mut flashes = 0;
    while import.try_wait().unwrap().is_none() {
        let asked = Instant::now();
        assert_eq!(door.flash(ASHA).verdict, "open", "after {flashes} flashes");
        assert!(asked.elapsed().as_millis() < 3_000, "{:?}", asked.elapsed());
        flashes += 1;
    }
    let output = import.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "10000 added, 0 changed, 0 the same\n");
    assert!(flashes > 10, "only {flashes} flashes were tried meanwhile");
    assert_eq!(door.flash(11_000).name.as_deref(), Some("Person 10000"));
}

#[test]
fn awkward_names_break_no_row_in_any_format() {
    let site = Site::new();
    site.ok(&["central", "init"]);
    let names = [
        "=HYPERLINK(\"http://x\",\"a\")",
        "+1a",
        "@x",
        "Rao, \"Asha\"",
        "نور الدين",
        "שרה",
        "Zoe\u{308}",
        "क्षि",
        "李小龍",
        "👩‍🔬 Ada",
        "O'Brien; DROP TABLE employee",
    ];
    let mut text = "name;twinklet;joined\n".to_owned();
    for (name, badge) in names.iter().zip(11..) {
        writeln!(text, "\"{}\";{badge};2024-02-01", name.replace('"', "\"\"")).unwrap();
    }
    text += "\"Two\nlines\";22;2024-02-01\n";
    ok(&site, &text);
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    for badge in 11..=22 {
        assert_eq!(door.flash(badge).verdict, "open");
    }
    // In a table every row is one line, and the columns after the name stand one below the other.
    for args in [
        &["employee", "list"][..],
        &["report", "events"],
        &["report", "--month"],
    ] {
        let table = site.ok(args);
        let rows = table
            .lines()
            .filter(|line| line.contains("2024-02-01") || line.contains("open"));
        let rows = rows.count();
        assert!(args[1] == "--month" || rows == 12, "{table}");
        assert!(
            table.contains("Two lines") && !table.contains('\u{FFFD}'),
            "{table}"
        );
    }
    let list = site.ok(&["employee", "list"]);
    let ends: Vec<_> = list
        .lines()
        .skip(2)
        .map(|line| {
            let before = line.split("  2024-02-01").next().unwrap();
            unicode_width::UnicodeWidthStr::width(before)
        })
        .collect();
    assert!(ends.iter().all(|&end| end == ends[0]), "{ends:?}\n{list}");
    // On a terminal a name from right to left does not turn the row around.
    let mut wide = site.command(&["employee", "list"]);
    let on_terminal = common::ended(wide.env("COLUMNS", "100")).stdout;
    assert!(
        on_terminal.contains("\u{2068}نور الدين\u{2069}"),
        "{on_terminal}"
    );
    // As CSV each row has its cells, and none is a formula.
    for args in [
        &["employee", "list"][..],
        &["report", "events"],
        &["report", "--month"],
    ] {
        let csv = site.ok(&[args, &["--format", "csv"]].concat());
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 12, "{csv}");
        let formula = |cell: &str| cell.starts_with(['=', '+', '-', '@']);
        assert!(!records.iter().flatten().any(formula), "{csv}");
        assert!(
            records.iter().flatten().any(|cell| cell == "Rao, \"Asha\""),
            "{csv}"
        );
    }
}
