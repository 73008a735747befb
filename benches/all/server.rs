//! The processes that are measured, each ended with this program.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use twinkle::db::Store;
use twinkle::wire::Role;
use twinkle::wire::identity::Identity;

use crate::fill;

/// The badges that are flashed: all with four digits, so that every packet has the same length.
pub const BADGES: RangeInclusive<u64> = 1000..=1999;
/// The settings of every process: all devices of a benchmark come from one address, those of a site
/// from one each.
const SETTINGS: &str = "[limits]\nstrangers_per_address = 20000\n";
/// Set for the processes that this program starts of itself: what to be.
const BE: &str = "TWINKLE_BENCH_BE";
/// So soon a central that listens has said where its figures are.
const SAID_WITHIN: Duration = Duration::from_secs(10);

/// What this process is to be, if it is one of those.
pub fn to_be() -> Option<String> {
    env::var(BE).ok()
}

/// A process that says nothing.
pub struct Quiet(Child);

impl Quiet {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The most memory that it ever held, in MiB.
    pub fn peak_mib(&self) -> f64 {
        let status = self.about("status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    }

    /// The processor time that it has used, in seconds.
    pub fn processor_time(&self) -> f64 {
        processor_time(self.id())
    }

    /// That of its thread of that name.
    pub fn processor_time_of(&self, thread: &str) -> f64 {
        let schedstat = self.of_thread(thread, "schedstat");
        let nanoseconds = schedstat.split_whitespace().next().unwrap();
        nanoseconds.parse::<f64>().unwrap() / 1e9
    }

    /// What the system tells of its thread of that name.
    pub fn of_thread(&self, thread: &str, what: &str) -> String {
        let mut threads = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let file = threads.find_map(|task| {
            let task = task.unwrap().path();
            let name = fs::read_to_string(task.join("comm")).unwrap();
            (name.trim_end() == thread).then(|| task.join(what))
        });
        fs::read_to_string(file.unwrap()).unwrap()
    }

    fn about(&self, what: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{what}", self.id())).unwrap()
    }

    /// Ends it as a service manager would, and waits for that.
    pub fn stop(mut self) {
        let id = self.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// The processor time that this program has used itself, in seconds.
pub fn own_processor_time() -> f64 {
    processor_time(std::process::id())
}

/// Of all threads of a process, also of those that have ended; to the nanosecond, as who works seldom
/// works for less than the hundredth of a second in which the kernel counts elsewhere.
fn processor_time(process: u32) -> f64 {
    let clock = clock_getcpuclockid(Pid::from_raw(process.cast_signed())).unwrap();
    Duration::from(clock.now().unwrap()).as_secs_f64()
}

/// A process that listens.
pub struct Server {
    pub process: Quiet,
    pub address: SocketAddr,
}

impl Server {
    /// This program again, to be something else.
    pub fn this_program(be: &str) -> Self {
        Self::start(Command::new(env::current_exe().unwrap()).env(BE, be))
    }

    /// Starts it, and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut process = Quiet::start(command.stdout(Stdio::piped()));
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let line = lines.next().expect("a server that listens").unwrap();
        let address = line.strip_prefix("listening on ").unwrap().parse().unwrap();
        Self { process, address }
    }
}

/// What devices show who speak TLS.
pub struct Identities {
    /// The relay's file.
    pub relay: PathBuf,
    /// The identity that its doors share.
    pub doors: Arc<Identity>,
}

/// A site in a folder of its own: a database with an employee for each badge.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// A site without employees.
    pub fn empty() -> Self {
        let site = Self::in_a_folder();
        drop(Store::open_as_central(&site.db(), chrono_tz::UTC).unwrap());
        site
    }

    fn in_a_folder() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let site = Self { folder };
        fs::write(site.settings(), SETTINGS).unwrap();
        site
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("twinkle.toml")
    }

    /// A site with an employee for each badge.
    pub fn new() -> Self {
        let site = Self::empty();
        let connection = rusqlite::Connection::open(site.db()).unwrap();
        connection.execute_batch("BEGIN").unwrap();
        for id in BADGES {
            let person = "INSERT INTO employee (name, joined) VALUES (?1, '2020-01-01')";
            connection
                .execute(person, [format!("Person {id}")])
                .unwrap();
            let badge = "INSERT INTO assignment (twinklet, employee, from_day)
                         VALUES (?1, ?2, '2020-01-01')";
            let number = connection.last_insert_rowid();
            connection
                .execute(badge, (id.cast_signed(), number))
                .unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        site
    }

    /// A site that is filled with people, devices and events.
    pub fn filled(with: &fill::Site) -> Self {
        let site = Self::in_a_folder();
        fill::fill(&site.db(), with).unwrap();
        site
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn db(&self) -> PathBuf {
        self.folder.path().join("twinkle.db")
    }

    /// The binary, on this site's database and with our settings.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_under(&[], args)
    }

    /// The same, run by another program such as valgrind.
    pub fn command_under(&self, under: &[&str], args: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_twinkle");
        let mut words = under.iter().chain([&binary]).chain(args);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env("TWINKLE_DB", self.db())
            .env("TWINKLE_CONFIG", self.settings())
            // Where a relay has its file.
            .env("XDG_DATA_HOME", self.folder())
            .env("TWINKLE_TIMEZONE", "UTC")
            .env("TWINKLE_LOG", "error");
        command
    }

    /// Has the central know a device; returns the device's identity file.
    pub fn enroll(&self, role: &str, name: &str, more: &[&str]) -> PathBuf {
        let file = self.folder().join(format!("{name}.identity"));
        let output = ["--output", file.to_str().unwrap()];
        let args = [&["central", "enroll", name, "--role", role], more, &output].concat();
        let enrolled = self.command(&args).stdout(Stdio::null()).status().unwrap();
        assert!(enrolled.success());
        file
    }

    pub fn central(&self) -> Server {
        Server::start(&mut self.command(&["central", "--listen", "127.0.0.1:0"]))
    }

    /// A central that tells its figures, and where.
    pub fn measured_central(&self) -> (Server, String) {
        let log = self.folder().join("central.log");
        let args = [
            "central",
            "--listen",
            "127.0.0.1:0",
            "--metrics",
            "127.0.0.1:0",
        ];
        let mut command = self.command(&args);
        command.env("TWINKLE_LOG", "info");
        command.stderr(File::create(&log).unwrap());
        let central = Server::start(&mut command);
        // What it logs is written by a thread of its own, maybe after it has said where it listens.
        let until = Instant::now() + SAID_WITHIN;
        loop {
            let log = fs::read_to_string(&log).unwrap();
            let said = log.split_once("http://");
            if let Some((figures, _)) = said.and_then(|(_, address)| address.split_once('/')) {
                return (central, figures.to_owned());
            }
            assert!(Instant::now() < until, "no figures, but: {log}");
            thread::yield_now();
        }
    }

    pub fn relay(&self, central: &Server) -> Server {
        self.relay_at("127.0.0.1:0", central, None)
    }

    /// A relay that listens there, with an identity if there is one.
    pub fn relay_at(
        &self,
        listen: &str,
        central: &Server,
        identities: Option<&Identities>,
    ) -> Server {
        let to = central.address.to_string();
        Server::start(&mut match identities {
            None => self.command(&relay(listen, &to)),
            Some(of) => {
                let mut command = self.command(&["relay", "--listen", listen, "--central", &to]);
                command.arg("--identity").arg(&of.relay);
                command
            }
        })
    }

    /// Enrols devices, so that a central that starts then speaks TLS.
    pub fn protect(&self) -> Identities {
        let relay = self.enroll("relay", "bench-relay", &[]);
        let doors = self.enroll("door", "bench-door", &["--relay", "bench-relay"]);
        let doors = Identity::load(&doors, Role::Door, None).unwrap();
        Identities {
            relay,
            doors: Arc::new(doors),
        }
    }
}

/// The arguments of a relay that takes plain text too.
pub fn relay<'a>(listen: &'a str, central: &'a str) -> [&'a str; 7] {
    [
        "relay",
        "--listen",
        listen,
        "--central",
        central,
        "--accept-plain",
        "bench",
    ]
}
