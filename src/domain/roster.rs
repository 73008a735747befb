//! What a relay knows to decide by itself when its central is away: badges, without names and
//! without secrets.

use std::hash::Hasher;

use chrono::{Datelike, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::domain::access::{self, Assignment, Door, Facts, Verdict};
use crate::domain::calendar::Day;
use crate::domain::hours::Hours;
use crate::domain::ids::{DeviceName, TwinkletId};

/// One time that a badge was given to somebody, as far as a relay needs it. Days are counted from
/// the first of January of the year 1, which is day 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The first day.
    #[serde(rename = "f")]
    pub from: i32,
    /// The last day; `None` for one without end.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i32>,
    /// The employee's last day.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub left: Option<i32>,
    /// Whether the badge was reported lost or taken back.
    #[serde(rename = "r", default, skip_serializing_if = "is_false")]
    pub revoked: bool,
    /// Whether the employee is suspended.
    #[serde(rename = "s", default, skip_serializing_if = "is_false")]
    pub suspended: bool,
    /// Whether the employee needs a one-time code: no relay can check one.
    #[serde(rename = "c", default, skip_serializing_if = "is_false")]
    pub code: bool,
    /// When the employee may enter; `None` for at any time.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// At which of the relay's doors, by their numbers; `None` for at all.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub doors: Option<Vec<i64>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

/// A day as a number.
pub fn day_number(day: Day) -> i32 {
    day.num_days_from_ce()
}

/// A badge, with every time that it was given to somebody, the latest first, as they are sent and
/// kept: a list of [`Holding`]s in `MessagePack`. A relay passes on fields that it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// Its id.
    pub id: TwinkletId,
    /// The list.
    #[serde(rename = "b", with = "bytes")]
    pub body: Vec<u8>,
}

impl Badge {
    /// A number that two badges share only by a great accident. The sum of all of them tells one
    /// roster from another.
    pub fn digest(&self) -> u64 {
        let mut hash = Fnv::default();
        hash.write(&self.id.get().to_be_bytes());
        hash.write(&self.body);
        hash.finish()
    }
}

/// FNV-1a with 64 bits: the same in every version of this program, which the standard library's
/// hash does not promise.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// A door of the relay's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterDoor {
    /// Its name.
    pub name: DeviceName,
    /// Its number in [`Holding::doors`].
    pub id: i64,
    /// Whether it is out of service.
    #[serde(rename = "r", default, skip_serializing_if = "is_false")]
    pub retired: bool,
    /// Whether everybody needs a one-time code at it: no relay can check one.
    #[serde(rename = "c", default, skip_serializing_if = "is_false")]
    pub requires_code: bool,
}

/// Decides a flash by what a relay knows; `None` if only the central can.
pub fn decide(
    door: Option<&RosterDoor>,
    holdings: &[Holding],
    today: Day,
    wall: NaiveDateTime,
) -> Option<Verdict> {
    let assignments = holdings.iter().map(|holding| holding.at(door));
    let mut latest = None;
    let mut chosen = None;
    for (assignment, holding) in assignments.zip(holdings) {
        if assignment.in_hand_on(today) {
            chosen = Some((assignment, holding));
            break;
        }
        latest.get_or_insert((assignment, holding));
    }
    let (assignment, holding) = chosen.or(latest).unzip();
    let verdict = access::decide(&Facts {
        door: door.map(|door| Door {
            retired: door.retired,
            requires_code: door.requires_code,
        }),
        assignment,
        today,
        wall,
        in_time: true,
        code: None,
    });
    let needs_code =
        door.is_some_and(|door| door.requires_code) || holding.is_some_and(|holding| holding.code);
    match verdict {
        Verdict::Open if needs_code => None,
        verdict => Some(verdict),
    }
}

