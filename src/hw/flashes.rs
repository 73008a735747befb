//! The text that receivers send, as it comes: badge numbers and the old system's packets, on lines
//! or glued together, with noise between them. No I/O and no clock.

use std::time::Duration;

use crate::domain::code::Shown;
use crate::domain::packet::{self, Scan};

/// The longest line that is looked at, in bytes.
const MAX_LINE: usize = 1024;
/// How much of what is no badge is shown.
const MAX_SHOWN: usize = 60;
/// A line may come in pieces, each within this time of the last.
const PIECES_WITHIN: Duration = Duration::from_millis(500);
/// A packet that only a line's end would end is complete after this much silence.
const COMPLETE_AFTER: Duration = Duration::from_millis(50);

/// What was found in the text: a badge, or something that is none, as it may be shown.
pub type Found = Result<Shown, String>;

/// What came so far and is not a line yet.
#[derive(Debug, Default)]
pub struct Flashes {
    line: Vec<u8>,
    /// Whether packets were taken from the line already.
    had_packets: bool,
    /// Whether the rest of a line that was too long is to be passed over.
    skipping: bool,
}

impl Flashes {
    /// Takes what came, and hands over what is complete.
    pub fn feed(&mut self, mut bytes: &[u8], mut found: impl FnMut(Found)) {
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let (piece, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if !self.skipping {
                self.take(piece, &mut found);
            }
            bytes = rest;
            if let Some((_end, rest)) = rest.split_first() {
                bytes = rest;
                self.end_line(&mut found);
            }
        }
    }

    /// How long to wait for more before [`Self::silence`] is to be told of; `None`: for ever.
    pub fn patience(&self) -> Option<Duration> {
        if self.skipping {
            return Some(PIECES_WITHIN);
        }
        match packet::scan(&self.line, false) {
            Scan::Nothing => None,
            Scan::CompleteUnlessMoreFollows => Some(COMPLETE_AFTER),
            _ => Some(PIECES_WITHIN),
        }
    }

    /// Nothing came for as long as [`Self::patience`] said. A packet may be complete by that; what
    /// else there is of a line is dropped: half a number would be another badge's.
    pub fn silence(&mut self, mut found: impl FnMut(Found)) {
        match packet::scan(&self.line, false) {
            Scan::CompleteUnlessMoreFollows => self.end_line(&mut found),
            Scan::Nothing => (),
            _ => {
                let half = show(&self.line);
                found(Err(format!("half a line, and then nothing: {half}")));
            }
        }
        *self = Self::default();
    }

    /// The line has ended, or the text has.
    pub fn end_line(&mut self, found: &mut impl FnMut(Found)) {
        let Self {
            line, had_packets, ..
        } = std::mem::take(self);
        let text = line.trim_ascii();
        if text.is_empty() || (is_comment(text) && !had_packets) {
            return;
        }
        // What follows a packet is no badge's number: it may be the beginning of another packet.
        let shown = std::str::from_utf8(text)
            .ok()
            .filter(|_| !had_packets)
            .and_then(|text| text.parse().ok());
        match shown {
            Some(shown) => found(Ok(shown)),
            None => drop(packets(text, true, found)),
        }
    }

    /// Takes a piece of a line. Packets that are complete without the line's end go at once.
    fn take(&mut self, piece: &[u8], found: &mut impl FnMut(Found)) {
        let room = (MAX_LINE + 1).saturating_sub(self.line.len());
        self.line.extend(piece.iter().take(room));
        if self.had_packets || !is_comment(&self.line) {
            let used = packets(&self.line, false, found);
            self.line.drain(..used);
            self.had_packets |= used > 0;
        }
        // What had no room may still be more packets.
        let left = piece.get(room..).unwrap_or_default();
        if self.line.len() > MAX_LINE {
            found(Err(format!("a line of more than {MAX_LINE} bytes")));
            self.line.clear();
            self.skipping = true;
        } else if !left.is_empty() {
            self.take(left, found);
        }
    }
}

fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

/// The packets at the beginning of a line, of which `whole` says that it does not go on. Returns
/// how many bytes they took.
fn packets(line: &[u8], whole: bool, found: &mut impl FnMut(Found)) -> usize {
    let mut taken = 0;
    loop {
        let rest = line.get(taken..).unwrap_or_default();
        let (flash, used) = match packet::scan(rest, whole) {
            Scan::Packet { twinklet, used } => (Ok(twinklet.into()), used),
            Scan::Malformed { used } => {
                let bad = show(rest.get(..used).unwrap_or(rest));
                let what = "neither a badge's id nor a packet";
                (Err(format!("{what}: {bad}")), used)
            }
            Scan::Nothing | Scan::Partial | Scan::CompleteUnlessMoreFollows => return taken,
        };
        found(flash);
        taken += used;
    }
}

