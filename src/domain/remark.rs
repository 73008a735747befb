//! Why somebody changed something, in that person's words.

use std::fmt;
use std::str::FromStr;

use crate::domain::text::{breaks_a_row, composed};

/// A reason: one line of 1 to 500 characters, kept with what was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark(String);

/// Why a text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a reason of 1 to {max} characters on one line", max = Remark::MAX_CHARS)]
pub struct NoRemark;

impl Remark {
    /// The most characters that are kept.
    pub const MAX_CHARS: usize = 500;

    /// The reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Remark {
    type Err = NoRemark;

    fn from_str(text: &str) -> Result<Self, NoRemark> {
        let text = composed(text.trim());
        let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count());
        match fits && !text.chars().any(breaks_a_row) {
            true => Ok(Self(text.into_owned())),
            false => Err(NoRemark),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_some_length() {
        assert_eq!(" was ill ".parse::<Remark>().unwrap().as_str(), "was ill");
        assert!("x".repeat(500).parse::<Remark>().is_ok());
        for bad in ["", "  ", "a\nb", &"x".repeat(501)] {
            assert_eq!(bad.parse::<Remark>(), Err(NoRemark), "{bad:?}");
        }
    }
}
