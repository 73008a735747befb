//! Lines of GPIO chips, over the kernel's character devices `/dev/gpiochipN`.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

mod find;
mod input;
mod lock;
mod output;
mod survey;

pub(super) use input::Input;
pub(super) use lock::GpioLock;
pub use output::Output;
pub use survey::{State, Survey, survey};

/// A line as a person names it: `gpiochip0:17`, `pinctrl-bcm2711:17` by the chip's label, or
/// `GPIO17` by its own name, and `,active-low` behind it where low is what counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LineSpec {
    /// The line.
    pub name: String,
    /// Whether it is active when it is low.
    pub active_low: bool,
}

impl FromStr for LineSpec {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const HELP: &str = "write a line as gpiochip0:17 or GPIO17, and ,active-low behind it \
                            where low is what counts";
        let (name, active_low) = match text.split_once(',') {
            None => (text, false),
            Some((name, "active-low")) => (name, true),
            Some((name, "active-high")) => (name, false),
            Some(_) => return Err(HELP),
        };
        let name = name.trim();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(HELP);
        }
        Ok(Self {
            name: name.to_owned(),
            active_low,
        })
    }
}

impl TryFrom<String> for LineSpec {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl fmt::Display for LineSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let polarity = if self.active_low { ",active-low" } else { "" };
        write!(f, "{}{polarity}", self.name)
    }
}

/// How a line that a twinkle holds is labelled: for `gpioinfo`, for whoever finds it busy, and for
/// `door --check`, which finds the process by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer(String);

impl Consumer {
    /// The longest label that the kernel keeps, in bytes.
    const MAX: usize = 31;

    /// The label of this process, at work for the door of that name.
    pub fn ours(door: &str) -> Self {
        let whole = format!("twinkle[{}] {door}", std::process::id());
        let fits = |&(at, c): &(usize, char)| at + c.len_utf8() <= Self::MAX;
        Self(
            whole
                .char_indices()
                .take_while(fits)
                .map(|(_, c)| c)
                .collect(),
        )
    }

    /// The process that a label names, if it is one of ours.
    pub fn process(label: &str) -> Option<u32> {
        let (process, _) = label.strip_prefix("twinkle[")?.split_once(']')?;
        process.parse().ok()
    }
}

/// Why a line cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such chip.
    #[error("no GPIO chip is called '{name}'; {there_is}")]
    NoChip {
        /// As it was given.
        name: String,
        /// What there is instead.
        there_is: String,
    },
    /// There is no such line.
    #[error("no GPIO line is called '{name}'; {there_is}")]
    NoLine {
        /// As it was given.
        name: String,
        /// What there is instead.
        there_is: String,
    },
    /// There are several of that name.
    #[error("several GPIO lines are called '{name}': {all}; say which")]
    Several {
        /// As it was given.
        name: String,
        /// All of them.
        all: String,
    },
    /// Two of a door's lines are the same.
    #[error("two of this door's lines are {0}; each needs one of its own")]
    Twice(String),
    /// The chip may not be opened.
    #[error(
        "no permission to use {}; let this user into its group (on a Pi: sudo usermod -aG gpio \
         USER), then log in again",
        .0.display()
    )]
    Denied(PathBuf),
    /// The line is held by somebody else.
    #[error("{line} is in use{}, by {holder}; stop that, or choose another line", as_what(*is_output))]
    Busy {
        /// The line.
        line: String,
        /// The name under which it is held.
        holder: String,
        /// Whether as an output.
        is_output: bool,
    },
    /// The system's word on a line or chip.
    #[error("cannot use {what}: {cause}")]
    Failed {
        /// Which.
        what: String,
        /// The system's word.
        cause: io::Error,
    },
}

impl Error {
    /// Whether what was named is not there, or not one thing.
    pub fn is_not_found(&self) -> bool {
        match self {
            Error::NoChip { .. }
            | Error::NoLine { .. }
            | Error::Several { .. }
            | Error::Twice(_) => true,
            Error::Denied(_) | Error::Busy { .. } | Error::Failed { .. } => false,
        }
    }
}

fn as_what(is_output: bool) -> &'static str {
    if is_output { " as an output" } else { "" }
}

/// The system's word on a call of `gpio_cdev` that has just failed. Its errors keep the number of
/// the cause to themselves; between the system's call and its return nothing else is asked of the
/// system.
fn cause_of(_: &gpio_cdev::Error) -> io::Error {
    io::Error::last_os_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_with_or_without_its_polarity() {
        for (text, name, active_low) in [
            ("gpiochip0:17", "gpiochip0:17", false),
            ("GPIO17,active-low", "GPIO17", true),
            ("pinctrl-rp1:4,active-high", "pinctrl-rp1:4", false),
        ] {
            let spec: LineSpec = text.parse().unwrap();
            assert_eq!((spec.name.as_str(), spec.active_low), (name, active_low));
        }
        for bad in ["", " ", ",active-low", "GPIO17,low", "GPIO17,", "a\nb"] {
            assert!(bad.parse::<LineSpec>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_label_fits_the_kernel_and_names_the_process() {
        for door in ["lab", "ein sehr langer Name einer Tür mit Umläuten äöü", ""] {
            let label = Consumer::ours(door).0;
            assert!(label.len() <= 31, "{label}");
            assert_eq!(Consumer::process(&label), Some(std::process::id()));
        }
        for other in ["probe", "twinkle", "twinkle[x] lab", "mytwinkle[1] lab"] {
            assert_eq!(Consumer::process(other), None);
        }
    }
}
