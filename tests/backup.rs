//! Backup, restore, and when a day is final.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use common::cut_off::EVENTS;
use common::{ASHA, Client, Proc, SOON, Site, TestClock, wait_until};

#[test]
fn yesterdays_backup_restored_misses_nothing_of_today_once_the_relays_are_back() {
    let site = Site::seeded();
    let (mut central, relay) = site.central_and_relay();
    let port = central.address().port();
    let mut door = Client::door(relay.address(), "lab");
    assert_eq!(door.flash(ASHA).verdict, "open");
    let said = site.ok(&["central", "backup", "yesterday.db"]);
    assert!(said.contains("2 employees and 1 event,"), "{said}");
    let again = site.run(&["central", "backup", "yesterday.db"]);
    assert_eq!(again.code, Some(3), "{again:?}");
    for _ in 0..5 {
        assert_eq!(door.flash(ASHA).verdict, "open");
    }
    let refused = site.run(&["central", "restore", "yesterday.db"]);
    assert_eq!(refused.code, Some(3), "a database is there: {refused:?}");
    central.kill_9();
    fs::remove_file(site.folder.path().join("twinkle.db")).unwrap();
    let refused = site.run(&["central", "restore", "yesterday.db"]);
    assert_eq!(refused.code, Some(3), "a log is there: {refused:?}");
    fs::remove_file(site.folder.path().join("twinkle.db-wal")).unwrap();
    // What SQLite shares among processes: without a log it means nothing, and need not be there.
    let _none = fs::remove_file(site.folder.path().join("twinkle.db-shm"));
    let said = site.ok(&["central", "restore", "yesterday.db"]);
    assert!(said.contains("its relays send by themselves"), "{said}");
    assert_eq!(site.count(EVENTS), 1);
    let _central = site.central(port, &[]);
    wait_until(SOON, "nothing of today is missing", || {
        site.count(EVENTS) == 6
    });
    assert_eq!(site.count("SELECT sum(flashes) FROM attendance"), 6);
}

#[test]
fn a_backup_has_the_key_only_when_asked_and_says_so() {
    let site = Site::seeded();
    site.ok(&["central", "enroll", "gate", "--role", "relay"]);
    let said = site.ok(&["central", "backup", "without.db"]);
    assert!(said.contains("without the authority's key"), "{said}");
    let said = site.ok(&["central", "backup", "with.db", "--with-keys"]);
    assert!(said.contains("who has it can make devices"), "{said}");
    let key = site.folder.path().join("with.db.authority");
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = site.ok(&["central", "restore", "without.db", "--db", "a.db"]);
    assert!(said.contains("1 device will not be known"), "{said}");
    let said = site.ok(&["central", "restore", "with.db", "--db", "b.db"]);
    assert!(said.contains("1 device will be known"), "{said}");
}

