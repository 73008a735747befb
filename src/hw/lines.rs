//! Flashes from standard input, as lines of text.

use std::io::{self, ErrorKind, Read};
use std::thread;

use tokio::sync::mpsc;
use tracing::warn;

use crate::hw::flashes::{Flashes, Found};
use crate::hw::noise::Noise;
use crate::hw::{FlashSource, Reading, SourceKind};

/// Standard input: what is typed, piped, or read by a scanner that plays a keyboard.
pub(super) const STDIN: SourceKind = SourceKind {
    written: "stdin",
    make: |given| (given == "stdin").then(|| Ok(Box::new(Lines) as _)),
};

/// How it is called in messages.
const NAME: &str = "standard input";

struct Lines;

impl FlashSource for Lines {
    fn describe(&self) -> String {
        NAME.to_owned()
    }

    fn start(self: Box<Self>, readings: mpsc::Sender<Reading>) -> io::Result<()> {
        // A thread of its own: a read of standard input cannot be broken off, and must not keep
        // the door from ending.
        thread::Builder::new()
            .name("flashes".to_owned())
            .spawn(move || {
                if let Err(cause) = read(io::stdin(), &readings) {
                    warn!("cannot read {NAME}: {cause}");
                }
            })?;
        Ok(())
    }
}

/// Reads to the end, or until nobody takes the readings any more.
fn read(mut from: impl Read, readings: &mpsc::Sender<Reading>) -> io::Result<()> {
    let mut flashes = Flashes::default();
    let mut noise = Noise::default();
    let mut bytes = [0; 4096];
    let mut hand_over = |found: Found| match found {
        Ok(shown) => {
            // Nobody may be left to take it; then the next look ends this.
            let _taken = readings.blocking_send(shown.into());
        }
        Err(what) => noise.say(NAME, &what),
    };
    while !readings.is_closed() {
        match from.read(&mut bytes) {
            Ok(0) => {
                flashes.end_line(&mut hand_over);
                break;
            }
            Ok(count) => flashes.feed(bytes.get(..count).unwrap_or_default(), &mut hand_over),
            Err(cause) if cause.kind() == ErrorKind::Interrupted => (),
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_needs_no_end() {
        let (sender, mut receiver) = mpsc::channel(10);
        read(&b"7\nhello\n8"[..], &sender).unwrap();
        drop(sender);
        let badges: Vec<_> = std::iter::from_fn(|| receiver.blocking_recv())
            .map(|reading| reading.shown.twinklet.get())
            .collect();
        assert_eq!(badges, [7, 8]);
    }
}
