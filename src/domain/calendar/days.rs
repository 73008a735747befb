//! Which day an instant belongs to.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::domain::calendar::Day;

/// No timezone's clock is this far from UTC, or is set forward by as much.
const FARTHEST: TimeDelta = TimeDelta::hours(26);

/// When days begin: one follows the other without a gap, whatever is done to the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The timezone whose clocks say when.
    pub timezone: Tz,
    /// The time at which a day begins: a night shift belongs to the day on which it began.
    pub starts_at: NaiveTime,
}

impl Days {
    /// Days from midnight to midnight.
    pub fn midnight(timezone: Tz) -> Self {
        Self {
            timezone,
            starts_at: NaiveTime::MIN,
        }
    }

    /// The day that an instant belongs to.
    pub fn day_of(self, instant: DateTime<Utc>) -> Day {
        let shown = self.local(instant).date_naive();
        // A clock that was set back over the beginning of a day shows the day before once more.
        let candidates = [shown.succ_opt(), Some(shown)];
        candidates
            .into_iter()
            .flatten()
            .find(|&day| self.start_of(day) <= instant)
            .or_else(|| shown.pred_opt())
            .unwrap_or(shown)
    }

    /// The instant at which a day begins. A time that clocks show twice is meant when they show it
    /// first; one that they leave out, when they go on after it.
    pub fn start_of(self, day: Day) -> DateTime<Utc> {
        let wall = day.and_time(self.starts_at);
        let instant = self.timezone.from_local_datetime(&wall).earliest();
        match instant {
            Some(instant) => instant.to_utc(),
            None => self.first_after(wall),
        }
    }

    /// The instant at which a day is over.
    pub fn end_of(self, day: Day) -> DateTime<Utc> {
        day.succ_opt()
            .map_or(DateTime::<Utc>::MAX_UTC, |next| self.start_of(next))
    }

    /// An instant as the clocks there show it.
    pub fn local(self, instant: DateTime<Utc>) -> DateTime<Tz> {
        instant.with_timezone(&self.timezone)
    }

    /// The first second at which clocks show a later time than this one, which they leave out.
    fn first_after(self, left_out: NaiveDateTime) -> DateTime<Utc> {
        let (mut before, mut after) =
            (left_out.and_utc() - FARTHEST, left_out.and_utc() + FARTHEST);
        while after - before > TimeDelta::seconds(1) {
            let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
            match self.local(middle).naive_local() < left_out {
                true => before = middle,
                false => after = middle,
            }
        }
        after
    }
}

