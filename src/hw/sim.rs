//! A lock without hardware, which says what it would do.

use std::io::{self, Write};
use std::time::Duration;

use crate::hw::Lock;

/// Prints `unlocked for 5 s` and `locked`.
#[derive(Debug)]
pub(super) struct SimulatedLock;

impl Lock for SimulatedLock {
    fn describe(&self) -> String {
        "a simulated lock: nothing is unlocked".to_owned()
    }

    fn unlock(&mut self, hold: Duration) -> io::Result<()> {
        writeln!(io::stdout(), "unlocked for {} s", hold.as_secs_f64())
    }

    fn lock(&mut self) -> io::Result<()> {
        writeln!(io::stdout(), "locked")
    }
}
