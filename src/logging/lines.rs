//! What a log line consists of beside its message.

use std::fmt;

use chrono::Local;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::registry::LookupSpan;

use crate::clock::{Clock, SystemClock};

/// The machine's local time, to the second.
pub(super) struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        let now = SystemClock.now().with_timezone(&Local);
        write!(to, "{}", now.format("%Y-%m-%d %H:%M:%S"))
    }
}

/// A line for systemd's journal, which notes the time itself and takes the level from a prefix.
pub(super) struct JournalLine;

impl<S, F> FormatEvent<S, F> for JournalLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, F>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(to, "<{}>", journal_level(*event.metadata().level()))?;
        context.format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}

/// The journal's number for a level: the prefix of `sd-daemon(3)`, whose levels are those of
/// `syslog(3)`.
fn journal_level(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}
