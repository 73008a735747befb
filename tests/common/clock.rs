//! A wall clock that a test sets, for the processes that it starts: at a fixed time, or off by
//! so much, changed at will while they run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::preload;

/// A clock for the processes of one site; see `clock.c`.
pub struct TestClock {
    file: PathBuf,
}

/// What a machine can have that knows whether its clock is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// A clock with a battery, which says the seconds since 1970.
    Hardware,
    /// systemd's time service has set it.
    TimeService,
    /// Another time service has, which knows of this many leap seconds.
    LeapSeconds,
}

impl Witness {
    fn extension(self) -> &'static str {
        match self {
            Witness::Hardware => "rtc",
            Witness::TimeService => "synchronised",
            Witness::LeapSeconds => "tai",
        }
    }
}

impl TestClock {
    /// A clock that stands still at that time, as in `2024-02-29T12:00:00Z`. Its file is to lie in
    /// this folder.
    pub fn standing_at(folder: &Path, time: &str) -> Self {
        let clock = Self {
            file: folder.join("clock"),
        };
        clock.stand_at(time);
        clock
    }

    /// A clock that runs, and is off by so many seconds.
    pub fn off_by(folder: &Path, seconds: i64) -> Self {
        let clock = Self {
            file: folder.join("clock"),
        };
        clock.go_off_by(seconds);
        clock
    }

    /// Stands still at that time from now on.
    pub fn stand_at(&self, time: &str) {
        let time: DateTime<Utc> = time.parse().unwrap();
        self.set(&format!("= {}", time.timestamp()));
    }

    /// Runs on, off by so many seconds from the real time.
    pub fn go_off_by(&self, seconds: i64) {
        self.set(&format!("+ {seconds}"));
    }

    /// Runs on, at this time now.
    pub fn run_from(&self, time: &str) {
        let time: DateTime<Utc> = time.parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.go_off_by(time.timestamp() - i64::try_from(now.as_secs()).unwrap());
    }

    /// Starts the machine anew, as far as the processes can tell: nothing is known of its clock.
    pub fn reboot(&self) {
        for witness in [
            Witness::Hardware,
            Witness::TimeService,
            Witness::LeapSeconds,
        ] {
            let _none = fs::remove_file(self.file.with_extension(witness.extension()));
        }
        let boot = uuid::Uuid::new_v4().to_string();
        fs::write(self.file.with_extension("boot"), boot).unwrap();
    }

    /// It was not started anew after all.
    pub fn undo_reboot(&self) {
        fs::remove_file(self.file.with_extension("boot")).unwrap();
    }

    /// Has the machine vouch for the clock: what tells of it, and what that says.
    pub fn vouch(&self, witness: Witness, says: &str) {
        fs::write(self.file.with_extension(witness.extension()), says).unwrap();
    }

    /// Has a process use this clock.
    pub fn give_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", preload::library("clock"))
            .env("TEST_CLOCK", &self.file);
    }

    fn set(&self, text: &str) {
        // In one step: a process must not find half of it.
        let half_done = self.file.with_extension("new");
        fs::write(&half_done, text).unwrap();
        fs::rename(half_done, &self.file).unwrap();
    }
}
