//! What 'make install' puts where, and that systemd finds nothing to complain about in it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failing step fails its test"
)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Site, ended};

/// What 'make install' writes the manual pages with.
#[allow(dead_code, reason = "here it is no program of its own")]
#[path = "../examples/package_files.rs"]
mod package_files;

/// What says which commit a program was built from.
#[allow(dead_code, reason = "here it is no program of its own")]
#[path = "../build.rs"]
mod build;

/// A machine's files, below a folder.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    /// One on which twinkle was installed, with this prefix, below this `DESTDIR`.
    fn installed(destdir: bool) -> Self {
        let machine = Self {
            root: tempfile::tempdir().unwrap(),
        };
        package_files::write(&machine.path("package")).unwrap();
        machine.make("install-files", destdir);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn make(&self, target: &str, destdir: bool) {
        let root = self.root.path().display();
        let mut make = Command::new("make");
        make.current_dir(env!("CARGO_MANIFEST_DIR"))
            .arg(target)
            .arg(format!("BINARY={}", env!("CARGO_BIN_EXE_twinkle")))
            .arg(format!("PACKAGE={root}/package"));
        match destdir {
            true => make.args([&format!("DESTDIR={root}"), "PREFIX=/usr"]),
            false => make.args([
                format!("PREFIX={root}/usr"),
                format!("SYSCONFDIR={root}/etc"),
            ]),
        };
        let made = ended(&mut make);
        assert_eq!(made.code, Some(0), "{made:?}");
    }

    /// The units in it, with their texts.
    fn units(&self) -> Vec<(PathBuf, String)> {
        let folder = self.path("usr/lib/systemd/system");
        let paths = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let units: Vec<_> = paths
            .map(|path| {
                let text = fs::read_to_string(&path).unwrap();
                (path, text)
            })
            .collect();
        assert!(units.len() >= 7);
        units
    }

    /// How many files there are below this path.
    fn files(&self, below: &str) -> usize {
        fn count(path: &Path) -> usize {
            let entries = fs::read_dir(path).into_iter().flatten();
            let paths = entries.map(|entry| entry.unwrap().path());
            paths
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.path(below))
    }
}

#[test]
fn an_installation_is_whole_and_leaves_the_administrators_settings_alone() {
    let machine = Machine::installed(true);
    for file in [
        "usr/bin/twinkle",
        "usr/share/man/man1/twinkle.1",
        "usr/share/man/man1/twinkle-door.1",
        "usr/share/man/man1/twinkle-employee-add.1",
        "usr/share/bash-completion/completions/twinkle",
        "usr/share/zsh/site-functions/_twinkle",
        "usr/share/fish/vendor_completions.d/twinkle.fish",
        "usr/lib/systemd/system/twinkle-door@.service",
        "usr/lib/udev/rules.d/60-twinkle.rules",
        "usr/lib/sysusers.d/twinkle.conf",
        "usr/share/doc/twinkle/README.md",
        "usr/share/doc/twinkle/examples/twinkle.toml",
        "etc/twinkle/twinkle.toml",
    ] {
        let found = fs::metadata(machine.path(file)).unwrap_or_else(|_| panic!("no {file}"));
        assert!(found.len() > 0, "{file}");
        let mode = if file.contains("/bin/") { 0o755 } else { 0o644 };
        assert_eq!(found.permissions().mode() & 0o777, mode, "{file}");
    }
    let settings = machine.path("etc/twinkle/twinkle.toml");
    let site = Site::new();
    let mut named = site.command(&["--config", settings.to_str().unwrap(), "employee", "list"]);
    let ended = ended(named.env_remove("TWINKLE_DB"));
    assert!(
        ended.stderr.contains("/var/lib/twinkle/twinkle.db"),
        "{ended:?}"
    );
    fs::write(&settings, "# mine\n").unwrap();
    machine.make("install-files", true);
    machine.make("uninstall", true);
    assert_eq!(machine.files("usr"), 0);
    assert_eq!(fs::read_to_string(&settings).unwrap(), "# mine\n");
}