#[test]
fn another_databases_keys_are_never_mixed_with_ours() {
    let site = Site::seeded();
    let file = |name: &str| site.folder.path().join(name);
    site.ok(&["central", "enroll", "gate", "--role", "relay"]);
    site.ok(&["employee", "code", "Asha Rao", "--enable"]);
    let said = site.ok(&["central", "backup", "a.db"]);
    assert!(said.contains("without the key of one-time codes"), "{said}");
    assert!(!file("a.db.code-key").exists());
    // A key that is there is another database's: nothing is made, and it stays.
    for name in ["b.db.code-key", "b.db.authority"] {
        fs::write(file(name), "another").unwrap();
        let refused = site.run(&["central", "backup", "b.db", "--with-keys"]);
        common::refused(&refused, 3, name);
        assert!(!file("b.db").exists());
        assert_eq!(fs::read_to_string(file(name)).unwrap(), "another");
        fs::remove_file(file(name)).unwrap();
    }
    let said = site.ok(&["central", "backup", "b.db", "--with-keys"]);
    assert!(
        said.contains("b.db.code-key: the key of one-time"),
        "{said}"
    );
    let mode = fs::metadata(file("b.db.code-key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::write(file("c.db.code-key"), "another").unwrap();
    let refused = site.run(&["central", "restore", "b.db", "--db", "c.db"]);
    common::refused(&refused, 3, "c.db.code-key is another key");
    assert!(!file("c.db").exists() && !file("c.db.authority").exists());
    // One that was kept apart and put there first is the same.
    fs::copy(file("b.db.code-key"), file("c.db.code-key")).unwrap();
    let said = site.ok(&["central", "restore", "b.db", "--db", "c.db"]);
    assert!(said.contains("1 employee can use one-time"), "{said}");
    // One that is gone is named by each.
    fs::remove_file(file("b.db.code-key")).unwrap();
    let said = site.ok(&["central", "restore", "b.db", "--db", "d.db"]);
    assert!(
        said.contains("until it is put at") && said.contains("d.db.code-key"),
        "{said}"
    );
    let said = site.ok(&["central", "backup", "e.db", "--with-keys", "--db", "d.db"]);
    assert!(
        said.contains("the key of one-time codes is gone: put"),
        "{said}"
    );
}

#[test]
fn a_damaged_backup_is_refused_and_leaves_nothing() {
    let site = Site::seeded();
    site.ok(&["central", "backup", "good.db"]);
    let mut bytes = fs::read(site.folder.path().join("good.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    fs::write(site.folder.path().join("bad.db"), bytes).unwrap();
    let refused = site.run(&["central", "restore", "bad.db", "--db", "new.db"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.stderr.contains("bad.db is "), "{refused:?}");
    assert!(!site.folder.path().join("new.db").exists());
    assert!(!site.folder.path().join("new.db.part").exists());
    let missing = site.run(&["central", "restore", "none.db", "--db", "new.db"]);
    assert_eq!(missing.code, Some(3), "{missing:?}");
}

/// A central and its relay on a clock of their own, and what the register shows of a day.
struct Days {
    site: Site,
    clock: TestClock,
}

/// Two employees beside Asha whose days these are.
const MEERA: u64 = 12;
const JOHN: u64 = 13;

impl Days {
    fn new() -> Self {
        let site = Site::seeded();
        for (name, id) in [("Meera", MEERA), ("John", JOHN)] {
            let id = id.to_string();
            let joined = ["--joined", "2024-02-01"];
            site.ok(&[&["employee", "add", name, "--twinklet", &id][..], &joined].concat());
        }
        let clock = TestClock::standing_at(site.folder.path(), "2024-02-12T09:00:00Z");
        Self { site, clock }
    }

    fn server(&self, args: &[&str]) -> Proc {
        let mut command = self.site.command(args);
        self.clock.give_to(&mut command);
        Proc::server(&mut command)
    }

    fn central(&self, port: u16) -> Proc {
        let listen = format!("{}:{port}", self.site.host);
        self.server(&["central", "--listen", &listen])
    }

    fn relay(&self, central: SocketAddr) -> Proc {
        let (listen, central) = (format!("{}:0", self.site.host), central.to_string());
        let fixed = ["relay", "site", "--listen", &listen, "--central", &central];
        self.server(&[&fixed[..], &["--offline-for", "12h"]].concat())
    }

    fn register(&self, format: &str) -> String {
        let mut command = self
            .site
            .command(&["report", "--month", "2024-02", "--format", format]);
        self.clock.give_to(&mut command);
        let ended = common::ended(&mut command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    }

    /// The mark of the 12th.
    fn mark(&self, name: &str) -> String {
        let csv = self.register("csv");
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let head = cells(csv.lines().next().unwrap());
        let column = head.iter().position(|day| day == "2024-02-12").unwrap();
        let row = csv.lines().find(|line| line.contains(name)).unwrap();
        cells(row)[column].clone()
    }

    /// Asha is seen while all is well; the relay lets Meera in while it is cut off, and both are
    /// off until the 14th. Returns where the central was.
    fn go_by(&self) -> SocketAddr {
        let mut central = self.central(0);
        let mut relay = self.relay(central.address());
        relay.stderr.wait_for("the roster is here");
        let mut door = Client::door(relay.address(), "lab");
        assert_eq!(door.flash(ASHA).verdict, "open");
        self.site.roster_knows(1);
        central.kill_9();
        relay.stderr.wait_for("lost the central");
        assert_eq!(door.flash(MEERA).verdict, "open");
        relay.kill_9();
        // Days later its machine has been started anew.
        let sql = self.site.relay_sql();
        sql.execute("UPDATE entries SET boot = zeroblob(16)", [])
            .unwrap();
        self.clock.stand_at("2024-02-14T09:00:00Z");
        central.address()
    }
}

#[test]
fn a_day_with_a_relay_cut_off_is_final_once_it_has_told_what_it_kept() {
    let days = Days::new();
    let central = days.go_by();
    let central = days.central(central.port());
    for (name, mark) in [("Asha", "P"), ("Meera", "a"), ("John", "a")] {
        assert_eq!(days.mark(name), mark, "{name}");
    }
    let table = days.register("table");
    let note = table.lines().find(|line| line.contains("Relay 'site'"));
    assert!(
        note.is_some_and(|note| note.contains("flashes of 12, 13 Feb")),
        "{table}"
    );
    let _relay = days.relay(central.address());
    wait_until(SOON, "the day is final", || days.mark("John") == "A");
    assert_eq!(days.mark("Meera"), "P");
    assert!(!days.register("table").contains("Relay 'site'"));
}

#[test]
fn a_relay_that_is_retired_holds_no_day_open_until_it_connects_again() {
    let days = Days::new();
    let central = days.go_by();
    let said = days.site.run(&["central", "retire", "sites"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("did you mean 'site'"), "{said:?}");
    assert_eq!(days.mark("John"), "a");
    let said = days.site.ok(&["central", "retire", "site"]);
    assert!(said.contains("out of service"), "{said}");
    for name in ["Meera", "John"] {
        assert_eq!(days.mark(name), "A", "{name}");
    }
    // What it kept is not lost, should it come back.
    let central = days.central(central.port());
    let _relay = days.relay(central.address());
    wait_until(SOON, "it told", || days.mark("Meera") == "P");
    assert_eq!(
        days.site
            .count("SELECT count(*) FROM relay WHERE retired IS NULL"),
        1
    );
}
