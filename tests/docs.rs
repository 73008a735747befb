//! What the documents say is so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::BytesMut;
use clap::Parser;
use clap::error::ErrorKind;
use common::{Proc, Site, TestClock};
use twinkle::cli::Cli;
use twinkle::config::Settings;
use twinkle::domain::access::Reason;
use twinkle::domain::attendance::sheet::Sheet;
use twinkle::domain::door_event::Kind;
use twinkle::wire::guard::Limits;
use twinkle::wire::{Message, codec};

fn document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The bytes of a hex block: the pairs at the beginning of each line, up to the explanation.
fn bytes_of(block: &str) -> Vec<u8> {
    let pairs = |line: &str| -> Vec<u8> {
        let hex = line.split("  ").next().unwrap();
        hex.split(' ')
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    };
    block.lines().flat_map(pairs).collect()
}

#[test]
fn the_protocols_worked_example_is_what_we_send() {
    let text = document("docs/protocol.md");
    let blocks: Vec<_> = text
        .split("```hex\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        let bytes = bytes_of(block);
        let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        assert!(block.contains(&format!("length {length}")), "{block}");
        assert_eq!(length, bytes.len() - 4);
        let message = codec::decode(&bytes[4..]).unwrap();
        let mut encoded = BytesMut::new();
        codec::encode(&message, &mut encoded).unwrap();
        assert_eq!(encoded, bytes, "{message:?}");
        let said = match message {
            Message::Hello(hello) => hello.name.to_string(),
            Message::Welcome(welcome) => welcome.time.to_string(),
            Message::Flash(flash) => flash.at.to_string(),
            Message::Verdict(answer) => answer.verdict.code().to_owned(),
            other => panic!("no explanation is known for {other:?}"),
        };
        assert!(block.contains(&said), "{said} in {block}");
    }
}

#[test]
fn the_protocol_lists_every_reason_with_its_meaning() {
    let text = document("docs/protocol.md");
    let known = Reason::ALL
        .iter()
        .filter(|&&reason| reason != Reason::Unrecognised);
    let known: Vec<_> = known
        .map(|r| format!("| `{}` | {} |", r.code(), r.meaning()))
        .collect();
    for row in &known {
        assert!(text.lines().any(|line| line == row), "missing: {row}");
    }
    assert!(known.len() > 15);
}

#[test]
fn the_protocol_lists_every_kind_of_door_event_with_its_meaning() {
    let text = document("docs/protocol.md");
    for kind in Kind::ALL {
        let alarm = if kind.is_alarm() { "yes" } else { "no" };
        let row = format!("| `{kind}` | {alarm} | {} |", kind.meaning());
        assert!(text.lines().any(|line| line == row), "missing: {row}");
    }
}

