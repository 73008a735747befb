//! Which events somebody asks for.

use std::str::FromStr;

use crate::domain::access::Reason;
use crate::domain::calendar::Day;
use crate::domain::ids::{DeviceName, EmployeeNumber, TwinkletId};
use crate::domain::near::nearest;

/// What all events that are asked for have in common. Nothing set: every event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// The employee's.
    pub employee: Option<EmployeeNumber>,
    /// The badge's.
    pub twinklet: Option<TwinkletId>,
    /// At the door of that name.
    pub door: Option<DeviceName>,
    /// With that end.
    pub ending: Option<Ending>,
    /// Refused for that reason.
    pub reason: Option<Reason>,
    /// Of this day and later ones.
    pub from: Option<Day>,
    /// Of this day and earlier ones.
    pub to: Option<Day>,
}

/// How a flash ended for whoever stood at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The door opened.
    Open,
    /// The door did not open, for a reason.
    Refused,
    /// It was decided to open the door, and no door heard so in time.
    Undelivered,
}

impl FromStr for Ending {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.to_ascii_lowercase().as_str() {
            "open" => Ok(Ending::Open),
            "refused" => Ok(Ending::Refused),
            "undelivered" => Ok(Ending::Undelivered),
            _ => Err("write open, refused or undelivered"),
        }
    }
}

/// A reason by its code.
///
/// # Errors
/// For anything else, with the codes that are near it.
pub fn parse_reason(text: &str) -> Result<Reason, String> {
    let wanted = text.trim().to_ascii_lowercase();
    let known = Reason::ALL.iter().find(|reason| reason.code() == wanted);
    known.copied().ok_or_else(|| {
        let codes = || Reason::ALL.iter().map(|reason| reason.code());
        match nearest(&wanted, codes()).as_slice() {
            [] => format!("write one of {}", codes().collect::<Vec<_>>().join(", ")),
            near => format!(
                "no reason is called so; did you mean {}?",
                near.join(" or ")
            ),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_found_by_their_codes_and_near_ones_are_offered() {
        assert_eq!(parse_reason("Outside-Hours"), Ok(Reason::OutsideHours));
        let near = parse_reason("outside-hour").unwrap_err();
        assert!(near.contains("did you mean outside-hours"), "{near}");
        let far = parse_reason("zzz").unwrap_err();
        assert!(far.contains("unknown-door, door-retired"), "{far}");
    }
}
