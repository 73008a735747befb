//! Which of an upstream's addresses to use: the first that works, and the preferred one again once
//! it has answered for long enough. No I/O and no clock: times come as arguments.

use std::time::Duration;

use tokio::time::Instant;

/// For how long a preferred address must have answered before it is used again: at first, and at
/// most, after it was lost again soon each time.
const HOLD: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

/// See the module. An address is known by its place among them, the preferred first.
#[derive(Debug)]
pub(super) struct Ways {
    /// For each address, the how-manieth loss was its own, if it was not welcome since.
    lost: Vec<Option<u64>>,
    losses: u64,
    /// The one in use, and since when.
    current: Option<(usize, Instant)>,
    /// Whether it is in use because it answered again.
    came_back: bool,
    hold: Duration,
}

impl Ways {
    /// So many addresses, of which nothing is known yet.
    pub(super) fn new(count: usize) -> Self {
        Self {
            lost: vec![None; count],
            losses: 0,
            current: None,
            came_back: false,
            hold: HOLD.0,
        }
    }

    /// In which order to try them: those that were not lost first, and that last which was lost
    /// last. One that says Welcome and then decides nothing must not be the first again.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lost.len()).collect();
        order.sort_by_key(|&way| self.lost.get(way).copied().flatten());
        order
    }

    /// That one is in use from now on; `back` says that it took the place of one that worked.
    pub(super) fn welcomed(&mut self, way: usize, back: bool, now: Instant) {
        self.current = Some((way, now));
        self.came_back = back;
        if let Some(lost) = self.lost.get_mut(way) {
            *lost = None;
        }
    }

    /// The one in use is lost.
    pub(super) fn lost(&mut self, now: Instant) {
        let Some((way, since)) = self.current.take() else {
            return;
        };
        self.losses += 1;
        if let Some(lost) = self.lost.get_mut(way) {
            *lost = Some(self.losses);
        }
        let lasted = now.saturating_duration_since(since);
        if lasted >= HOLD.1 {
            self.hold = HOLD.0;
        } else if self.came_back {
            self.hold = (self.hold * 2).min(HOLD.1);
        }
    }

    /// How many are preferred to the one in use.
    pub(super) fn better(&self) -> usize {
        self.current.map_or(0, |(way, _)| way)
    }

    /// For how long one of those must have answered before it is used.
    pub(super) fn hold(&self) -> Duration {
        self.hold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_tried_last() {
        let now = Instant::now();
        let mut ways = Ways::new(3);
        assert_eq!(ways.order(), [0, 1, 2]);
        ways.welcomed(0, false, now);
        ways.lost(now);
        assert_eq!(ways.order(), [1, 2, 0]);
        ways.welcomed(1, false, now);
        assert_eq!(ways.better(), 1);
        ways.lost(now);
        assert_eq!(ways.order(), [2, 0, 1]);
        ways.welcomed(0, false, now);
        assert_eq!((ways.order(), ways.better()), (vec![0, 2, 1], 0));
    }

    #[test]
    fn an_address_that_comes_and_goes_has_to_answer_for_longer_each_time() {
        let mut now = Instant::now();
        let mut ways = Ways::new(2);
        ways.welcomed(0, false, now);
        ways.lost(now);
        assert_eq!(ways.hold(), HOLD.0, "it never came back");
        let mut holds = Vec::new();
        for _ in 0..8 {
            ways.welcomed(1, false, now);
            ways.welcomed(0, true, now);
            now += Duration::from_secs(60);
            ways.lost(now);
            holds.push(ways.hold().as_secs());
        }
        assert_eq!(holds, [20, 40, 80, 160, 320, 600, 600, 600]);
        ways.welcomed(0, true, now);
        ways.lost(now + HOLD.1);
        assert_eq!(ways.hold(), HOLD.0);
    }
}
