//! Log lines, on standard error.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};

use chrono::Local;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::clock::{Clock, SystemClock};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// With time and level, for a program that runs on.
    Dated,
    /// The message alone, for a command that ends at once.
    Bare,
    /// As [`Lines::Bare`], and errors only: what the command prints says the rest.
    Errors,
}

/// Begins logging. `TWINKLE_LOG` says how much: `warn`, `info` (usually the default), `debug`, `trace`.
pub fn start(look: Lines) {
    let filter = EnvFilter::try_from_env("TWINKLE_LOG").unwrap_or_else(|_| {
        EnvFilter::new(if look == Lines::Errors {
            "error"
        } else {
            "info"
        })
    });
    let colours =
        io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
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
}

/// The machine's local time, to the second.
struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        let now = SystemClock.now().with_timezone(&Local);
        write!(to, "{}", now.format("%Y-%m-%d %H:%M:%S"))
    }
}
