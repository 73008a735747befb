//! Which way people go through a door.

use std::fmt;
use std::str::FromStr;

/// Which way people go through a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It is only an entrance.
    In,
    /// It is only an exit: a flash at it makes nobody present.
    Out,
    /// It is both.
    Both,
}

impl Direction {
    /// The word for it.
    pub fn code(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::Both => "both",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Direction {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Direction::In, Direction::Out, Direction::Both];
        let named = all
            .into_iter()
            .find(|direction| direction.code().eq_ignore_ascii_case(text));
        named.ok_or("write a direction as in, out or both")
    }
}
