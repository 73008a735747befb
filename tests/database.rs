//! The database file in every state in which a user may leave it: one clear line, the documented
//! exit code, and the file as it was.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use common::{ASHA, Client, Ended, Site};

/// Each role's simplest command that opens the database.
const COMMANDS: [&[&str]; 4] = [
    &["employee", "list"],
    &["employee", "add", "Zoë", "--twinklet", "12"],
    &["report", "--month"],
    &["report", "events"],
];

/// Runs each command on the site's database, which all must refuse with this code and text, and
/// leave as it is.
fn all_refuse(site: &Site, code: i32, says: &str) {
    let before = fs::read(site.db()).ok();
    for args in COMMANDS {
        refused(&site.run(args), code, says);
    }
    assert_eq!(fs::read(site.db()).ok(), before);
}

/// Runs the central on the site's database, which it must refuse with this code and text, and
/// leave as it is.
fn central_refuses(site: &Site, code: i32, says: &str) {
    let before = fs::read(site.db()).ok();
    refused(
        &site.run(&["central", "--listen", "127.0.0.1:0"]),
        code,
        says,
    );
    refused(&site.run(&["central", "init"]), code, says);
    assert_eq!(fs::read(site.db()).ok(), before);
}

fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(code), ""),
        "{ended:?}"
    );
    let errors: Vec<_> = ended
        .stderr
        .lines()
        .filter(|l| l.starts_with("error: "))
        .collect();
    assert!(errors.len() == 1 && errors[0].contains(says), "{ended:?}");
}

