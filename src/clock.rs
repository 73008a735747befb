//! The wall clock, behind a trait, so that tests can set it.

use std::fmt::Debug;
use std::fs;
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};

use crate::domain::ids::BootId;
use crate::domain::spool::NO_CLOCK_BEFORE;

/// What systemd's time service makes once it has set the clock.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";
/// The hardware clock, seconds since 1970, where there is one.
const HARDWARE_CLOCK: &str = "/sys/class/rtc/rtc0/since_epoch";
/// How much a clock may be off that was set by a hardware clock, in seconds.
const HARDWARE_TOLERANCE: i64 = 60;
/// How far the international atomic time is ahead of UTC, in seconds: 10 at first, in 1972, and 37
/// since 2017. A machine takes it to be 0 until something that keeps its clock says otherwise.
const LEAP_SECONDS: RangeInclusive<i64> = 10..=100;
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

/// Whether a clock that shows this was ever set.
pub fn is_set(now: DateTime<Utc>) -> bool {
    now.timestamp_millis() >= NO_CLOCK_BEFORE
}

/// Whether there is reason to believe the wall clock after a start of the machine: systemd's time
/// service has set it, or another has that tells the kernel of leap seconds (as chrony and ntpd do
/// that have a list of them), or the hardware clock shows the same. A clock that went on from where
/// it stood when the power went is none of these.
pub fn is_trusted(now: DateTime<Utc>) -> bool {
    if !is_set(now) {
        return false;
    }
    let shown = fs::read_to_string(HARDWARE_CLOCK).ok();
    let shown = shown.and_then(|text| text.trim().parse::<i64>().ok());
    let same = |shown: i64| (now.timestamp() - shown).abs() <= HARDWARE_TOLERANCE;
    shown.is_some_and(same)
        || fs::exists(SYNCHRONISED).unwrap_or(false)
        || leap_seconds().is_some_and(|known| LEAP_SECONDS.contains(&known))
}

/// How many seconds the kernel takes the international atomic time to be ahead.
fn leap_seconds() -> Option<i64> {
    let utc = clock_gettime(ClockId::CLOCK_REALTIME).ok()?;
    let atomic = clock_gettime(ClockId::CLOCK_TAI).ok()?;
    Some((atomic - utc).num_seconds())
}
