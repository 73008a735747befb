//! What the tests of the real binary share: a site of their own, its processes, and clients.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "each test file uses a part of this, and a failing helper must fail its test"
)]

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub mod client;
pub mod clock;
pub mod cut_off;
pub mod day;
pub mod disk;
pub mod fixed;
pub mod guarded;
pub mod preload;
pub mod process;
pub mod proxy;
pub mod pty;
pub mod tls;

pub use client::{Client, PlainClient};
pub use clock::TestClock;
pub use day::Day;
pub use fixed::{Fixed, NOON};
pub use process::Proc;

/// Longer than anything takes that works, also on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);
/// Asha's badge, in a [`Site::seeded`].
pub const ASHA: u64 = 7;
/// Ravi's badge; he is suspended.
pub const RAVI: u64 = 8;
/// A badge that is nobody's.
pub const NOBODY: u64 = 99;

/// A folder, a database in it, and an address of its own, so that tests run side by side.
pub struct Site {
    pub folder: tempfile::TempDir,
    /// A loopback address that no other test uses: a port that a stopped server leaves free on it
    /// is still free when the server is started again.
    pub host: Ipv4Addr,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Site {
    /// An empty site.
    pub fn new() -> Self {
        static SITES: AtomicU32 = AtomicU32::new(0);
        let number = SITES.fetch_add(1, Ordering::Relaxed);
        let [.., high, low] = std::process::id().to_be_bytes();
        let host = Ipv4Addr::new(127, 100 + (number % 100) as u8, high, low.max(1));
        Self {
            folder: tempfile::tempdir().unwrap(),
            host,
        }
    }

    /// A site with a database, and Asha and Ravi in it, both since 1 February 2024.
    pub fn seeded() -> Self {
        let site = Self::new();
        site.seed();
        site
    }

    /// Makes the database, with Asha and Ravi in it.
    pub fn seed(&self) {
        let site = self;
        site.ok(&["central", "init"]);
        for (name, id) in [("Asha Rao", ASHA), ("Ravi", RAVI)] {
            let id = id.to_string();
            site.ok(&[
                "employee",
                "add",
                name,
                "--twinklet",
                &id,
                "--joined",
                "2024-02-01",
            ]);
        }
        site.ok(&["employee", "suspend", "Ravi"]);
    }

    /// The database's file.
    pub fn db(&self) -> PathBuf {
        self.folder.path().join("twinkle.db")
    }

    /// The binary, with nothing of the user's own settings: the database in this site's folder,
    /// days in UTC, Sundays off.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_twinkle"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TWINKLE_DB", self.db())
            .env("TWINKLE_TIMEZONE", "UTC")
            .env("TWINKLE_CONFIG", "/dev/null")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        ended(&mut self.command(args))
    }

    /// Runs a command with this on its standard input.
    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ended {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writing = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        // A door that ends early does not read everything.
        let _broken_pipe = writing.join().unwrap();
        Ended::from(output)
    }

    /// Runs a command that must succeed, and returns what it prints.
    pub fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended.stdout
    }

    /// Enrols a device, and returns its identity's file.
    pub fn enroll(&self, role: &str, name: &str, args: &[&str]) -> PathBuf {
        let mut enroll = vec!["central", "enroll", name, "--role", role];
        enroll.extend(args);
        self.ok(&enroll);
        self.folder.path().join(format!("{name}.identity"))
    }

    /// Starts a central on a free port, or on this one.
    pub fn central(&self, port: u16, args: &[&str]) -> Proc {
        let listen = format!("{}:{port}", self.host);
        Proc::server(self.command(&["central", "--listen", &listen]).args(args))
    }

    /// Starts a relay on a free port, or on this one.
    pub fn relay(&self, port: u16, central: SocketAddr, args: &[&str]) -> Proc {
        let (listen, central) = (format!("{}:{port}", self.host), central.to_string());
        let fixed = ["relay", "site", "--listen", &listen, "--central", &central];
        Proc::server(self.command(&fixed).args(args))
    }

    /// Starts a door that reads what [`Proc::type_line`] writes.
    pub fn door(&self, name: &str, relay: SocketAddr, args: &[&str]) -> Proc {
        let relay = relay.to_string();
        Proc::spawn(self.command(&["door", name, "--relay", &relay]).args(args))
    }

    /// Starts a central, and a relay that has reached it.
    pub fn central_and_relay(&self) -> (Proc, Proc) {
        let central = self.central(0, &[]);
        // Patient: where time is the matter, a test starts a relay of its own.
        let relay = self.relay(0, central.address(), &["--deadline", "1m"]);
        relay.stderr.wait_for("connected to the central");
        (central, relay)
    }

    /// The database, for the test to look into.
    pub fn sql(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.db()).unwrap();
        connection.busy_timeout(SOON).unwrap();
        connection
    }

    /// One number from the database.
    pub fn count(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ended {
    Ended::from(command.output().unwrap())
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Fails unless a command was refused with this code and one line that says this.
pub fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(code), ""),
        "{ended:?}"
    );
    let (_, error) = ended.stderr.split_once("error: ").unwrap();
    assert!(error.contains(says), "{error}");
}

/// Waits until something is so, and fails if it does not come to be.
pub fn wait_until(within: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < within, "not within {within:?}: {what}");
        pause(Duration::from_millis(5));
    }
}

/// Lets time pass where time itself is the matter: between two looks, or between two pieces of a
/// packet.
pub fn pause(time: Duration) {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where tests let time pass"
    )]
    std::thread::sleep(time);
}
