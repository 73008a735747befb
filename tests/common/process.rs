//! A running twinkle.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::SOON;

/// How many lines of a process a failed test shows.
const SHOWN: usize = 100;

/// A process that is killed with its test, and whose log is shown if the test fails.
pub struct Proc {
    child: Child,
    stdin: Option<ChildStdin>,
    pub stdout: Lines,
    pub stderr: Lines,
    what: String,
}

impl Proc {
    /// Starts a process.
    pub fn spawn(command: &mut Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            stdin: child.stdin.take(),
            stdout: Lines::of(child.stdout.take().unwrap()),
            stderr: Lines::of(child.stderr.take().unwrap()),
            child,
            what: format!("{command:?}"),
        }
    }

    /// Starts a server, and waits until it listens.
    pub fn server(command: &mut Command) -> Self {
        let server = Self::spawn(command);
        server.stdout.wait_for("listening on ");
        server
    }

    /// Where a server listens.
    pub fn address(&self) -> SocketAddr {
        let line = self.stdout.wait_for("listening on ");
        line.strip_prefix("listening on ").unwrap().parse().unwrap()
    }

    /// Writes a line to its standard input.
    pub fn type_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Its standard input, for somebody else to write to.
    pub fn take_input(&mut self) -> ChildStdin {
        self.stdin.take().unwrap()
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        drop(self.stdin.take());
    }

    /// How much memory it has, in bytes.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
        kilobytes.parse::<usize>().unwrap() * 1024
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// How much time its threads have spent working.
    pub fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The fields after the name, which stands in brackets and may contain anything.
        let fields: Vec<_> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks = |field: usize| fields[field].parse::<u64>().unwrap();
        // User and system time, in hundredths of a second.
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub fn kill_9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                began.elapsed() < within,
                "{} does not end within {within:?}",
                self.what
            );
            super::pause(Duration::from_millis(5));
        }
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
        if thread::panicking() {
            let (stdout, stderr) = (self.stdout.newest(), self.stderr.newest());
            eprintln!("--- {}\n{stdout}\n--- its log\n{stderr}", self.what);
        }
    }
}

/// The lines that a process has printed so far.
#[derive(Clone)]
pub struct Lines {
    read: Arc<(Mutex<Printed>, Condvar)>,
}

#[derive(Default)]
struct Printed {
    lines: Vec<String>,
    /// Whether no more can come.
    ended: bool,
}

impl Lines {
    fn of(from: impl Read + Send + 'static) -> Self {
        let read: Arc<(Mutex<Printed>, Condvar)> = Arc::default();
        let printed = Arc::clone(&read);
        thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                printed.0.lock().unwrap().lines.push(line);
                printed.1.notify_all();
            }
            printed.0.lock().unwrap().ended = true;
            printed.1.notify_all();
        });
        Self { read }
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<String> {
        self.read.0.lock().unwrap().lines.clone()
    }

    /// The newest, for whoever looks into a failure.
    fn newest(&self) -> String {
        let all = self.all();
        all[all.len().saturating_sub(SHOWN)..].join("\n")
    }

    /// Everything, once no more can come.
    pub fn to_the_end(&self) -> Vec<String> {
        let (printed, added) = &*self.read;
        let (printed, timeout) = added
            .wait_timeout_while(printed.lock().unwrap(), SOON, |printed| !printed.ended)
            .unwrap();
        assert!(!timeout.timed_out(), "it prints on");
        printed.lines.clone()
    }

    /// Waits for a line that contains this, and returns the first.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_nth(text, 1)
    }

    /// Waits for the so-manieth line that contains this.
    pub fn wait_for_nth(&self, text: &str, nth: usize) -> String {
        let nth_of = |printed: &Printed| {
            let mut found = printed.lines.iter().filter(|line| line.contains(text));
            found.nth(nth - 1).cloned()
        };
        let (printed, added) = &*self.read;
        let (printed, _) = added
            .wait_timeout_while(printed.lock().unwrap(), SOON, |p| nth_of(p).is_none())
            .unwrap();
        let found = nth_of(&printed);
        drop(printed);
        found.unwrap_or_else(|| panic!("no {nth}. line with {text:?} in {:#?}", self.all()))
    }

    /// How many lines contain this so far.
    pub fn count(&self, text: &str) -> usize {
        self.all().iter().filter(|line| line.contains(text)).count()
    }
}
