//! Guessing: unknown badges at a door, one after the other.

use chrono::TimeDelta;

/// From which unknown badge in a minute at a door on they are guesses, if nobody says otherwise.
pub const USUALLY_FROM: u32 = 10;
/// In milliseconds. Also how long it must be quiet for guessing to be over.
const WINDOW: i64 = 60_000;
/// How much later each guess is answered than the one before.
const STEP: TimeDelta = TimeDelta::milliseconds(100);
/// The latest: well within the time that a relay waits for its central, which must not be taken for
/// gone.
const LATEST: TimeDelta = TimeDelta::milliseconds(1_000);
/// Up to which id a torch and patience find a badge: one guess a second, for a day.
pub const EASILY_GUESSED: u64 = 86_400;

/// How many unknown badges there were at a door, this one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guesses {
    /// So many.
    pub count: u32,
    /// From which on they are guesses.
    pub from: u32,
}

impl Guesses {
    /// Whether this is a guess.
    pub fn is_guess(self) -> bool {
        self.count >= self.from
    }

    /// Whether guessing begins with it.
    pub fn is_first(self) -> bool {
        self.count == self.from
    }

    /// How much later than others it is to be answered.
    pub fn delay(self) -> TimeDelta {
        let guesses = self.count.saturating_add(1).saturating_sub(self.from);
        i32::try_from(guesses)
            .ok()
            .and_then(|guesses| STEP.checked_mul(guesses))
            .map_or(LATEST, |delay| LATEST.min(delay))
    }
}

/// Whether an unknown badge now belongs to those that began and came last at these times, UTC
/// milliseconds; `guessing` says whether they are guesses already. A clock that was set back begins
/// anew.
pub fn go_on(began: i64, last: i64, guessing: bool, now: i64) -> bool {
    let since = if guessing { last } else { began };
    (0..WINDOW).contains(&now.saturating_sub(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guesses(count: u32) -> Guesses {
        Guesses { count, from: 10 }
    }

    #[test]
    fn the_tenth_in_a_minute_begins_it_and_each_waits_longer() {
        let delays = [1, 9, 10, 11, 15, 19, 20, u32::MAX];
        let delays = delays.map(|count| guesses(count).delay().num_milliseconds());
        assert_eq!(delays, [0, 0, 100, 200, 600, 1000, 1000, 1000]);
        assert!(!guesses(9).is_guess() && guesses(10).is_guess());
        assert!(guesses(10).is_first() && !guesses(11).is_first());
    }

    #[test]
    fn stray_badges_are_forgotten_after_a_minute_and_guesses_after_a_quiet_one() {
        assert!(go_on(0, 50_000, false, 59_999));
        assert!(!go_on(0, 59_000, false, 60_000));
        assert!(go_on(0, 500_000, true, 559_999));
        assert!(!go_on(0, 500_000, true, 560_000));
        assert!(!go_on(0, 500_000, true, 499_999));
    }
}
