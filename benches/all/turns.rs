//! What is measured many times, in turn, and for short: things differ by less than a machine that has
//! neighbours differs from one second to the next.

use std::time::Duration;

use crate::two_hop::median;

/// How often each is measured, one right after the other.
pub const TURNS: usize = 25;
/// How long each time: as short as the last of a turn may still find what the first has found.
pub const MEASURED: Duration = Duration::from_millis(500);
/// Of so many ratios in their order, the median of many more lies between the one that is so far from
/// the beginning and the one so far from the end, 19 times of 20: by the binomial distribution, and
/// whatever theirs is.
const FROM_EITHER_END: usize = 7;

/// A ratio, as the turns saw it.
pub struct Ratio {
    /// The median.
    pub median: f64,
    /// Between what the median of many more turns would lie.
    within: [f64; 2],
}

impl Ratio {
    /// That of one ratio for each turn.
    pub fn of(turns: impl Iterator<Item = f64>) -> Self {
        let mut turns: Vec<_> = turns.collect();
        turns.sort_by(f64::total_cmp);
        let within = [
            turns[FROM_EITHER_END],
            turns[turns.len() - 1 - FROM_EITHER_END],
        ];
        Self {
            median: median(turns.into_iter()),
            within,
        }
    }

    /// Both, as two fields of a row.
    pub fn shown(&self) -> [String; 2] {
        let [low, high] = self.within;
        [
            format!("{:.2}", self.median),
            format!("{low:.2} to {high:.2}"),
        ]
    }
}
