//! The replaced system's text packets, as badges' receivers send them: two forms, no framing.
//!
//! ```text
//! sno*twinklet*DD/MM/YYYY                                         1*7*02/01/2022
//! twinklet*flashpoint*position*date time*data*remarks             6*1*Lab*2020-02-03 17:21*Twinkle 6*Correct
//! ```
//!
//! The first is complete with its date's tenth character, the second with a line's end or when
//! nothing more follows. Packets may be glued together: in `…*Correct7*1*…` the digits at the end
//! of the remark begin the next packet.

use crate::domain::calendar::day_of_digits;
use crate::domain::ids::TwinkletId;

/// What the bytes received so far begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// Nothing but line ends: there is nothing to wait for.
    Nothing,
    /// The beginning of a packet: more must follow.
    Partial,
    /// A whole packet of the second form, unless its remark goes on.
    CompleteUnlessMoreFollows,
    /// A packet for that badge, in the first `used` bytes.
    Packet {
        /// The badge.
        twinklet: TwinkletId,
        /// How many bytes the packet took, line ends before it included.
        used: usize,
    },
    /// No packet, in the first `used` bytes.
    Malformed {
        /// How many bytes to pass over.
        used: usize,
    },
}

/// The length of `DD/MM/YYYY`.
const DATE_LENGTH: usize = 10;

/// Looks at the beginning of `bytes`. `ended` says that nothing more follows them (a silence, or
/// the end of input), so that the answer is none of the two that wait for more.
pub fn scan(bytes: &[u8], ended: bool) -> Scan {
    let skipped = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let rest = bytes.get(skipped..).unwrap_or_default();
    if rest.is_empty() {
        return Scan::Nothing;
    }
    let line_end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let line = rest
        .get(..line_end.unwrap_or(rest.len()))
        .unwrap_or_default();
    match scan_line(line, ended || line_end.is_some()) {
        Scan::Packet { twinklet, used } => Scan::Packet {
            twinklet,
            used: skipped + used,
        },
        Scan::Malformed { used } => Scan::Malformed {
            used: skipped + used,
        },
        waiting => waiting,
    }
}

/// Looks at the beginning of a line that is not empty; `whole` says that it does not go on.
fn scan_line(line: &[u8], whole: bool) -> Scan {
    let mut fields = line.splitn(6, |&byte| byte == b'*');
    let (Some(first), Some(second), Some(third)) = (fields.next(), fields.next(), fields.next())
    else {
        return unfinished(line, whole);
    };
    if let Some(date) = third
        .get(..DATE_LENGTH)
        .filter(|text| has_shape_of_date(text))
    {
        let used = first.len() + second.len() + 2 + DATE_LENGTH;
        let genuine = is_number(first) && is_date(date);
        return packet(id(second).filter(|_| genuine), used);
    }
    // The tail is the remark and whatever else stands on the line.
    let (Some(_), Some(_), Some(tail)) = (fields.next(), fields.next(), fields.next()) else {
        return unfinished(line, whole);
    };
    let Some(remark_length) = tail.iter().position(|&byte| byte == b'*') else {
        return match whole {
            true => packet(id(first).filter(|_| is_text(line)), line.len()),
            false => Scan::CompleteUnlessMoreFollows,
        };
    };
    let remark = tail.get(..remark_length).unwrap_or_default();
    let glued_digits = remark
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if glued_digits == 0 {
        return unfinished(line, whole);
    }
    let used = line.len() - tail.len() + remark_length - glued_digits;
    packet(
        id(first).filter(|_| line.get(..used).is_some_and(is_text)),
        used,
    )
}

fn packet(twinklet: Option<TwinkletId>, used: usize) -> Scan {
    match twinklet {
        Some(twinklet) => Scan::Packet { twinklet, used },
        None => Scan::Malformed { used },
    }
}

fn unfinished(line: &[u8], whole: bool) -> Scan {
    if whole {
        Scan::Malformed { used: line.len() }
    } else {
        Scan::Partial
    }
}

fn id(field: &[u8]) -> Option<TwinkletId> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

fn is_number(field: &[u8]) -> bool {
    !field.is_empty() && field.iter().all(u8::is_ascii_digit)
}

fn has_shape_of_date(text: &[u8]) -> bool {
    text.iter()
        .zip(b"DD/MM/YYYY")
        .all(|(byte, shape)| match shape {
            b'/' => *byte == b'/',
            _ => byte.is_ascii_digit(),
        })
}

