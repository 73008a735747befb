//! Instants as people name them.

use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveTime, TimeDelta, TimeZone, Utc};

use crate::domain::calendar::{Day, DayChoice, Days};

/// An instant as a user names it. Which one it is may depend on today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstantChoice {
    day: Option<DayChoice>,
    time: NaiveTime,
}

impl InstantChoice {
    /// The instant that is meant, by the clocks of the installation. A time that they show twice is
    /// meant when they show it first; one that they leave out, as if they had gone on.
    pub fn resolve(self, today: Day, days: Days) -> DateTime<Utc> {
        let day = self.day.map_or(today, |choice| choice.resolve(today));
        let wall = day.and_time(self.time);
        match days.timezone.from_local_datetime(&wall) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.to_utc(),
            LocalResult::None => {
                let before = days
                    .timezone
                    .from_local_datetime(&(wall - TimeDelta::hours(3)));
                let before = before.earliest().map(|instant| instant.to_utc());
                before.map_or(wall.and_utc(), |before| before + TimeDelta::hours(3))
            }
        }
    }
}

impl FromStr for InstantChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const HELP: &str = "write a time as 08:05, '2026-11-22 08:05' or 'yesterday 08:05'";
        let text = text.trim();
        let (day, time) = match text.rsplit_once([' ', 'T']) {
            Some((day, time)) => (Some(day.trim()), time),
            None => (None, text),
        };
        let day = day.map(str::parse).transpose().map_err(|_| HELP)?;
        let time = NaiveTime::parse_from_str(time, "%H:%M:%S")
            .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"))
            .map_err(|_| HELP)?;
        Ok(Self { day, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn resolve(text: &str, timezone: Tz) -> String {
        let days = Days::midnight(timezone);
        let choice: InstantChoice = text.parse().unwrap();
        let instant = choice.resolve("2024-04-01".parse().unwrap(), days);
        instant.format("%m-%d %H:%M:%S").to_string()
    }

    #[test]
    fn times_are_those_of_the_sites_clocks() {
        for (text, expected) in [
            ("08:05", "04-01 02:35:00"),
            ("yesterday 08:05:30", "03-31 02:35:30"),
            ("2024-02-29 00:00", "02-28 18:30:00"),
            ("2024-02-29T23:59", "02-29 18:29:00"),
        ] {
            assert_eq!(resolve(text, Tz::Asia__Kolkata), expected, "{text}");
        }
    }

    #[test]
    fn a_time_that_clocks_leave_out_or_show_twice_is_one_instant() {
        assert_eq!(
            resolve("2024-03-31 01:30", Tz::Europe__London),
            "03-31 01:30:00"
        );
        assert_eq!(
            resolve("2024-10-27 01:30", Tz::Europe__London),
            "10-27 00:30:00"
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "8",
            "24:00",
            "08:60",
            "noon",
            "2024-02-30 08:00",
            "2024-02-29",
        ] {
            assert!(bad.parse::<InstantChoice>().is_err(), "{bad:?}");
        }
    }
}
