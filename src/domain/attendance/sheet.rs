//! What an office writes around its register: titles, heads, the legend's words, signatures. It is
//! the table `[register]` of the configuration, and is kept with a month that was signed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::attendance::Mark;
use crate::domain::calendar::Month;

/// The texts of a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sheet {
    /// A line above the title, as in "Form XVI".
    pub form: String,
    /// The title of a month; see [`Sheet::title_of`].
    pub title: String,
    /// The title of one employee's months.
    pub employee_title: String,
    /// What stands above the table, left to right: the firm, the nature of work, the place.
    pub heads: Vec<String>,
    /// The heading of the names.
    pub names: String,
    /// The heading of months, where each line is one.
    pub months: String,
    /// What stands before the name where all lines are one employee's.
    pub employee: String,
    /// What the marks mean, and the red and blue of the sheet.
    pub words: Words,
    /// Lines below the legend, as in "DEBIT HEAD: …".
    pub footers: Vec<String>,
    /// Who signs, left to right.
    pub signatures: Vec<String>,
    /// The paper to print on.
    pub paper: Paper,
    /// More columns, in their order.
    pub columns: Vec<ExtraColumn>,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            form: String::new(),
            title: "Register of Attendance for the month of {mon}".to_owned(),
            employee_title: "Register of Attendance for the month of {first}-{last}".to_owned(),
            heads: Vec::new(),
            names: "Names".to_owned(),
            months: "Month".to_owned(),
            employee: "Name of employee:".to_owned(),
            words: Words::default(),
            footers: Vec::new(),
            signatures: ["Supervisor's Signature:", "Chairman's Signature:"]
                .map(String::from)
                .to_vec(),
            paper: Paper::A4,
            columns: Vec::new(),
        }
    }
}

impl Sheet {
    /// The title of a month: `{month}` in it becomes "February 2021", and `{mon}` "FEB 2021".
    pub fn title_of(&self, month: Month) -> String {
        let title = self.title.replace("{month}", &month.to_string());
        title.replace("{mon}", &short(month))
    }

    /// The title of one employee's months: `{first}` and `{last}` in it become "JAN 2021" and
    /// "FEB 2021"; of a single month, it is that of the month.
    pub fn employee_title_of(&self, first: Month, last: Month) -> String {
        if first == last {
            return self.title_of(first);
        }
        let title = self.employee_title.replace("{first}", &short(first));
        title.replace("{last}", &short(last))
    }
}

/// A month as in "FEB 2021".
pub fn short(month: Month) -> String {
    month.first().format("%b %Y").to_string().to_uppercase()
}

/// What marks and totals mean, in the office's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each is the word for the mark or the total that it is called after"
)]
pub struct Words {
    #[serde(rename = "P")]
    pub present: String,
    #[serde(rename = "A")]
    pub absent: String,
    #[serde(rename = "a")]
    pub not_final: String,
    #[serde(rename = "HD")]
    pub half_day: String,
    #[serde(rename = "L")]
    pub leave: String,
    #[serde(rename = "H")]
    pub holiday: String,
    #[serde(rename = "W")]
    pub weekly_off: String,
    #[serde(rename = "TD")]
    pub total_days: String,
    #[serde(rename = "WO")]
    pub work_off: String,
    /// What the red of the sheet means; empty: the weekdays that are off.
    pub red: String,
    /// What the blue of the sheet means.
    pub blue: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            present: "present".to_owned(),
            absent: "absent".to_owned(),
            not_final: "not final".to_owned(),
            half_day: "half day".to_owned(),
            leave: "leave".to_owned(),
            holiday: "holiday".to_owned(),
            weekly_off: "weekly off".to_owned(),
            total_days: "total days".to_owned(),
            work_off: "work off".to_owned(),
            red: String::new(),
            blue: "holiday".to_owned(),
        }
    }
}

impl Words {
    /// The word for a mark.
    pub fn of(&self, mark: Mark) -> &str {
        match mark {
            Mark::Present => &self.present,
            Mark::Absent => &self.absent,
            Mark::AbsentSoFar => &self.not_final,
            Mark::HalfDay => &self.half_day,
            Mark::Leave => &self.leave,
            Mark::Holiday => &self.holiday,
            Mark::WeeklyOff => &self.weekly_off,
            Mark::Blank => "",
        }
    }
}

/// The paper to print on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "papers have no better name")]
pub enum Paper {
    A3,
    A4,
    Letter,
    Legal,
}

/// A column that an office wants beside the marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraColumn {
    /// Its heading.
    pub heading: String,
    /// What stands in it, unless `values` say otherwise.
    #[serde(default)]
    pub shows: Shows,
    /// What stands in it by the employees' numbers.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Where it stands.
    #[serde(default)]
    pub place: Place,
    /// Its width in characters; left out: that of its longest cell.
    #[serde(default)]
    pub width: Option<u16>,
}

/// What an [`ExtraColumn`] shows by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// Nothing: it is filled in by hand.
    #[default]
    Nothing,
    /// The line's number on the sheet.
    Serial,
    /// The employee's number.
    Number,
    /// The employee's department.
    Department,
}

/// Where an [`ExtraColumn`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Left of the names.
    First,
    /// Between the names and the days.
    #[default]
    Before,
    /// Right of the totals.
    After,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_name_their_months() {
        let sheet = Sheet {
            title: "{month} ({mon})".to_owned(),
            ..Sheet::default()
        };
        let month = |day: &str| Month::of(day.parse().unwrap());
        let (first, last) = (month("2021-01-05"), month("2021-02-01"));
        assert_eq!(sheet.title_of(last), "February 2021 (FEB 2021)");
        let both = sheet.employee_title_of(first, last);
        assert_eq!(
            both,
            "Register of Attendance for the month of JAN 2021-FEB 2021"
        );
        assert_eq!(
            sheet.employee_title_of(last, last),
            "February 2021 (FEB 2021)"
        );
    }
}