impl Holding {
    fn at(&self, door: Option<&RosterDoor>) -> Assignment {
        let day = |number| NaiveDate::from_num_days_from_ce_opt(number);
        Assignment {
            // A number that is no day is one that never comes.
            from: day(self.from).unwrap_or(NaiveDate::MAX),
            until: self
                .until
                .map(|number| day(number).unwrap_or(NaiveDate::MIN)),
            revoked: self.revoked,
            left: self
                .left
                .map(|number| day(number).unwrap_or(NaiveDate::MIN)),
            suspended: self.suspended,
            granted: match (&self.doors, door) {
                (None, _) => true,
                (Some(doors), Some(door)) => doors.contains(&door.id),
                (Some(_), None) => false,
            },
            hours: self
                .hours
                .as_ref()
                .map(|hours| hours.parse().unwrap_or(Hours::NEVER)),
        }
    }
}

/// A list of bytes as one value, rather than as a list of numbers.
mod bytes {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }

        from.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Reason;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn holding() -> Holding {
        Holding {
            from: day_number(day("2026-02-01")),
            until: None,
            left: None,
            revoked: false,
            suspended: false,
            code: false,
            hours: Some("08:00-20:00".to_owned()),
            doors: Some(vec![3]),
        }
    }

    fn decided(door: i64, holdings: &[Holding], today: &str) -> Option<&'static str> {
        let door = RosterDoor {
            name: "lab".parse().unwrap(),
            id: door,
            retired: false,
            requires_code: false,
        };
        let wall = day(today).and_hms_opt(9, 0, 0).unwrap();
        decide(Some(&door), holdings, day(today), wall).map(Verdict::code)
    }

    #[test]
    fn a_relay_decides_as_the_central_would() {
        let with = |change: fn(&mut Holding)| {
            let mut holding = holding();
            change(&mut holding);
            [holding]
        };
        assert_eq!(decided(3, &[holding()], "2026-02-02"), Some("open"));
        let no = |holdings: &[Holding], reason: Reason| {
            assert_eq!(decided(3, holdings, "2026-02-02"), Some(reason.code()));
        };
        no(&[], Reason::UnknownTwinklet);
        no(&with(|h| h.doors = Some(vec![4])), Reason::NotThisDoor);
        no(&with(|h| h.suspended = true), Reason::Suspended);
        no(&with(|h| h.revoked = true), Reason::TwinkletRevoked);
        no(&with(|h| h.from += 30), Reason::NotYetValid);
        no(&with(|h| h.until = Some(h.from)), Reason::Expired);
        no(&with(|h| h.left = Some(h.from)), Reason::Left);
        no(
            &with(|h| h.hours = Some("10:00-11:00".into())),
            Reason::OutsideHours,
        );
        no(
            &with(|h| h.hours = Some("no hours".into())),
            Reason::OutsideHours,
        );
        assert_eq!(decided(3, &with(|h| h.code = true), "2026-02-02"), None);
        let vault = RosterDoor {
            name: "vault".parse().unwrap(),
            id: 3,
            retired: false,
            requires_code: true,
        };
        let wall = day("2026-02-02").and_hms_opt(9, 0, 0).unwrap();
        let at_vault =
            |holdings: &[Holding]| decide(Some(&vault), holdings, day("2026-02-02"), wall);
        assert_eq!(at_vault(&[holding()]), None);
        let suspended = at_vault(&with(|h| h.suspended = true));
        assert_eq!(suspended, Some(Verdict::DontOpen(Reason::Suspended)));
        let unknown = decide(None, &[holding()], day("2026-02-02"), wall);
        assert_eq!(unknown, Some(Verdict::DontOpen(Reason::UnknownDoor)));
    }

    #[test]
    fn of_several_who_had_a_badge_the_one_who_has_it_now_counts() {
        let before = Holding {
            until: Some(day_number(day("2026-01-31"))),
            from: 1,
            suspended: true,
            ..holding()
        };
        let both = [holding(), before];
        assert_eq!(decided(3, &both, "2026-02-02"), Some("open"));
        assert_eq!(decided(3, &both, "2026-01-30"), Some("suspended"));
    }

    #[test]
    fn each_change_changes_the_digest() {
        let badge = |id: u64, body: &[u8]| Badge {
            id: TwinkletId::new(id).unwrap(),
            body: body.to_vec(),
        };
        let all = [
            badge(7, b"a"),
            badge(7, b"b"),
            badge(8, b"a"),
            badge(7, b""),
        ];
        let mut digests: Vec<_> = all.iter().map(Badge::digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 4);
    }
}
