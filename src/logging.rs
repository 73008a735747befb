//! Log lines, on standard error: for people, for the journal, or as JSON.

use std::fmt;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::time::Duration;
use std::{env, str::FromStr};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::fstat;
use tracing::error;
use tracing::level_filters::LevelFilter;

use crate::console::Console;

mod lines;

use lines::{JournalLine, LocalTime};

/// How long the end of the program waits for somebody to read the last lines.
const READ_WITHIN: Duration = Duration::from_millis(300);
/// How many times as long it waits for its own thread to print them, on a machine that is too busy.
const PATIENCE: u32 = 20;

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

/// Whom the log is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people, and for systemd's journal where that reads it
    #[default]
    Text,
    /// One JSON object a line, for programs that gather logs
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("say text or json"),
        }
    }
}

/// How log lines for people look.
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
    /// Whether an error at the end is a line of the log like any other: what reads it is no person.
    for_programs: bool,
}

/// Begins logging.
///
/// # Errors
/// If the system has no thread for it.
pub fn start(look: Lines, level: Option<Level>, format: LogFormat) -> io::Result<Log> {
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
    let in_journal = is_read_by_journal();
    let started = match (format, look) {
        (LogFormat::Json, _) => lines.json().flatten_event(true).try_init(),
        (LogFormat::Text, _) if in_journal => lines.event_format(JournalLine).try_init(),
        (LogFormat::Text, Lines::Bare | Lines::Errors) => {
            lines.without_time().with_level(false).try_init()
        }
        (LogFormat::Text, Lines::Dated) => lines.with_timer(LocalTime).try_init(),
    };
    // Only a second start in one process can fail, and the first one goes on.
    drop(started);
    Ok(Log {
        console,
        for_programs: in_journal || format == LogFormat::Json,
    })
}

impl Log {
    /// Says why the program fails, after all that it said before.
    pub fn say_error(&self, cause: &impl fmt::Display) {
        if self.for_programs {
            error!("{cause:#}");
        } else {
            self.console.say(&format!("error: {cause:#}"));
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        for _ in 0..PATIENCE {
            if self.console.printed_within(READ_WITHIN) || !has_room() {
                return;
            }
        }
    }
}

/// Whether standard error takes something now: else whoever reads it has stopped.
fn has_room() -> bool {
    let stderr = io::stderr();
    let mut ready = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
    poll(&mut ready, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// Whether standard error leads to systemd's journal: `JOURNAL_STREAM` names the stream that does,
/// and is inherited by processes whose output goes elsewhere (`systemd.exec(5)`).
fn is_read_by_journal() -> bool {
    let stream = env::var("JOURNAL_STREAM").ok();
    let Some((device, inode)) = stream.as_deref().and_then(|stream| stream.split_once(':')) else {
        return false;
    };
    let ours = fstat(io::stderr());
    ours.is_ok_and(|ours| device.parse() == Ok(ours.st_dev) && inode.parse() == Ok(ours.st_ino))
}