#[test]
fn the_example_configuration_names_every_key_and_is_the_default() {
    let site = Site::new();
    let text = document("examples/config/twinkle.toml");
    let written: Settings = toml::from_str(&text).unwrap();
    let calendar = written.calendar.unwrap();
    assert_eq!(calendar.weekly_off, Some("sunday".parse().unwrap()));
    assert_eq!(written.register, Sheet::default());
    assert_eq!(written.limits.limits(), Limits::default());
    // The keys that have no fixed default stand there as examples; where there is both, the example
    // is looked at.
    let example = |line: &str| -> Option<String> {
        let rest = line
            .strip_prefix('#')
            .filter(|rest| !rest.starts_with(' '))?;
        (rest.starts_with('[') || rest.contains(" = ")).then(|| rest.to_owned())
    };
    let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned());
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let example = example(line);
        if let Some(example) = &example
            && key(example).is_some()
            && lines.last().and_then(|last| key(last)) == key(example)
        {
            lines.pop();
        }
        lines.push(example.unwrap_or_else(|| line.to_owned()));
    }
    let uncommented = lines.join("\n");
    let all: toml::Table = uncommented.parse().unwrap();
    let keys = |table: &toml::Table| table.keys().cloned().collect::<BTreeSet<_>>();
    // An unknown key's error names the known ones.
    for (section, present) in [
        ("", keys(&all)),
        ("[calendar]\n", keys(all["calendar"].as_table().unwrap())),
        ("[register]\n", keys(all["register"].as_table().unwrap())),
        (
            "[register.words]\n",
            keys(all["register"]["words"].as_table().unwrap()),
        ),
        (
            "[calendar.departments.x]\n",
            keys(
                all["calendar"]["departments"]["security"]
                    .as_table()
                    .unwrap(),
            ),
        ),
        ("[central]\n", keys(all["central"].as_table().unwrap())),
        ("[relay]\n", {
            let mut keys = keys(all["relay"].as_table().unwrap());
            keys.insert("accept_plain".to_owned());
            keys
        }),
        ("[door]\n", keys(all["door"].as_table().unwrap())),
        (
            "[door.inputs]\n",
            keys(all["door"]["inputs"].as_table().unwrap()),
        ),
        (
            "[door.outputs]\n",
            keys(all["door"]["outputs"].as_table().unwrap()),
        ),
        ("[limits]\n", keys(all["limits"].as_table().unwrap())),
    ] {
        let error = toml::from_str::<Settings>(&format!("{section}nonsense = 1")).unwrap_err();
        let message = error.message().to_owned();
        let known = message.split("expected one of ").nth(1).unwrap();
        let known: BTreeSet<_> = known
            .split(", ")
            .map(|key| key.trim_matches('`').to_owned())
            .collect();
        assert_eq!(present, known, "{section}");
    }
    fs::write(site.folder.path().join("twinkle.toml"), text).unwrap();
    let list = site.run(&["--config", "twinkle.toml", "central", "init"]);
    assert_eq!(list.code, Some(0), "{list:?}");
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let sources = fs::read_dir(tests)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap());
    let sources: String = sources.collect();
    let page = document("docs/security.md");
    let is_name = |word: &&str| {
        word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let named: BTreeSet<_> = page.split('`').filter(is_name).collect();
    for name in &named {
        assert!(sources.contains(&format!("fn {name}(")), "{name}");
    }
    assert!(named.len() > 15, "{named:?}");
}

