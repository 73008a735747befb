//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// The first wait that is not zero.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest wait: a door serves again within this time of its relay's return.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits that double from 50 ms to 1 s, the first one none at all. Each is cut by up to half at
/// random, so that two hundred doors do not come back to a restarted relay in step.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The wait before the next attempt.
    pub fn next_wait(&mut self) -> Duration {
        let doublings = self.attempts.checked_sub(1);
        self.attempts = self.attempts.saturating_add(1);
        let Some(doublings) = doublings else {
            return Duration::ZERO;
        };
        let whole = SHORTEST
            .saturating_mul(2u32.saturating_pow(doublings))
            .min(LONGEST);
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// Begins again: an attempt has succeeded.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_at_once_and_none_takes_longer_than_a_second() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next_wait(), Duration::ZERO);
        let first = backoff.next_wait();
        assert!((SHORTEST / 2..=SHORTEST).contains(&first), "{first:?}");
        let waits: Vec<_> = (0..1000).map(|_| backoff.next_wait()).collect();
        assert!(waits.iter().all(|&wait| wait <= LONGEST));
        assert!(waits.iter().skip(10).all(|&wait| wait >= LONGEST / 2));
        assert!(
            waits.iter().skip(10).any(|&wait| wait != waits[10]),
            "no jitter"
        );
        backoff.reset();
        assert_eq!(backoff.next_wait(), Duration::ZERO);
    }
}
