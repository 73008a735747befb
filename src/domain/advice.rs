//! What to do about a door that does not open, for each reason.

use crate::domain::access::Reason;
use crate::domain::ids::{EmployeeNumber, TwinkletId};

/// Who stood where with which badge, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// The employee.
    pub employee: Option<EmployeeNumber>,
    /// The badge.
    pub twinklet: Option<TwinkletId>,
    /// The door.
    pub door: &'a str,
}

/// What an administrator may do about a refusal, as a sentence without its full stop, with the
/// command where there is one.
pub fn advice(reason: Reason, refused: Refused<'_>) -> String {
    let who = refused
        .employee
        .map_or_else(|| "EMPLOYEE".to_owned(), |number| number.to_string());
    let badge = refused
        .twinklet
        .map_or_else(|| "ID".to_owned(), |id| id.to_string());
    let door = quoted(refused.door);
    match reason {
        Reason::UnknownDoor => format!("check the door's name: no door {door} has connected yet"),
        Reason::DoorRetired => format!(
            "use another door; {door} is out of service; to put it back: \
             twinkle central retire {door} --role door --undo"
        ),
        Reason::UnknownTwinklet => format!(
            "if the badge is to be somebody's: twinkle employee replace EMPLOYEE --with {badge}, or \
             twinkle employee add NAME --twinklet {badge}"
        ),
        Reason::TwinkletRevoked => format!(
            "if the badge was found again: twinkle employee found {who}; \
             else give another one: twinkle employee replace {who} --with ID"
        ),
        Reason::Suspended => format!("to let them in again: twinkle employee resume {who}"),
        Reason::NotYetValid => format!(
            "to let the badge in from today on: twinkle employee edit --twinklet {badge} \
             --valid-from today"
        ),
        Reason::Expired => format!(
            "to give the badge more days: twinkle employee edit --twinklet {badge} \
             --valid-until DAY"
        ),
        Reason::NotThisDoor => format!("to let them in there: twinkle employee grant {who} {door}"),
        Reason::OutsideHours => format!(
            "to let them in at such hours: twinkle employee edit {who} --hours HOURS, \
             '' for at any time"
        ),
        Reason::CodeMissing => format!(
            "have them show the badge with a one-time code; for who has none: \
             twinkle employee code {who} --enable"
        ),
        Reason::CodeWrong | Reason::CodeReused => {
            "have them wait for the next code, and check the clock of what shows it".to_owned()
        }
        Reason::TooManyGuesses => "have them wait, and watch who tries there".to_owned(),
        Reason::ClockUnset => "set the clock of the central's machine".to_owned(),
        Reason::Left => format!("if they stay after all: twinkle employee depart {who} --undo"),
        Reason::EventReused => {
            format!("look into the device at {door}: it sends an old event again, or a copy does")
        }
        Reason::TooLate => format!(
            "look at the network between {door} and the central: the answer did not come in time"
        ),
        Reason::CentralUnreachable => {
            "look whether the central runs, and whether the relay reaches it".to_owned()
        }
        Reason::StorageFailed => {
            "look at the central's log and disk: nothing can be stored".to_owned()
        }
        Reason::SpoolFull => {
            "look at the relay's disk, and bring it back to the central".to_owned()
        }
        Reason::Unrecognised => "update this program: it does not know the reason".to_owned(),
    }
}

/// A text as one word of a shell's command line.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_something_to_do_that_names_who_and_where() {
        let refused = Refused {
            employee: Some(EmployeeNumber(3)),
            twinklet: TwinkletId::new(7).ok(),
            door: "lab",
        };
        let said: Vec<_> = Reason::ALL
            .iter()
            .map(|&reason| advice(reason, refused))
            .collect();
        assert!(
            said.iter()
                .all(|text| text.len() > 20 && !text.ends_with('.'))
        );
        assert_eq!(quoted("O'Brien's"), r"'O'\''Brien'\''s'");
        assert!(said.contains(&"to let them in there: twinkle employee grant 3 'lab'".to_owned()));
    }
}
