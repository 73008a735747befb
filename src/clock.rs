//! The wall clock, behind a trait, so that tests can set it.

use std::fmt::Debug;

use chrono::{DateTime, Utc};

/// Tells the time of day. Durations are not its business: they come from `Instant`, which setting
/// the clock does not move.
pub trait Clock: Debug + Send + Sync {
    /// Now, by the wall clock.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
