//! A wall clock that a test sets, for the processes that it starts: at a fixed time, or off by
//! so much, changed at will while they run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Utc};

use super::preload;

/// A clock for the processes of one site; see `clock.c`.
pub struct TestClock {
    file: PathBuf,
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
