//! Flashes as lines of text: badge numbers or the old system's packets, one or more a line.

use std::io::{self, BufRead, BufReader, Read};
use std::thread;

use tokio::sync::mpsc;
use tracing::warn;

use crate::domain::ids::TwinkletId;
use crate::domain::packet::{self, Scan};
use crate::hw::{FlashSource, Reading};

/// The longest line that is looked at, in bytes.
const MAX_LINE: usize = 1024;
/// How much of a bad line is shown.
const MAX_SHOWN: usize = 60;

/// A stream of lines. A number is a badge's id; blank lines and those that begin with `#` are
/// passed over.
pub(super) struct Lines {
    from: Box<dyn Read + Send>,
    name: &'static str,
}

impl Lines {
    /// Standard input.
    pub(super) fn of_stdin() -> Self {
        Self {
            from: Box::new(io::stdin()),
            name: "standard input",
        }
    }
}

impl FlashSource for Lines {
    fn describe(&self) -> String {
        self.name.to_owned()
    }

    fn start(self: Box<Self>, readings: mpsc::Sender<Reading>) -> io::Result<()> {
        // A thread of its own: a read of standard input cannot be broken off, and must not keep
        // the door from ending.
        thread::Builder::new()
            .name("flashes".to_owned())
            .spawn(move || {
                if let Err(cause) = read(BufReader::new(self.from), &readings) {
                    warn!("cannot read {}: {cause}", self.name);
                }
            })?;
        Ok(())
    }
}

/// Reads to the end, or until nobody takes the readings any more.
fn read(mut from: impl BufRead, readings: &mpsc::Sender<Reading>) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        let Some(whole) = next_line(&mut from, &mut line)? else {
            return Ok(());
        };
        if !whole {
            warn!("line {number} is longer than {MAX_LINE} bytes; passed over");
            continue;
        }
        for found in flashes(&line) {
            match found {
                Ok(twinklet) => {
                    if readings.blocking_send(Reading { twinklet }).is_err() {
                        return Ok(());
                    }
                }
                Err(bad) => warn!("line {number} is neither a badge's id nor a packet: {bad}"),
            }
        }
    }
    Ok(())
}

/// Reads the next line, without its end. `None` at the end of the stream, `Some(false)` for a line
/// that is too long: its rest is read and dropped.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    let limit = MAX_LINE as u64 + 1;
    line.clear();
    if from.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    let whole = line.ends_with(b"\n") || line.len() <= MAX_LINE;
    if !whole {
        let mut rest = Vec::new();
        while from.by_ref().take(limit).read_until(b'\n', &mut rest)? > 0 && !rest.ends_with(b"\n")
        {
            rest.clear();
        }
    }
    Ok(Some(whole))
}

/// The badges that a line names, and what in it is nothing of the kind.
fn flashes(line: &[u8]) -> Vec<Result<TwinkletId, String>> {
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") {
        return Vec::new();
    }
    if let Some(id) = std::str::from_utf8(line)
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return vec![Ok(id)];
    }
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        let (flash, used) = match packet::scan(rest, true) {
            Scan::Packet { twinklet, used } => (Ok(twinklet), used),
            Scan::Malformed { used } => (Err(show(rest.get(..used).unwrap_or(rest))), used),
            // Nothing is left; nothing waits once the line has ended.
            Scan::Nothing | Scan::Partial | Scan::CompleteUnlessMoreFollows => return found,
        };
        found.push(flash);
        rest = rest.get(used..).unwrap_or_default();
    }
}

/// A stretch of a line, so that it cannot spoil the log.
fn show(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown: String = text.chars().take(MAX_SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The badges read from a text.
    fn badges(text: &[u8]) -> Vec<u64> {
        let (sender, mut receiver) = mpsc::channel(100);
        read(text, &sender).unwrap();
        drop(sender);
        std::iter::from_fn(|| receiver.blocking_recv())
            .map(|r| r.twinklet.get())
            .collect()
    }

    #[test]
    fn numbers_and_packets_are_flashes_and_nothing_else_is() {
        let text = b"7\n\n# a comment\n  8  \r\n1*9*02/01/2022\n\
            6*1*Lab*2020-02-03 17:21*Twinkle 6*Correct\nhello\n-7\n0\n7 8\n\xff\xfe\n10";
        assert_eq!(badges(text), [7, 8, 9, 6, 10]);
    }

    #[test]
    fn glued_packets_on_a_line_are_all_read() {
        assert_eq!(badges(b"1*7*02/01/20221*8*02/01/2022junk\n9\n"), [7, 8, 9]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_whole() {
        let mut text = vec![b'7'; 1_000_000];
        text.extend(b"\n8\n");
        assert_eq!(badges(&text), [8]);
        let mut just_fits = vec![b' '; MAX_LINE - 1];
        just_fits.extend(b"7\n8");
        assert_eq!(badges(&just_fits), [7, 8]);
        assert_eq!(badges(&[b'7'; 5000]), [0; 0]);
    }

    #[test]
    fn a_bad_line_is_shown_escaped_and_short() {
        assert_eq!(show(b"a\x1b[31m\n"), r#""a\u{1b}[31m\n""#);
        assert!(show(&[b'x'; 500]).len() < 70);
    }
}
