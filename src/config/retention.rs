//! How long events are kept.

use std::str::FromStr;

use chrono::Days;
use serde::Deserialize;

use crate::domain::calendar::Day;

/// A number of days, written `730d` or `2y`, of 365 days each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Retention(u64);

/// A relay may still send what is younger.
const LEAST: u64 = 90;
const MOST: u64 = 100 * 365;

impl Retention {
    /// The first day whose events are kept.
    pub fn before(self, today: Day) -> Day {
        today.checked_sub_days(Days::new(self.0)).unwrap_or(today)
    }
}

impl Default for Retention {
    /// Two years.
    fn default() -> Self {
        Self(2 * 365)
    }
}

impl FromStr for Retention {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = |number: &str, unit: u64| number.parse::<u64>().ok()?.checked_mul(unit);
        let text = text.trim();
        let found = match (text.strip_suffix('d'), text.strip_suffix('y')) {
            (Some(number), _) => days(number, 1),
            (_, Some(number)) => days(number, 365),
            _ => None,
        };
        found
            .filter(|days| (LEAST..=MOST).contains(days))
            .map(Self)
            .ok_or("write how long events are kept as 730d or 2y, from 90d to 100y")
    }
}

impl TryFrom<String> for Retention {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_for_days_or_years_and_not_too_short() {
        let today = Day::from_ymd_opt(2026, 11, 26).unwrap();
        for (text, first) in [("90d", "2026-08-28"), ("2y", "2024-11-26")] {
            let kept: Retention = text.parse().unwrap();
            assert_eq!(kept.before(today).to_string(), first);
        }
        assert_eq!("730d".parse(), Ok(Retention::default()));
        for bad in ["", "2", "89d", "-1y", "d", "101y", "2 weeks"] {
            assert!(bad.parse::<Retention>().is_err(), "{bad}");
        }
    }
}
