//! The layout holds: who may import whom, where SQL and I/O may be, how long a file may get.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and the modules of ours that it may import. Data flows one way: from the hardware
/// and the wire down to the database, and out through rendering.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("author", &["domain"]),
    ("backoff", &[]),
    ("batches", &[]),
    (
        "cli",
        &[
            "config", "domain", "hw", "logging", "render", "version", "wire",
        ],
    ),
    ("clock", &["domain"]),
    ("console", &[]),
    ("config", &["domain", "hw", "wire"]),
    ("db", &["domain", "msgpack"]),
    ("domain", &[]),
    ("exit", &["config", "db", "hw", "site", "wire"]),
    ("hw", &["domain"]),
    ("ics", &["domain"]),
    ("logging", &["clock", "console"]),
    ("main", &["cli", "config", "exit", "logging", "roles"]),
    ("metrics", &["domain", "version", "wire"]),
    ("msgpack", &[]),
    ("render", &["domain"]),
    (
        "roles",
        &[
            "author", "batches", "cli", "clock", "config", "console", "db", "domain", "exit", "hw",
            "metrics", "render", "service", "shutdown", "site", "wire",
        ],
    ),
    ("service", &[]),
    ("shutdown", &["service"]),
    (
        "site",
        &["author", "cli", "clock", "config", "db", "domain", "ics"],
    ),
    ("version", &[]),
    ("wire", &["backoff", "clock", "domain", "msgpack"]),
];

/// The longest that a file may be.
const MAX_LINES: usize = 400;

/// A source file: its path below `src/`, and its code without comments.
struct Source {
    path: String,
    code: String,
    lines: usize,
}

impl Source {
    /// The module at the top that the file belongs to.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The paths that the code names after `crate::` or `twinkle::`, to so many segments.
    fn imports(&self, segments: usize) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for prefix in ["crate::", "twinkle::"] {
            for (at, _) in self.code.match_indices(prefix) {
                let rest = &self.code[at + prefix.len()..];
                if let Some(names) = rest.strip_prefix('{') {
                    let names = names.split('}').next().unwrap();
                    let firsts = names
                        .split(',')
                        .map(|n| n.trim().split("::").next().unwrap());
                    found.extend(firsts.filter(|name| !name.is_empty()).map(String::from));
                } else {
                    let path = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                    let path = path
                        .map(|path| path.split("::").take(segments))
                        .next()
                        .unwrap();
                    found.insert(path.collect::<Vec<_>>().join("::"));
                }
            }
        }
        found
    }
}

/// All source files but `lib.rs`, which only names the modules.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text
                    .lines()
                    .map(|line| line.split("//").next().unwrap())
                    .collect::<Vec<_>>();
                let path = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                sources.push(Source {
                    path,
                    code: code.join("\n"),
                    lines: text.lines().count(),
                });
            }
        }
    }
    sources.retain(|source| source.path != "lib.rs");
    assert!(sources.len() > 30, "only {} files found", sources.len());
    sources
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let mut checked = 0;
    for source in sources() {
        let module = source.module();
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
            panic!(
                "{}: the module '{module}' has no place in the layout yet",
                source.path
            );
        };
        for import in source.imports(1) {
            checked += 1;
            assert!(
                import == module || allowed.contains(&import.as_str()),
                "{}: '{module}' must not import '{import}'",
                source.path
            );
        }
    }
    assert!(checked > 100, "only {checked} imports were seen");
}

#[test]
fn no_role_imports_another() {
    let mut roles = BTreeSet::new();
    for source in sources()
        .iter()
        .filter(|source| source.path.starts_with("roles/"))
    {
        let role = source
            .path
            .trim_start_matches("roles/")
            .split(['/', '.'])
            .next()
            .unwrap();
        roles.insert(role.to_owned());
        for import in source
            .imports(2)
            .iter()
            .filter_map(|path| path.strip_prefix("roles::"))
        {
            assert_eq!(import, role, "{}: a role imports another", source.path);
        }
    }
    roles.remove("mod");
    assert_eq!(
        roles.into_iter().collect::<Vec<_>>(),
        ["central", "door", "employee", "relay", "report"]
    );
}

#[test]
fn crates_stay_where_they_belong() {
    /// What may be named only below these places.
    const PLACES: &[(&str, &[&str])] = &[
        ("rusqlite", &["db/"]),
        ("anyhow", &["roles/", "main.rs"]),
        ("comfy_table", &["render/"]),
        ("gpio_cdev", &["hw/gpio/"]),
        ("ratatui", &["roles/report/live/"]),
        ("clap", &["cli/", "main.rs", "render/mod.rs"]),
        ("prometheus_client", &["metrics/"]),
        ("icalendar", &["ics.rs"]),
        ("rrule::", &["ics.rs"]),
        ("plotters", &["render/delays.rs"]),
        ("rust_xlsxwriter", &["render/register/xlsx"]),
        ("Utc::now", &["clock.rs"]),
    ];
    let sources = sources();
    for (name, places) in PLACES {
        let users: Vec<_> = sources
            .iter()
            .filter(|source| source.code.contains(name))
            .collect();
        assert!(
            !users.is_empty(),
            "nobody uses {name}: is it still its name?"
        );
        for user in users {
            let may = places.iter().any(|place| user.path.starts_with(place));
            assert!(may, "{}: '{name}' belongs into {places:?}", user.path);
        }
    }
}

#[test]
fn the_domain_does_no_input_or_output() {
    let domain: Vec<_> = sources()
        .into_iter()
        .filter(|source| source.path.starts_with("domain/"))
        .collect();
    assert!(domain.len() >= 5);
    for source in domain {
        for word in [
            "std::fs",
            "std::io",
            "std::net",
            "std::env",
            "std::time",
            "tokio",
            "tracing",
        ] {
            assert!(
                !source.code.contains(word),
                "{}: the domain uses {word}",
                source.path
            );
        }
    }
}

#[test]
fn no_file_has_grown_too_long() {
    for source in sources() {
        assert!(
            source.lines <= MAX_LINES,
            "{} has {} lines",
            source.path,
            source.lines
        );
    }
}
