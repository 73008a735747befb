//! The wall clock, behind a trait, so that tests can set it.

use std::fmt::Debug;
use std::fs;
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::time::{ClockId, clock_gettime};

use crate::domain::ids::BootId;

/// Where the kernel names this start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

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

/// How long the machine has been up, time asleep included: a clock that nobody sets. It tells how
/// old something is, together with the [`boot`] since which it counts.
///
/// # Errors
/// If the system has no such clock.
pub fn uptime() -> nix::Result<Duration> {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from)
}

/// Which start of the machine this is. Where the kernel does not tell, each start of the program
/// counts as one: ages are then unknown after it, and never wrong.
pub fn boot() -> BootId {
    let told = fs::read_to_string(BOOT_ID).ok();
    told.and_then(|id| id.parse().ok())
        .unwrap_or_else(BootId::generate)
}
