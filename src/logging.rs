//! Log lines, on standard error.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::Duration;
use std::{env, str::FromStr};

use chrono::Local;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::clock::{Clock, SystemClock};
use crate::console::Console;

/// How long the end of the program waits for somebody to read the last lines.
const READ_WITHIN: Duration = Duration::from_millis(300);

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(LevelFilter);

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.to_ascii_lowercase().as_str() {
            "error" => Ok(Self(LevelFilter::ERROR)),
            "warn" => Ok(Self(LevelFilter::WARN)),
            "info" => Ok(Self(LevelFilter::INFO)),
            "debug" => Ok(Self(LevelFilter::DEBUG)),
            _ => Err("say error, warn, info or debug"),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// With time and level, for a program that runs on.
    Dated,
    /// The message alone, for a command that ends at once.
    Bare,
    /// As [`Lines::Bare`], and errors only unless more is asked for: what the command prints says
    /// the rest.
    Errors,
}

/// The log. Dropped, it waits a moment for the last lines to be read.
#[derive(Debug)]
pub struct Log {
    console: Console,
}

/// Begins logging.
///
/// # Errors
/// If the system has no thread for it.
pub fn start(look: Lines, level: Option<Level>) -> io::Result<Log> {
    let console = Console::new(io::stderr())?;
    let writer = console.clone();
    let usual = if look == Lines::Errors {
        LevelFilter::ERROR
    } else {
        LevelFilter::INFO
    };
    let colours =
        io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_max_level(level.map_or(usual, |level| level.0))
        .with_writer(move || writer.clone())
        .with_target(false)
        .with_ansi(colours);
    // Under systemd the journal notes the time itself.
    let started = match (look, env::var_os("JOURNAL_STREAM")) {
        (Lines::Bare | Lines::Errors, _) => lines.without_time().with_level(false).try_init(),
        (Lines::Dated, Some(_)) => lines.without_time().try_init(),
        (Lines::Dated, None) => lines.with_timer(LocalTime).try_init(),
    };
    // Only a second start in one process can fail, and the first one goes on.
    drop(started);
    Ok(Log { console })
}

impl Log {
    /// Says why the program fails, after all that it said before.
    pub fn say_error(&self, error: &impl fmt::Display) {
        self.console.say(&format!("error: {error:#}"));
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.console.printed_within(READ_WITHIN);
    }
}

/// The machine's local time, to the second.
struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        let now = SystemClock.now().with_timezone(&Local);
        write!(to, "{}", now.format("%Y-%m-%d %H:%M:%S"))
    }
}
