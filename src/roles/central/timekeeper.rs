//! The central's time: the machine's clock, unless that shows a time before what is stored already.
//! A computer without a clock chip wakes up in 1970, or when it was last switched off. People are
//! let in all the same, as of the newest entry and the time since; what is stored then is marked. Of
//! one that has stored nothing yet only the first is known.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::clock::{self, Clock};
use crate::domain::spool::{ClockFault, TOLERANCE};

/// See the module.
#[derive(Debug)]
pub(super) struct Timekeeper<C> {
    machine: C,
    /// What was known when we started, so that the clock can be doubted.
    known: Known,
    started: Instant,
    in_doubt: AtomicBool,
}

/// What a machine's clock is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Somebody says that it is right.
    Trusted,
    /// The newest that is stored.
    Newest(DateTime<Utc>),
    /// Nothing is stored.
    Nothing,
}

/// Why it is in doubt.
enum Doubt {
    /// It was never set.
    Unset,
    /// It shows a time before what is stored, the newest of which is this.
    Before(DateTime<Utc>),
}

impl<C: Clock> Timekeeper<C> {
    /// A clock that is in doubt while it contradicts what is known.
    pub(super) fn new(machine: C, known: Known) -> Self {
        let keeper = Self {
            machine,
            known,
            started: Instant::now(),
            in_doubt: AtomicBool::new(false),
        };
        keeper.look();
        keeper
    }

    /// The machine's time, and why it is in doubt, if it is; says so when that changes.
    fn look(&self) -> (DateTime<Utc>, Option<Doubt>) {
        let shown = self.machine.now();
        let before = TimeDelta::milliseconds(TOLERANCE);
        let doubt = match self.known {
            Known::Trusted => None,
            Known::Newest(newest) => (shown < newest - before && !clock::is_trusted(shown))
                .then_some(Doubt::Before(newest)),
            Known::Nothing => (!clock::is_set(shown)).then_some(Doubt::Unset),
        };
        if self.in_doubt.swap(doubt.is_some(), Ordering::Relaxed) != doubt.is_some() {
            let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
            match doubt {
                Some(Doubt::Before(newest)) => warn!(
                    "this machine's clock shows {}, and there is something stored of {}: until it is \
                     set, doors open as of then, what is stored is marked, and no day becomes final \
                     (--trust-clock if it is right)",
                    time(shown),
                    time(newest)
                ),
                Some(Doubt::Unset) => warn!(
                    "this machine's clock shows {}: it was never set, and flashes would count for \
                     that day. Set it, as with timedatectl; until then what is stored is marked",
                    time(shown)
                ),
                None => info!("this machine's clock was set: it shows {}", time(shown)),
            }
        }
        (shown, doubt)
    }

    /// What is wrong with the machine's clock now.
    pub(super) fn fault(&self) -> Option<ClockFault> {
        let (shown, doubt) = self.look();
        doubt.map(|_| match clock::is_set(shown) {
            false => ClockFault::Unset,
            true => ClockFault::Behind,
        })
    }
}

impl<C: Clock> Clock for Timekeeper<C> {
    fn now(&self) -> DateTime<Utc> {
        match self.look() {
            (_, Some(Doubt::Before(newest))) => newest + self.started.elapsed(),
            (shown, _) => shown,
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
        let keeper = Timekeeper::new(
            Fixed(Mutex::new(at("1970-01-01T00:00:10Z"))),
            Known::Newest(newest),
        );
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
    fn with_nothing_stored_only_a_clock_that_was_never_set_is_doubted() {
        let never_set = at("1970-01-01T00:00:10Z");
        let keeper = |known| Timekeeper::new(Fixed(Mutex::new(never_set)), known);
        let doubted = keeper(Known::Nothing);
        assert_eq!(
            (doubted.now(), doubted.fault()),
            (never_set, Some(ClockFault::Unset))
        );
        let trusted = keeper(Known::Trusted);
        assert_eq!((trusted.now(), trusted.fault()), (never_set, None));

        *doubted.machine.0.lock().unwrap() = at("2026-03-10T17:00:00Z");
        assert_eq!(doubted.fault(), None);
    }
}