/// The commands of a page's shell blocks, one a line, without what comes after them.
fn commands(page: &str) -> Vec<Vec<String>> {
    let text = document(page);
    let blocks = text.split("\n```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("\n```").next().unwrap());
    let mut found = Vec::new();
    for line in blocks.flat_map(str::lines) {
        // Only what a shell would hand on: up to a comment, a pipe or a file.
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.trim_end_matches('\\').chars() {
            match (quote, c) {
                (Some(q), _) if q == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '|') => {
                    found.push(std::mem::take(&mut words));
                    words.push(String::new());
                }
                (None, '#' | '>') if words.last().unwrap().is_empty() => break,
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        found.push(words);
    }
    // A remote shell's, and another user's, are ours too; not what only mentions the program.
    let ours = |words: Vec<String>| {
        let words: Vec<_> = words
            .iter()
            .flat_map(|word| split_if_remote(word))
            .collect();
        // In 'sudo -u twinkle twinkle', the first is the user.
        let is_user = |at: usize| at > 0 && words[at - 1] == "-u";
        let at = (0..words.len()).find(|&at| words[at] == "twinkle" && !is_user(at))?;
        let hands_on = ["ssh", "-t", "hub.example", "sudo", "-u", "twinkle"];
        let plain = words[..at]
            .iter()
            .all(|word| hands_on.contains(&word.as_str()));
        plain.then(|| words[at..].to_vec())
    };
    found.into_iter().filter_map(ours).collect()
}

/// The words of a command that stands in quotes because another shell reads it.
fn split_if_remote(word: &str) -> Vec<String> {
    match word.starts_with("sudo -u twinkle twinkle ") {
        true => word
            .split('\'')
            .enumerate()
            .flat_map(|(n, part)| match n % 2 {
                1 => vec![part.to_owned()],
                _ => part.split_whitespace().map(str::to_owned).collect(),
            })
            .collect(),
        false => vec![word.to_owned()],
    }
}

#[test]
fn every_command_in_the_documents_is_one() {
    let mut checked = 0;
    for page in [
        "README.md",
        "docs/operations.md",
        "docs/hardware.md",
        "docs/building.md",
        "docs/security.md",
        "examples/ssh-tunnel.md",
    ] {
        for command in commands(page) {
            checked += 1;
            if let Err(wrong) = Cli::try_parse_from(&command) {
                let help = wrong.kind() == ErrorKind::DisplayVersion;
                assert!(help, "{page}: {command:?}: {wrong}");
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn the_guide_to_a_first_site_works_as_it_stands() {
    let site = Site::new();
    let clock = TestClock::standing_at(site.folder.path(), "2026-11-02T09:00:00Z");
    let page = document("docs/operations.md");
    let mut ran = 0;
    let mut central = None;
    for command in commands("docs/operations.md") {
        let args: Vec<_> = command[1..].iter().map(String::as_str).collect();
        match args[..] {
            // What comes after the guide's chapters needs machines of its own.
            ["central", "backup", file, ..] if file.starts_with("/tmp") => break,
            ["central" | "relay", flag, ..] if flag.starts_with("--") => continue,
            ["relay", ..] | ["central", "restore" | "backup" | "retire", ..] => continue,
            ["central", "devices"] if central.is_none() => {
                let listen = format!("{}:0", site.host);
                let mut serve = site.command(&["central", "--listen", &listen]);
                clock.give_to(&mut serve);
                central = Some(Proc::server(&mut serve));
            }
            ["report", "--month", "last"] => clock.stand_at("2026-12-01T09:00:00Z"),
            _ => (),
        }
        ran += 1;
        let mut command = site.command(&args);
        clock.give_to(&mut command);
        let ended = common::ended(&mut command);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
    }
    assert!(ran >= 12 && page.contains("## The first site"), "{ran}");
    for file in [
        "north.identity",
        "lab.identity",
        "front.identity",
        "november.xlsx",
    ] {
        assert!(site.folder.path().join(file).exists(), "{file}");
    }
}

#[test]
fn what_the_page_of_operations_says_of_copies_works_as_it_stands() {
    let site = Site::new();
    assert_eq!(site.run(&["central", "init"]).code, Some(0));
    let lab = ["central", "enroll", "lab", "--role", "door"];
    assert_eq!(site.run(&lab).code, Some(0));
    let here = |word: &str| match word.rsplit_once('/') {
        Some((folder, file)) if word.starts_with('/') => {
            let folder = site.folder.path().join(folder.trim_start_matches('/'));
            std::fs::create_dir_all(&folder).unwrap();
            folder.join(file).to_str().unwrap().to_owned()
        }
        _ => word.to_owned(),
    };
    let mut ran = Vec::new();
    for command in commands("docs/operations.md") {
        let (what, file) = match &command[1..] {
            [role, what, file, ..] if role == "central" => (what.clone(), file),
            _ => continue,
        };
        if !["backup", "archive", "restore"].contains(&what.as_str()) {
            continue;
        }
        let args: Vec<_> = command[1..].iter().map(|word| here(word)).collect();
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let mut twinkle = site.command(&args);
        match what.as_str() {
            // Where no database is: on another machine, or after the old one was put aside.
            "restore" => drop(twinkle.env("TWINKLE_DB", here("/new/machine/twinkle.db"))),
            // A copy is never written over; that of before is not what this one is to be.
            "backup" => drop(std::fs::remove_file(here(file))),
            _ => (),
        }
        let ended = common::ended(&mut twinkle);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ran.push(what);
    }
    let all = [
        "backup", "restore", "backup", "backup", "restore", "archive",
    ];
    assert_eq!(ran, all);
}

#[test]
fn the_page_of_operations_explains_every_error_that_is_logged() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let page = document("docs/operations.md");
    let mut folders = vec![source];
    let (mut seen, mut missing) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let rest = text.split("error!(").skip(1);
            let logged = rest.filter_map(|rest| rest.trim_start().strip_prefix('"'));
            for line in logged.map(|rest| rest.split('"').next().unwrap()) {
                // The longest piece that is always the same.
                let pieces = line.split(['{', '}', '\\']);
                let pieces = pieces.map(|piece| piece.trim_matches([' ', ';', ',', ':']));
                let longest = pieces.max_by_key(|piece| piece.len()).unwrap();
                let words: Vec<_> = longest.split_whitespace().take(4).collect();
                if words.len() < 2 {
                    continue;
                }
                seen += 1;
                let begins = words.join(" ");
                let begins = begins.trim_end_matches([';', ',', ':']);
                if !page.contains(begins) {
                    missing.push(format!("{}: '{begins}'", path.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(seen > 12, "{seen}");
}