#[test]
fn a_missing_database_is_made_by_the_central_alone() {
    let site = Site::new();
    all_refuse(
        &site,
        3,
        "named by --db or TWINKLE_DB); 'twinkle central init' makes one",
    );
    assert!(!site.db().exists());
    assert_eq!(
        site.ok(&["central", "init"]),
        format!("made {}, days in UTC\n", site.db().display())
    );
    assert_eq!(
        site.ok(&["central", "init"]),
        format!("{} is up to date\n", site.db().display())
    );
    let mode = fs::metadata(site.db()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    assert_eq!(site.count("PRAGMA auto_vacuum"), 2);
    assert_eq!(site.count("PRAGMA page_size"), 1024);
    site.ok(&["employee", "list"]);
}

#[test]
fn the_default_place_is_made_and_another_folder_is_not() {
    let site = Site::new();
    let mut init = site.command(&["central", "init"]);
    let made = common::ended(init.env_remove("TWINKLE_DB"));
    let default = site.folder.path().join(".local/share/twinkle/twinkle.db");
    assert_eq!(
        made.stdout,
        format!("made {}, days in UTC\n", default.display())
    );
    let mut data = site.command(&["central", "init"]);
    let made = common::ended(
        data.env_remove("TWINKLE_DB")
            .env("XDG_DATA_HOME", site.folder.path().join("data")),
    );
    assert!(
        made.stdout
            .ends_with("/data/twinkle/twinkle.db, days in UTC\n"),
        "{made:?}"
    );
    let elsewhere = site.run(&["central", "init", "--db", "no/such/folder/x.db"]);
    refused(
        &elsewhere,
        4,
        "no/such/folder/x.db cannot be made: there is no folder no/such/folder",
    );
    assert!(!site.folder.path().join("no").exists());
}

#[test]
fn what_is_no_database_of_ours_is_left_alone() {
    let site = Site::new();
    fs::write(
        site.db(),
        "my shopping list, which is longer than a database's header is\n".repeat(3),
    )
    .unwrap();
    let says = "is no SQLite database (named by --db or TWINKLE_DB): name twinkle's with --db";
    all_refuse(&site, 4, says);
    central_refuses(&site, 4, says);

    let site = Site::new();
    site.sql()
        .execute_batch("CREATE TABLE twinkle (sno REAL, twinkletid REAL)")
        .unwrap();
    all_refuse(&site, 4, "is a SQLite database, but not one of twinkle's");
    central_refuses(&site, 4, "is a SQLite database, but not one of twinkle's");
    assert_eq!(
        fs::read_dir(site.folder.path()).unwrap().count(),
        1,
        "and nothing lies beside it"
    );

    let site = Site::new();
    fs::create_dir(site.db()).unwrap();
    refused(&site.run(&["employee", "list"]), 4, "is a folder");
    refused(&site.run(&["central"]), 4, "is a folder");
}

#[test]
fn an_empty_file_is_no_database_yet() {
    let site = Site::new();
    fs::write(site.db(), "").unwrap();
    all_refuse(&site, 3, "is of version 0, this program needs");
    all_refuse(&site, 3, "'twinkle central init' brings it");
    site.ok(&["central", "init"]);
    site.ok(&["employee", "list"]);
}

#[test]
fn a_newer_database_is_refused() {
    let site = Site::seeded();
    site.sql()
        .execute_batch("PRAGMA user_version = 1000")
        .unwrap();
    all_refuse(&site, 3, "is of version 1000, newer than this program's");
    central_refuses(&site, 3, "is of version 1000, newer than this program's");
}

#[test]
fn a_locked_database_is_waited_for_and_then_reported() {
    let site = Site::seeded();
    let other = site.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let says = "the database is locked by another program; try again";
    refused(
        &site.run(&["employee", "add", "Zoë", "--twinklet", "12"]),
        4,
        says,
    );
    refused(&site.run(&["central", "--listen", "127.0.0.1:0"]), 4, says);
    // Reading needs no lock.
    site.ok(&["employee", "list"]);
    site.ok(&["report", "--month"]);
    other.execute_batch("ROLLBACK").unwrap();
    site.ok(&["employee", "add", "Zoë", "--twinklet", "12"]);
}

#[test]
fn one_database_has_one_central() {
    let site = Site::seeded();
    let mut first = site.central(0, &[]);
    refused(
        &site.run(&["central", "--listen", "127.0.0.1:0"]),
        3,
        "another central serves",
    );
    refused(&site.run(&["central", "init"]), 3, "another central serves");
    // What it leaves behind when it is killed keeps no other out.
    first.kill_9();
    site.central(0, &[]);
}

#[test]
fn a_central_that_is_refused_leaves_the_log_of_the_one_that_runs() {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let aside = site.folder.path().join("aside.db");
    fs::rename(site.db(), &aside).unwrap();
    refused(&site.run(&["central", "init"]), 3, "another central serves");
    assert!(!site.db().exists());
    fs::rename(&aside, site.db()).unwrap();
    assert_eq!(door.flash(ASHA).verdict, "open");
    central.kill_9();
    let _central = site.central(0, &[]);
    assert_eq!(site.count("SELECT flashes FROM attendance"), 2);
}

#[test]
fn no_new_database_is_made_where_the_log_of_one_lies() {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    central.kill_9();
    let aside = site.folder.path().join("aside.db");
    fs::rename(site.db(), &aside).unwrap();
    central_refuses(&site, 3, "is gone, but its log");
    fs::rename(&aside, site.db()).unwrap();
    let _central = site.central(0, &[]);
    assert_eq!(site.count("SELECT flashes FROM attendance"), 1);
}

#[test]
fn a_database_that_is_taken_away_while_open_opens_no_door_until_it_is_back() {
    let site = Site::seeded();
    let central = site.central(0, &[]);
    let mut door = Client::door(central.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let aside = site.folder.path().join("aside.db");
    fs::rename(site.db(), &aside).unwrap();
    assert_eq!(door.flash(ASHA).verdict, "storage-failed");
    let says = "twinkle.db was removed or replaced while it was open: put it back, or restart";
    central.stderr.wait_for(says);
    // Another file in its place is none the better.
    fs::copy(&aside, site.db()).unwrap();
    assert_eq!(door.flash(ASHA).verdict, "storage-failed");
    fs::rename(&aside, site.db()).unwrap();
    assert_eq!(door.flash(ASHA).verdict, "open");
    central.stderr.wait_for("the database stores again");
    assert_eq!(site.count("SELECT count(*) FROM event"), 2);
}

#[test]
fn a_database_that_may_only_be_read_is_read() {
    let site = Site::seeded();
    let before = fs::read(site.db()).unwrap();
    fs::set_permissions(site.db(), fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(site.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Root may write everything, so that it has to be somebody else.
    let as_other = |args: &[&str]| common::ended(&mut as_other_user(&site, args));
    assert_eq!(as_other(&["employee", "list"]).code, Some(0));
    assert_eq!(as_other(&["report", "--month"]).code, Some(0));
    let add = as_other(&["employee", "add", "Zoë", "--twinklet", "12"]);
    refused(&add, 4, "cannot be written: it is read-only");
    let central = as_other(&["central", "--listen", "127.0.0.1:0"]);
    refused(&central, 4, "cannot be written: it is read-only");
    if is_root() {
        assert!(
            add.stderr
                .contains("try as its owner: sudo -u root twinkle"),
            "{add:?}"
        );
    }

    fs::set_permissions(site.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(site.db(), fs::Permissions::from_mode(0o600)).unwrap();
    if is_root() {
        let list = as_other(&["employee", "list"]);
        refused(&list, 4, "permission denied");
        assert!(list.stderr.contains("sudo -u root twinkle"), "{list:?}");
    }
    assert_eq!(fs::read(site.db()).unwrap(), before);
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The binary, run by a user who is not root.
fn as_other_user(site: &Site, args: &[&str]) -> Command {
    let command = site.command(args);
    if !is_root() {
        return command;
    }
    // A copy, because the folder of the build may be closed to others.
    let binary = site.folder.path().join("twinkle");
    if !binary.exists() {
        fs::copy(Path::new(env!("CARGO_BIN_EXE_twinkle")), &binary).unwrap();
    }
    let mut other = Command::new("setpriv");
    other
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(binary);
    other.args(command.get_args()).env_clear();
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    other
        .envs(set)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(site.folder.path());
    other
}
