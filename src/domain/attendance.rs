//! What the register shows: one [`Mark`] for each employee and day, and their totals.

use crate::domain::calendar::{Calendar, Day, Month};
use crate::domain::ids::EmployeeNumber;

/// What the register shows for one employee and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// An `Open` that day.
    Present,
    /// A working day that is over, without an `Open`.
    Absent,
    /// As [`Mark::Absent`], but not final: the day is not over, or nobody at all was seen on it,
    /// which an outage or an unlisted holiday explains better than everybody staying away.
    AbsentSoFar,
    /// A weekly off without an `Open`.
    WeeklyOff,
    /// Not employed that day, or the day is still to come.
    Blank,
}

impl Mark {
    /// The mark as the office writes it; empty for [`Mark::Blank`].
    pub fn symbol(self) -> &'static str {
        match self {
            Mark::Present => "P",
            Mark::Absent => "A",
            Mark::AbsentSoFar => "a",
            Mark::WeeklyOff => "W",
            Mark::Blank => "",
        }
    }
}

/// The days of one month on which an employee was seen: bit 0 is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DaysSeen(u32);

impl DaysSeen {
    /// Adds the day of the month, 1 to 31; any other number is left out.
    pub fn insert(&mut self, day_of_month: u32) {
        self.0 |= bit(day_of_month);
    }

    fn contains(self, day_of_month: u32) -> bool {
        self.0 & bit(day_of_month) != 0
    }

    fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn bit(day_of_month: u32) -> u32 {
    day_of_month
        .checked_sub(1)
        .and_then(|shift| 1u32.checked_shl(shift))
        .unwrap_or(0)
}

/// An employee as the register knows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The employee's number.
    pub number: EmployeeNumber,
    /// The name, as stored.
    pub name: String,
    /// The first day of employment.
    pub joined: Day,
    /// The days of the register's month with an `Open`.
    pub seen: DaysSeen,
}

/// One employee's line of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The employee's number.
    pub number: EmployeeNumber,
    /// The name, as stored.
    pub name: String,
    /// One mark for each day of the month.
    pub marks: Vec<Mark>,
    /// `TD`, total days: the days marked `P`.
    pub total_days: u32,
    /// `WO`, work off: the days marked `A`.
    pub work_off: u32,
}

/// One month's register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The month.
    pub month: Month,
    /// Its days with what is true of each for everybody.
    pub days: Vec<DayColumn>,
    /// The employees of that month, in the order given.
    pub rows: Vec<Row>,
}

/// One day of the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayColumn {
    /// The day.
    pub day: Day,
    /// Whether it is a working day in the past on which nobody at all was seen, while somebody was
    /// employed.
    pub nobody_seen: bool,
}

impl Register {
    /// Derives the register of a month as of today. `people` are those employed in that month or
    /// seen in it; who was neither has no line and is left out.
    pub fn derive(month: Month, today: Day, calendar: Calendar, people: Vec<Person>) -> Self {
        let last = month.last();
        let (people, _others): (Vec<_>, Vec<_>) = people
            .into_iter()
            .partition(|p| p.joined <= last || p.seen != DaysSeen::default());
        let anybody = people
            .iter()
            .fold(DaysSeen::default(), |all, p| all.union(p.seen));
        let days: Vec<_> = month
            .days()
            .zip(1..)
            .map(|(day, number)| DayColumn {
                day,
                nobody_seen: day < today
                    && !calendar.is_weekly_off(day)
                    && !anybody.contains(number)
                    && people.iter().any(|person| person.joined <= day),
            })
            .collect();
        let rows = people
            .into_iter()
            .map(|p| row(p, &days, today, calendar))
            .collect();
        Self { month, days, rows }
    }
}

