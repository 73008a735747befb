//! One-time codes, and what a badge that can shows: its id and a code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::ids::TwinkletId;

/// A one-time code: 1 to 8 decimal digits, leading zeros included.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Code(String);

impl Code {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Code {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err("a one-time code is 1 to 8 digits")
        }
    }
}

impl fmt::Debug for Code {
    /// A mask: a code in a log would be a code that others can use.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(***)")
    }
}

/// What one reading of a badge gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    /// The badge's id.
    pub twinklet: TwinkletId,
    /// The one-time code that came with it.
    pub code: Option<Code>,
}

impl From<TwinkletId> for Shown {
    fn from(twinklet: TwinkletId) -> Self {
        Self {
            twinklet,
            code: None,
        }
    }
}

impl FromStr for Shown {
    type Err = &'static str;

    /// `7`, or with a code `7:012345`.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        const HELP: &str =
            "write the badge's id, 1 to 9007199254740991, or with a one-time code 7:012345";
        let (id, code) = match text.split_once(':') {
            Some((id, code)) => (id, Some(code)),
            None => (text, None),
        };
        Ok(Self {
            twinklet: id.parse().map_err(|_| HELP)?,
            code: code
                .map(|code| Code::try_from(code.to_owned()))
                .transpose()
                .map_err(|_| HELP)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_keeps_its_leading_zeros_and_is_never_printed() {
        let shown: Shown = "7:012345".parse().unwrap();
        assert_eq!(shown.twinklet.get(), 7);
        assert_eq!(shown.code.as_ref().unwrap().as_str(), "012345");
        assert!(!format!("{shown:?}").contains("12345"), "{shown:?}");
        assert_eq!("7".parse::<Shown>().unwrap().code, None);
    }

    #[test]
    fn what_is_no_badge_or_no_code_is_refused() {
        for bad in [
            "",
            ":",
            "7:",
            ":012345",
            "7:12a",
            "7:123456789",
            "7 :1",
            "7:-1",
            "7:1:2",
            "-7:1",
        ] {
            assert!(bad.parse::<Shown>().is_err(), "{bad:?}");
        }
    }
}