fn is_date(text: &[u8]) -> bool {
    let mut parts = text.split(|&byte| byte == b'/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(day), Some(month), Some(year)) => day_of_digits(year, month, day).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a stream of packets comes to: `Some(id)` for each packet, `None` for each malformed
    /// stretch.
    fn read(bytes: &[u8]) -> Vec<Option<u64>> {
        let mut rest = bytes;
        let mut found = Vec::new();
        loop {
            let used = match scan(rest, true) {
                Scan::Packet { twinklet, used } => {
                    found.push(Some(twinklet.get()));
                    used
                }
                Scan::Malformed { used } => {
                    found.push(None);
                    used
                }
                Scan::Nothing => return found,
                waiting => panic!("{waiting:?} although the input has ended"),
            };
            assert!(used > 0, "no progress in {rest:?}");
            rest = &rest[used..];
        }
    }

    const SIX: &str = "6*1*Broadband Wireless Lab*2020-02-03 17:21*Twinkle 6*Correct";

    #[test]
    fn both_forms_name_their_badge() {
        assert_eq!(read(b"1*7*02/01/2022"), [Some(7)]);
        assert_eq!(read(SIX.as_bytes()), [Some(6)]);
        assert_eq!(
            read(b"1*9007199254740991*29/02/2024\r\n"),
            [Some(9_007_199_254_740_991)]
        );
    }

    #[test]
    fn packets_follow_one_another_with_or_without_line_ends() {
        assert_eq!(read(b"1*7*02/01/20222*8*02/01/2022"), [Some(7), Some(8)]);
        assert_eq!(
            read(b"1*7*02/01/2022\r\n\n2*8*02/01/2022\n"),
            [Some(7), Some(8)]
        );
        assert_eq!(read(format!("{SIX}\n{SIX}").as_bytes()), [Some(6), Some(6)]);
    }

    #[test]
    fn glued_packets_part_before_the_remarks_last_digits() {
        assert_eq!(
            read(format!("{SIX}7{}", &SIX[1..]).as_bytes()),
            [Some(6), Some(7)]
        );
        assert_eq!(
            read(format!("{SIX}1*8*02/01/2022").as_bytes()),
            [Some(6), Some(8)]
        );
        assert_eq!(read(format!("{SIX}7").as_bytes()), [Some(6)]);
    }

    #[test]
    fn a_packet_waits_for_its_end() {
        assert_eq!(scan(b"", false), Scan::Nothing);
        assert_eq!(scan(b"\r\n", false), Scan::Nothing);
        for length in 1..14 {
            assert_eq!(scan(&b"1*7*02/01/2022"[..length], false), Scan::Partial);
        }
        assert_eq!(scan(SIX.as_bytes(), false), Scan::CompleteUnlessMoreFollows);
        let ended = Scan::Packet {
            twinklet: TwinkletId::new(6).unwrap(),
            used: SIX.len(),
        };
        assert_eq!(scan(SIX.as_bytes(), true), ended);
        assert_eq!(scan(format!("{SIX}\r\n").as_bytes(), false), ended);
    }

    #[test]
    fn what_is_no_packet_is_malformed() {
        for bad in [
            "7",
            "hello",
            "1*7",
            "1*7*02/01",
            "1*7*2022-01-02",
            "1*7*8*9",
            "1*x*02/01/2022",
            "x*7*02/01/2022",
            "1*-7*02/01/2022",
            "1*+7*02/01/2022",
            "1*0*02/01/2022",
            "1* 7*02/01/2022",
            "1*7*31/02/2022",
            "1*9007199254740992*02/01/2022",
            "*7*02/01/2022",
            "0*1*Lab*d*n*Correct",
            "x*1*Lab*d*n*Correct",
            "-6*1*Lab*d*n*Correct",
            "6*1*Lab*d*n*Correct*extra",
            "*****",
        ] {
            assert_eq!(read(bad.as_bytes()), [None], "{bad:?}");
        }
        assert_eq!(read(b"6*1*L\xffb*d*n*Correct"), [None]);
        assert_eq!(read(b"\xff\xfe\n1*7*02/01/2022"), [None, Some(7)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
        }

        #[test]
        fn anything_like_a_packet_is_read_to_its_end(text in "[0-9*/\n a]{0,60}") {
            read(text.as_bytes());
        }

        #[test]
        fn more_bytes_never_change_a_packet_that_was_complete(
            text in "[0-9*/\n]{0,40}",
            more in "[0-9*/\n]{1,10}",
        ) {
            let before = scan(text.as_bytes(), false);
            if matches!(before, Scan::Packet { .. } | Scan::Malformed { .. }) {
                prop_assert_eq!(scan(format!("{text}{more}").as_bytes(), false), before);
            }
        }
    }
}