fn row(person: Person, days: &[DayColumn], today: Day, calendar: Calendar) -> Row {
    let marks: Vec<_> = days
        .iter()
        .zip(1..)
        .map(|(column, number)| {
            if person.seen.contains(number) {
                Mark::Present
            } else if column.day < person.joined {
                Mark::Blank
            } else if calendar.is_weekly_off(column.day) {
                Mark::WeeklyOff
            } else if column.day > today {
                Mark::Blank
            } else if column.day == today || column.nobody_seen {
                Mark::AbsentSoFar
            } else {
                Mark::Absent
            }
        })
        .collect();
    let count = |mark| marks.iter().map(|&m| u32::from(m == mark)).sum();
    Row {
        number: person.number,
        name: person.name,
        total_days: count(Mark::Present),
        work_off: count(Mark::Absent),
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Weekday, WeekdaySet};

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn person(number: i64, joined: &str, seen: &[u32]) -> Person {
        let mut days = DaysSeen::default();
        seen.iter().for_each(|&day| days.insert(day));
        Person {
            number: EmployeeNumber(number),
            name: format!("Person {number}"),
            joined: day(joined),
            seen: days,
        }
    }

    /// The register of February 2024 (it begins on a Thursday; Sundays are 4, 11, 18 and 25), each
    /// row as one text with `.` for a blank, then TD and WO.
    fn february(today: &str, people: Vec<Person>) -> Vec<(String, u32, u32)> {
        let calendar = Calendar {
            weekly_off: WeekdaySet::single(Weekday::Sun),
        };
        let register = Register::derive(Month::of(day("2024-02-01")), day(today), calendar, people);
        let text = |row: &Row| {
            row.marks
                .iter()
                .map(|m| if *m == Mark::Blank { "." } else { m.symbol() })
                .collect()
        };
        register
            .rows
            .iter()
            .map(|row| (text(row), row.total_days, row.work_off))
            .collect()
    }

    #[test]
    fn a_past_month_is_marked_day_by_day() {
        let everyday: Vec<u32> = (1..=29).collect();
        let rows = february(
            "2024-03-05",
            vec![
                person(1, "2020-01-01", &everyday),
                person(2, "2024-02-13", &[13, 18]),
            ],
        );
        assert_eq!(rows[0], ("P".repeat(29), 29, 0));
        assert_eq!(rows[1], ("............PAAAAPAAAAAAWAAAA".to_owned(), 2, 14));
    }

    #[test]
    fn today_and_days_to_come_are_not_held_against_anybody() {
        let rows = february(
            "2024-02-14",
            vec![person(
                1,
                "2020-01-01",
                &[1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14],
            )],
        );
        assert_eq!(rows[0], ("PPPWPPPPPPWPPP...W......W....".to_owned(), 12, 0));
        let rows = february(
            "2024-02-02",
            vec![person(1, "2020-01-01", &[1]), person(2, "2020-01-01", &[])],
        );
        assert_eq!(rows[1], ("Aa.W......W......W......W....".to_owned(), 0, 1));
    }

    #[test]
    fn a_day_on_which_nobody_was_seen_is_not_final() {
        let rows = february(
            "2024-03-05",
            vec![
                person(1, "2020-01-01", &[1, 3]),
                person(2, "2020-01-01", &[1]),
            ],
        );
        assert!(rows[0].0.starts_with("PaPWaaaa"), "{rows:?}");
        assert!(rows[1].0.starts_with("PaAWaaaa"), "{rows:?}");
        assert_eq!((rows[1].1, rows[1].2), (1, 1));
    }

    #[test]
    fn who_joined_later_has_no_line_and_an_empty_month_no_footnote() {
        assert!(february("2024-03-05", vec![person(1, "2024-03-01", &[])]).is_empty());
        let calendar = Calendar {
            weekly_off: WeekdaySet::EMPTY,
        };
        let month = Month::of(day("2024-02-01"));
        let register = Register::derive(month, day("2024-03-05"), calendar, Vec::new());
        assert_eq!(register.days.len(), 29);
        assert!(register.days.iter().all(|column| !column.nobody_seen));
    }
}