#[test]
fn manual_pages_and_completions_know_every_subcommand_and_flag() {
    let machine = Machine::installed(true);
    let page = |name: &str| {
        fs::read_to_string(machine.path(&format!("usr/share/man/man1/{name}.1"))).unwrap()
    };
    assert!(page("twinkle").contains("door"));
    assert!(page("twinkle-door").contains("fail\\-safe"));
    assert!(page("twinkle-report-why").contains("Examples"));
    for shell in [
        "usr/share/bash-completion/completions/twinkle",
        "usr/share/zsh/site-functions/_twinkle",
        "usr/share/fish/vendor_completions.d/twinkle.fish",
    ] {
        let text = fs::read_to_string(machine.path(shell)).unwrap();
        for word in ["enroll", "fail-safe", "offline-for"] {
            assert!(text.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn systemd_finds_nothing_to_complain_about_in_the_units() {
    let machine = Machine::installed(false);
    let binary = format!("{}/usr/bin/twinkle", machine.root.path().display());
    for (path, text) in machine.units() {
        let kind = path.extension();
        if kind == Some(OsStr::new("service")) {
            assert!(text.contains(&format!("{binary} ")), "{text}");
        }
        let mut verify = Command::new("systemd-analyze");
        // Of a template, an instance is looked at.
        let named = path.to_str().unwrap().replace("@.", "@lab.");
        if named != path.to_str().unwrap() {
            fs::copy(&path, &named).unwrap();
        }
        let Ok(verified) = verify.args(["verify", "--man=no", &named]).output() else {
            eprintln!("there is no systemd here to verify units");
            return;
        };
        let said = String::from_utf8(verified.stderr).unwrap();
        // What it thinks of others' units is not ours to mend.
        let ours: Vec<_> = said.lines().filter(|l| l.contains("twinkle")).collect();
        assert!(ours.is_empty(), "{ours:#?}");
        assert!(verified.status.success(), "{said}");
    }
}

#[test]
fn every_service_that_runs_on_is_watched_restarted_and_shut_in() {
    let machine = Machine::installed(true);
    let mut seen = 0;
    for (path, text) in machine.units() {
        if path.extension() != Some(OsStr::new("service")) {
            continue;
        }
        let has = |line: &str| text.lines().any(|l| l == line || l.starts_with(line));
        for line in [
            "User=twinkle",
            "NoNewPrivileges=yes",
            "PrivateTmp=yes",
            "DevicePolicy=closed",
            "CapabilityBoundingSet=",
            "ProtectSystem=",
            "SystemCallFilter=@system-service",
            "Documentation=man:twinkle",
        ] {
            assert!(has(line), "{}: {line}", path.display());
        }
        if has("Type=oneshot") {
            continue;
        }
        seen += 1;
        for line in [
            "Type=notify",
            "Restart=always",
            "WatchdogSec=",
            "StartLimitIntervalSec=0",
            "ProtectSystem=strict",
        ] {
            assert!(has(line), "{}: {line}", path.display());
        }
        if text.contains("DeviceAllow=") {
            assert!(has("ExecStopPost=/usr/bin/twinkle door %I --relock"));
        } else {
            assert!(has("PrivateDevices=yes"), "{}", path.display());
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn the_commit_is_that_of_the_sources_also_in_a_tarball() {
    let folder = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(folder.path())
            .args(["-c", "user.name=x", "-c", "user.email=x@y.example"]);
        let ended = ended(git.args(args));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    };
    let exported = folder.path().join("packaging/commit");
    fs::create_dir(folder.path().join("packaging")).unwrap();
    fs::copy(document("packaging/commit"), &exported).unwrap();
    fs::copy(
        document(".gitattributes"),
        folder.path().join(".gitattributes"),
    )
    .unwrap();
    assert_eq!(build::commit_of(folder.path()), None, "no git");
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "sources"]);
    let hash = git(&["rev-parse", "HEAD"]);
    let commit = build::commit_of(folder.path()).unwrap();
    let (short, day) = commit.split_once(' ').unwrap();
    assert!(hash.starts_with(short) && short.len() == 12, "{commit}");
    assert_eq!(day.len(), "2026-11-25".len(), "{commit}");
    let below = folder.path().join("packaging");
    assert_eq!(build::commit_of(&below), None, "another's commit");
    // Unpacked into a repository of something else, it is still what it was.
    git(&["archive", "-o", "x.tar", "HEAD"]);
    let tar = Command::new("tar")
        .current_dir(&below)
        .args(["-xf", "../x.tar"])
        .status();
    assert!(tar.unwrap().success());
    let unpacked = build::commit_of(&below).unwrap();
    assert!(hash.starts_with(unpacked.split_once(' ').unwrap().0));
    let version = Site::new().ok(&["--version"]);
    let number = env!("CARGO_PKG_VERSION");
    assert!(
        version.starts_with(&format!("twinkle {number}")),
        "{version}"
    );
}

/// The command of a unit's line, as systemd has it run.
fn command_of(unit: &str, line: &str) -> String {
    let text = fs::read_to_string(document("examples/systemd").join(unit)).unwrap();
    let command = text.lines().find_map(|l| l.strip_prefix(line)).unwrap();
    command.replace("$$", "$").replace("%%", "%")
}

#[test]
fn each_nights_backup_is_a_new_file_and_old_ones_go_after_it() {
    let site = Site::seeded();
    let folder = site.folder.path().join("backups");
    fs::create_dir(&folder).unwrap();
    let old = folder.join("twinkle-2024-02-01-0330.db");
    let recent = folder.join("twinkle-2024-02-20-0330.db");
    let other = folder.join("notes.txt");
    for (file, age) in [
        (&old, "40 days ago"),
        (&recent, "now"),
        (&other, "2020-01-01"),
    ] {
        let touched = Command::new("touch").args(["-d", age]).arg(file).status();
        assert!(touched.unwrap().success());
    }
    let backup = command_of("twinkle-backup.service", "ExecStart=");
    let backup = backup.replace("/usr/bin/twinkle", env!("CARGO_BIN_EXE_twinkle"));
    let tidy = command_of("twinkle-backup.service", "ExecStartPost=");
    // systemd expands no pattern; a shell would.
    let tidy = tidy.replace("twinkle-*.db", "'twinkle-*.db'");
    for command in [backup, tidy] {
        let mut shell = site.command(&[]);
        shell.env("FOLDER", &folder).env("DAYS", "30");
        let mut run = Command::new("/bin/sh");
        run.args(["-c", &command]).current_dir(site.folder.path());
        let variables = shell.get_envs().filter_map(|(k, v)| Some((k, v?)));
        run.env_clear().env("PATH", "/usr/bin:/bin").envs(variables);
        let run = ended(&mut run);
        assert_eq!(run.code, Some(0), "{command}: {run:?}");
    }
    let names = fs::read_dir(&folder).unwrap();
    let names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(!old.exists() && recent.exists() && other.exists());
    let restored = site.folder.path().join("restored.db");
    let new = names
        .iter()
        .map(|name| folder.join(name))
        .find(|file| *file != recent && *file != other)
        .unwrap();
    site.ok(&[
        "central",
        "restore",
        new.to_str().unwrap(),
        "--db",
        restored.to_str().unwrap(),
    ]);
    let list = site.ok(&["employee", "list", "--db", restored.to_str().unwrap()]);
    assert!(list.contains("Asha Rao"), "{list}");
}

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