/// A stretch of a line, so that it cannot spoil the log.
fn show(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    // What follows a colon may be somebody's one-time code.
    let until = |c: &char| *c != ':';
    let shown: String = text.chars().take(MAX_SHOWN).take_while(until).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a text comes to that is fed in pieces of this size, with or without an end.
    fn read(text: &[u8], piece: usize, ended: bool) -> Vec<Found> {
        let (mut flashes, mut all) = (Flashes::default(), Vec::new());
        for piece in text.chunks(piece) {
            flashes.feed(piece, |found| all.push(found));
        }
        if ended {
            flashes.end_line(&mut |found| all.push(found));
        }
        assert!(flashes.line.len() <= MAX_LINE);
        all
    }

    fn badges(found: &[Found]) -> Vec<u64> {
        found
            .iter()
            .filter_map(|found| found.as_ref().ok())
            .map(|shown| shown.twinklet.get())
            .collect()
    }

    /// The badges in a text, which must be the same in any pieces.
    fn badges_of(text: &[u8]) -> Vec<u64> {
        let whole = badges(&read(text, usize::MAX, true));
        for piece in [1, 2, 7, 1000] {
            assert_eq!(badges(&read(text, piece, true)), whole, "{piece}");
        }
        whole
    }

    const NONE: [u64; 0] = [];
    const SIX: &str = "6*1*Lab*2020-02-03 17:21*Twinkle 6*Correct";

    #[test]
    fn numbers_and_packets_are_flashes_and_nothing_else_is() {
        let text = format!(
            "7\n\n# a comment 1*3*02/01/2022\n  8  \r\n1*9*02/01/2022\n{SIX}\nhello\n-7\n0\n7 8\n\r10"
        );
        assert_eq!(badges_of(text.as_bytes()), [7, 8, 9, 6, 10]);
        assert_eq!(badges_of(b"\xff\xfe7\n\x008\n9\n"), [9]);
    }

    #[test]
    fn a_code_comes_with_its_badge_and_is_not_shown() {
        let found = read(b"7:012345\n8:\n9:0123456789\n", 3, false);
        let shown = found[0].as_ref().unwrap();
        assert_eq!(shown.code.as_ref().unwrap().as_str(), "012345");
        assert!(
            found[2].as_ref().unwrap_err().ends_with("\"9\"…"),
            "{found:?}"
        );
        assert_eq!(badges(&found), [7]);
    }

    #[test]
    fn glued_packets_are_all_read_and_digits_after_one_are_no_badge() {
        assert_eq!(
            badges_of(b"1*7*02/01/20221*8*02/01/2022junk\n9\n"),
            [7, 8, 9]
        );
        assert_eq!(badges_of(b"1*7*02/01/202212\n"), [7]);
        let glued = format!("{SIX}7*1*Lab*2020-02-03 17:21*Twinkle 7*Correct\n");
        assert_eq!(badges_of(glued.as_bytes()), [6, 7]);
    }

    #[test]
    fn a_packet_with_a_date_needs_no_line_end() {
        assert_eq!(badges(&read(b"1*7*02/01/2022", 4, false)), [7]);
        assert_eq!(badges(&read(SIX.as_bytes(), 4, false)), NONE);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_whole() {
        let mut text = vec![b'7'; 1_000_000];
        text.extend(b"\n8\n");
        assert_eq!(badges_of(&text), [8]);
        assert_eq!(read(&text, 4096, true).len(), 2);
        let mut just_fits = vec![b' '; MAX_LINE - 1];
        just_fits.extend(b"7\n8");
        assert_eq!(badges_of(&just_fits), [7, 8]);
        assert_eq!(badges_of(&[b'7'; 5000]), NONE);
        let many = "1*7*02/01/2022".repeat(500);
        assert_eq!(badges_of(many.as_bytes()).len(), 500);
    }

    #[test]
    fn silence_completes_a_packet_and_drops_half_a_line() {
        let patience = |text: &str| {
            let mut flashes = Flashes::default();
            flashes.feed(text.as_bytes(), |_| ());
            flashes.patience().map(|wait| wait.as_millis())
        };
        assert_eq!(patience(""), None);
        assert_eq!(patience("7\n"), None);
        assert_eq!(patience("1*7*02/01/2022"), None);
        assert_eq!(patience("12"), Some(500));
        assert_eq!(patience(SIX), Some(50));
        assert_eq!(patience(&"x".repeat(5000)), Some(500));

        let (mut flashes, mut all) = (Flashes::default(), Vec::new());
        for text in [SIX, "12", "3\n", &"7".repeat(5000), "8\n"] {
            flashes.feed(text.as_bytes(), |found| all.push(found));
            flashes.silence(|found| all.push(found));
        }
        assert_eq!(badges(&all), [6, 3, 8]);
        assert_eq!(all.len(), 5);
    }

    #[test]
    fn what_is_no_badge_is_shown_escaped_and_short() {
        assert_eq!(show(b"a\x1b[31m\n"), r#""a\u{1b}[31m\n""#);
        assert!(show(&[b'x'; 500]).len() < 70);
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_the_same_in_any_pieces(
            text in "([0-9*/:# a\r\n]|1\\*7\\*02/01/2022){0,80}",
            raw in prop::collection::vec(any::<u8>(), 0..200),
            piece in 1usize..50,
        ) {
            for bytes in [text.as_bytes(), &raw] {
                let whole = badges(&read(bytes, usize::MAX, true));
                prop_assert_eq!(badges(&read(bytes, piece, true)), whole);
            }
        }
    }
}
