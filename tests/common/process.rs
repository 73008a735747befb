//! A running twinkle.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::SOON;

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

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        drop(self.stdin.take());
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
            let (stdout, stderr) = (self.stdout.all().join("\n"), self.stderr.all().join("\n"));
            eprintln!("--- {}\n{stdout}\n--- its log\n{stderr}", self.what);
        }
    }
}

/// The lines that a process has printed so far.
#[derive(Clone)]
pub struct Lines {
    read: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Lines {
    fn of(from: impl Read + Send + 'static) -> Self {
        let read = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let lines: Arc<(Mutex<Vec<String>>, Condvar)> = Arc::clone(&read);
        thread::spawn(move || {
            for line in BufReader::new(from).lines() {
                let Ok(line) = line else { return };
                lines.0.lock().unwrap().push(line);
                lines.1.notify_all();
            }
        });
        Self { read }
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<String> {
        self.read.0.lock().unwrap().clone()
    }

    /// Waits for a line that contains this, and returns the first.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_nth(text, 1)
    }

    /// Waits for the so-manieth line that contains this.
    pub fn wait_for_nth(&self, text: &str, nth: usize) -> String {
        let enough =
            |lines: &mut Vec<String>| lines.iter().filter(|line| line.contains(text)).count() < nth;
        let (lines, added) = &*self.read;
        let (lines, _) = added
            .wait_timeout_while(lines.lock().unwrap(), SOON, enough)
            .unwrap();
        let found = lines
            .iter()
            .filter(|line| line.contains(text))
            .nth(nth - 1)
            .cloned();
        drop(lines);
        found.unwrap_or_else(|| panic!("no {nth}. line with {text:?} in {:#?}", self.all()))
    }

    /// How many lines contain this so far.
    pub fn count(&self, text: &str) -> usize {
        self.all().iter().filter(|line| line.contains(text)).count()
    }
}