impl fmt::Display for Days {
    /// As in `in Asia/Kolkata`, or `from 06:00 in Asia/Kolkata`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.starts_at != NaiveTime::MIN {
            write!(f, "from {} ", self.starts_at.format("%H:%M"))?;
        }
        write!(f, "in {}", self.timezone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn days(timezone: Tz, starts_at: &str) -> Days {
        Days {
            timezone,
            starts_at: starts_at.parse().unwrap(),
        }
    }

    /// The days of instants.
    fn of<const N: usize>(days: Days, instants: [&str; N]) -> [String; N] {
        instants.map(|instant| days.day_of(instant.parse().unwrap()).to_string())
    }

    #[test]
    fn a_day_ends_at_the_installations_midnight() {
        let days = Days::midnight(Tz::Asia__Kolkata);
        let found = of(days, ["2024-02-29T18:29:59Z", "2024-02-29T18:30:00Z"]);
        assert_eq!(found, ["2024-02-29", "2024-03-01"]);
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_on_which_it_began() {
        let days = days(Tz::Asia__Kolkata, "06:00:00");
        // 22:00, 05:59 and 06:00 there.
        let night = [
            "2024-02-29T16:30:00Z",
            "2024-03-01T00:29:59Z",
            "2024-03-01T00:30:00Z",
        ];
        assert_eq!(of(days, night), ["2024-02-29", "2024-02-29", "2024-03-01"]);
    }

    #[test]
    fn days_on_which_clocks_change_are_as_long_as_they_are() {
        let hours = |days: Days, day: &str| {
            let day = day.parse().unwrap();
            (days.end_of(day) - days.start_of(day)).num_minutes()
        };
        for (timezone, spring, autumn) in [
            (Tz::Europe__London, "2024-03-31", "2024-10-27"),
            (Tz::America__New_York, "2024-03-10", "2024-11-03"),
        ] {
            let days = Days::midnight(timezone);
            assert_eq!(
                (hours(days, spring), hours(days, autumn)),
                (23 * 60, 25 * 60)
            );
            assert_eq!(hours(days, "2024-02-29"), 24 * 60);
        }
    }

    #[test]
    fn a_day_begins_once_where_clocks_show_its_beginning_twice_or_never() {
        // 01:30 in London does not exist on 31 March 2024: clocks go from 01:00 to 02:00.
        let london = days(Tz::Europe__London, "01:30:00");
        let spring = ["2024-03-31T00:59:59Z", "2024-03-31T01:00:00Z"];
        assert_eq!(of(london, spring), ["2024-03-30", "2024-03-31"]);
        // On 27 October they show it at 00:30 UTC and again at 01:30 UTC.
        let autumn = [
            "2024-10-27T00:29:59Z",
            "2024-10-27T00:30:00Z",
            "2024-10-27T01:15:00Z",
        ];
        assert_eq!(
            of(london, autumn),
            ["2024-10-26", "2024-10-27", "2024-10-27"]
        );
        // New York: 02:00 becomes 03:00, and on 3 November 02:00 becomes 01:00.
        let new_york = days(Tz::America__New_York, "02:30:00");
        let spring = ["2024-03-10T06:59:59Z", "2024-03-10T07:00:00Z"];
        assert_eq!(of(new_york, spring), ["2024-03-09", "2024-03-10"]);
        let new_york = days(Tz::America__New_York, "01:30:00");
        let autumn = [
            "2024-11-03T05:29:59Z",
            "2024-11-03T05:30:00Z",
            "2024-11-03T06:10:00Z",
        ];
        assert_eq!(
            of(new_york, autumn),
            ["2024-11-02", "2024-11-03", "2024-11-03"]
        );
        // In St John's of 2006, a minute after midnight became a minute after eleven.
        let st_johns = Days::midnight(Tz::America__St_Johns);
        let autumn = [
            "2006-10-29T02:29:59Z",
            "2006-10-29T02:30:30Z",
            "2006-10-29T03:00:00Z",
        ];
        assert_eq!(
            of(st_johns, autumn),
            ["2006-10-28", "2006-10-29", "2006-10-29"]
        );
        // Samoa left a whole day out.
        let samoa = Days::midnight(Tz::Pacific__Apia);
        let found = of(samoa, ["2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"]);
        assert_eq!(found, ["2011-12-29", "2011-12-31"]);
    }

    const ZONES: [Tz; 6] = [
        Tz::Europe__London,
        Tz::America__New_York,
        Tz::Asia__Kolkata,
        Tz::Australia__Lord_Howe,
        Tz::America__St_Johns,
        Tz::Africa__Casablanca,
    ];

    proptest! {
        #[test]
        fn no_later_instant_is_of_an_earlier_day(
            zone in prop::sample::select(&ZONES[..]),
            starts_at in 0u32..1440,
            instant in 1_600_000_000i64..1_900_000_000,
            later in 0i64..200_000,
        ) {
            let starts_at = NaiveTime::from_num_seconds_from_midnight_opt(starts_at * 60, 0);
            let days = Days { timezone: zone, starts_at: starts_at.unwrap() };
            let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
            let day = days.day_of(at(instant));
            prop_assert!(day <= days.day_of(at(instant + later)));
            prop_assert!(days.start_of(day) <= at(instant) && at(instant) < days.end_of(day));
        }
    }
}
