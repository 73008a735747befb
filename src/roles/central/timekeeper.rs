//! The central's time: the machine's clock, unless that shows a time before what is stored already.
//! A computer without a clock chip wakes up in 1970, or when it was last switched off. People are
//! let in all the same, as of the newest entry and the time since; what is stored then is marked.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::clock::{self, Clock};
use crate::domain::spool::{ClockFault, NO_CLOCK_BEFORE, TOLERANCE};

/// See the module.
#[derive(Debug)]
pub(super) struct Timekeeper<C> {
    machine: C,
    /// The newest that is stored, when we started; `None`: nothing, or the clock is to be trusted.
    newest: Option<DateTime<Utc>>,
    started: Instant,
    in_doubt: AtomicBool,
}

impl<C: Clock> Timekeeper<C> {
    /// A clock that is in doubt while it shows a time before `newest`.
    pub(super) fn new(machine: C, newest: Option<DateTime<Utc>>) -> Self {
        let keeper = Self {
            machine,
            newest,
            started: Instant::now(),
            in_doubt: AtomicBool::new(false),
        };
        keeper.look();
        keeper
    }

    /// The machine's time, and since what it is in doubt, if it is; says so when that changes.
    fn look(&self) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
        let shown = self.machine.now();
        let before = TimeDelta::milliseconds(TOLERANCE);
        let newest = self
            .newest
            .filter(|newest| shown < *newest - before && !clock::is_trusted(shown));
        if self.in_doubt.swap(newest.is_some(), Ordering::Relaxed) != newest.is_some() {
            let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
            match newest {
                Some(newest) => warn!(
                    "this machine's clock shows {}, and there is something stored of {}: until it is \
                     set, doors open as of then, what is stored is marked, and no day becomes final \
                     (--trust-clock if it is right)",
                    time(shown),
                    time(newest)
                ),
                None => info!("this machine's clock was set: it shows {}", time(shown)),
            }
        }
        (shown, newest)
    }

    /// What is wrong with the machine's clock now.
    pub(super) fn fault(&self) -> Option<ClockFault> {
        let (shown, newest) = self.look();
        newest.map(|_| match shown.timestamp_millis() < NO_CLOCK_BEFORE {
            true => ClockFault::Unset,
            false => ClockFault::Behind,
        })
    }
}

impl<C: Clock> Clock for Timekeeper<C> {
    fn now(&self) -> DateTime<Utc> {
        match self.look() {
            (shown, None) => shown,
            (_, Some(newest)) => newest + self.started.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Debug)]
    struct Fixed(Mutex<DateTime<Utc>>);

    impl Clock for Fixed {
        fn now(&self) -> DateTime<Utc> {
            *self.0.lock().unwrap()
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_clock_before_what_is_stored_counts_from_there_until_it_is_set() {
        let newest = at("2026-03-10T17:00:00Z");
        let keeper = Timekeeper::new(Fixed(Mutex::new(at("1970-01-01T00:00:10Z"))), Some(newest));
        assert_eq!(keeper.fault(), Some(ClockFault::Unset));
        let shows = |text| *keeper.machine.0.lock().unwrap() = at(text);
        assert!(keeper.now() >= newest && keeper.now() < newest + TimeDelta::seconds(60));
        shows("2026-03-11T08:00:00Z");
        assert_eq!(keeper.fault(), None);
        assert_eq!(keeper.now(), at("2026-03-11T08:00:00Z"));
        // Clocks are set back a little, too.
        shows("2026-03-10T16:58:00Z");
        assert_eq!(keeper.now(), at("2026-03-10T16:58:00Z"));
    }

    #[test]
    fn with_nothing_stored_the_machine_is_believed() {
        let time = at("1970-01-01T00:00:10Z");
        let keeper = Timekeeper::new(Fixed(Mutex::new(time)), None);
        assert_eq!((keeper.now(), keeper.fault()), (time, None));
    }
}
