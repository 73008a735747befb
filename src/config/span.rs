//! Lengths of time, as flags and the configuration give them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A length of time, written `5s`, `1.5s`, `500ms` or `2m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration(text)
            .filter(|span| (MIN_SPAN..=MAX_SPAN).contains(span))
            .map(Self)
            .ok_or_else(|| SPAN_HELP.to_owned())
    }
}

/// A number and its unit.
fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let number = number.trim_end().parse::<f64>().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// A longer time, written `30m`, `12h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(pub Duration);

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration(text)
            .filter(|period| (MIN_PERIOD..=MAX_PERIOD).contains(period))
            .map(Self)
            .ok_or_else(|| PERIOD_HELP.to_owned())
    }
}

impl fmt::Display for Period {
    /// As in `12 h` and `1.5 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        match self.0.as_secs() {
            0..120 => write!(f, "{seconds} s"),
            120..7_200 => write!(f, "{} min", seconds / 60.0),
            _ => write!(f, "{} h", seconds / 3_600.0),
        }
    }
}

const PERIOD_HELP: &str = "write a time as 30m, 12h or 7d, from 1s to 90d";
const MIN_PERIOD: Duration = Duration::from_secs(1);
const MAX_PERIOD: Duration = Duration::from_secs(90 * 86_400);

const SPAN_HELP: &str = "write a time as 5s, 1.5s, 500ms or 2m, from 1ms to 1h";
const MIN_SPAN: Duration = Duration::from_millis(1);
const MAX_SPAN: Duration = Duration::from_secs(3600);

impl fmt::Display for Span {
    /// As in `5 s` and `500 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            millis if millis < 1000 => write!(f, "{millis} ms"),
            _ => write!(f, "{} s", self.0.as_secs_f64()),
        }
    }
}
