//! How long flashes took, put together: the usual and the worst, how they are spread, and how they
//! change over time. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// The most parts into which a period is divided.
const SLOTS: i64 = 48;
/// How long such a part may be, in minutes.
const LENGTHS: [i64; 13] = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080];

/// The figures of some delays, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// How many there are.
    pub count: usize,
    /// The least.
    pub least: u32,
    /// The mean.
    pub mean: f64,
    /// What half of them are within.
    pub p50: u32,
    /// What 95 of 100 are within.
    pub p95: u32,
    /// What 99 of 100 are within.
    pub p99: u32,
    /// The most.
    pub most: u32,
}

impl Figures {
    /// Those of delays in order; `None` of none.
    fn of(sorted: &[u32]) -> Option<Self> {
        let sum: u64 = sorted.iter().map(|&us| u64::from(us)).sum();
        let count = sorted.len();
        // The nearest rank: a delay that there was.
        let within = |of_100: usize| {
            sorted
                .get((count * of_100).div_ceil(100).max(1) - 1)
                .copied()
        };
        Some(Self {
            count,
            least: *sorted.first()?,
            mean: sum as f64 / count as f64,
            p50: within(50)?,
            p95: within(95)?,
            p99: within(99)?,
            most: *sorted.last()?,
        })
    }
}

/// Delays that are being put together.
#[derive(Debug)]
pub struct Gathering {
    from: DateTime<Utc>,
    slot: TimeDelta,
    all: Vec<u32>,
    by_door: BTreeMap<(String, String), Vec<u32>>,
    by_slot: BTreeMap<i64, Vec<u32>>,
}

/// Delays put together.
#[derive(Debug)]
pub struct Overview {
    /// All of them; `None` if there are none.
    pub all: Option<Figures>,
    /// Those of each door through each relay, by the names of door and relay.
    pub doors: Vec<((String, String), Figures)>,
    /// How many there are up to each length, in microseconds, and above the one before.
    pub spread: Vec<(u32, usize)>,
    /// Those of each part of the time in which there were any, by its beginning.
    pub over_time: Vec<(DateTime<Utc>, Figures)>,
    /// How long such a part is.
    pub slot: TimeDelta,
}

impl Gathering {
    /// Begins with none, of a period.
    pub fn of(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        let minutes = (until - from).num_minutes();
        let fits = |length: &&i64| minutes <= **length * SLOTS;
        let length = LENGTHS.iter().find(fits).or(LENGTHS.last());
        Self {
            from,
            slot: TimeDelta::minutes(length.copied().unwrap_or(1)),
            all: Vec::new(),
            by_door: BTreeMap::new(),
            by_slot: BTreeMap::new(),
        }
    }

    /// Adds one.
    pub fn add(&mut self, at: DateTime<Utc>, door: String, relay: String, us: u32) {
        let slot = (at - self.from)
            .num_milliseconds()
            .div_euclid(self.slot.num_milliseconds());
        self.all.push(us);
        self.by_door.entry((door, relay)).or_default().push(us);
        self.by_slot.entry(slot).or_default().push(us);
    }

    /// Puts them together.
    pub fn finish(mut self) -> Overview {
        self.all.sort_unstable();
        let figures = |mut delays: Vec<u32>| {
            delays.sort_unstable();
            Figures::of(&delays)
        };
        let doors = self.by_door.into_iter();
        let slots = self.by_slot.into_iter();
        let begin = |slot: i64| {
            let after = i32::try_from(slot)
                .ok()
                .and_then(|slot| self.slot.checked_mul(slot));
            self.from + after.unwrap_or_default()
        };
        Overview {
            all: Figures::of(&self.all),
            doors: doors
                .filter_map(|(door, delays)| Some((door, figures(delays)?)))
                .collect(),
            spread: spread(&self.all),
            over_time: slots
                .filter_map(|(slot, delays)| Some((begin(slot), figures(delays)?)))
                .collect(),
            slot: self.slot,
        }
    }
}

/// How delays in order are spread over lengths of 1, 2, 5, 10, 20 … microseconds.
fn spread(sorted: &[u32]) -> Vec<(u32, usize)> {
    let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else {
        return Vec::new();
    };
    let decades = (0..10).map(|power| 10_u64.pow(power));
    let lengths = decades.flat_map(|ten| [ten, 2 * ten, 5 * ten]);
    let mut spread = Vec::new();
    let mut before = 0;
    for length in lengths.filter_map(|length| u32::try_from(length).ok()) {
        let up_to = sorted.partition_point(|&us| us <= length);
        if length >= least {
            spread.push((length, up_to - before));
        }
        before = up_to;
        if length >= most {
            return spread;
        }
    }
    spread.push((u32::MAX, sorted.len() - before));
    spread
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> DateTime<Utc> {
        format!("2024-02-15T{time}Z").parse().unwrap()
    }

    #[test]
    fn figures_are_of_delays_that_there_were() {
        let mut day = Gathering::of(at("00:00:00"), at("00:00:00") + TimeDelta::days(1));
        for us in 1..=200 {
            day.add(
                at("08:00:00"),
                "lab".to_owned(),
                "north".to_owned(),
                us * 10,
            );
        }
        day.add(
            at("09:31:00"),
            "gate".to_owned(),
            "north".to_owned(),
            97_000_000,
        );
        let overview = day.finish();
        let all = overview.all.unwrap();
        assert_eq!((all.count, all.least, all.most), (201, 10, 97_000_000));
        assert_eq!((all.p50, all.p95, all.p99), (1010, 1910, 1990));
        let [(_, gate), ((lab, relay), of_lab)] = overview.doors.as_slice() else {
            panic!("{overview:?}");
        };
        assert_eq!((gate.p50, gate.mean), (97_000_000, 97_000_000.0));
        assert_eq!(
            (lab.as_str(), relay.as_str(), of_lab.mean),
            ("lab", "north", 1005.0)
        );
        let slots: Vec<_> = overview
            .over_time
            .iter()
            .map(|(at, f)| (*at, f.count))
            .collect();
        assert_eq!(slots, [(at("08:00:00"), 200), (at("09:30:00"), 1)]);
    }

    #[test]
    fn delays_are_spread_from_the_least_to_the_most() {
        assert_eq!(spread(&[]), []);
        assert_eq!(spread(&[7]), [(10, 1)]);
        assert_eq!(spread(&[10, 11, 20, 49]), [(10, 1), (20, 2), (50, 1)]);
        assert_eq!(spread(&[1, u32::MAX]).last(), Some(&(u32::MAX, 1)));
        assert_eq!(spread(&[0]), [(1, 1)]);
    }

    #[test]
    fn a_period_has_parts_that_fit_a_screen() {
        let slot = |minutes| {
            let period = TimeDelta::minutes(minutes);
            Gathering::of(at("00:00:00"), at("00:00:00") + period)
                .slot
                .num_minutes()
        };
        assert_eq!((slot(10), slot(49), slot(1440), slot(1500)), (1, 5, 30, 60));
        assert_eq!(slot(60 * 24 * 365 * 20), 10_080);
    }
}
