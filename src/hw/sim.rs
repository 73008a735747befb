//! A lock without hardware, which says what it would do.

use std::io;
use std::time::Duration;

use crate::hw::{Lock, Say};

/// Says `unlocked for 5 s` and `locked`.
pub(super) struct SimulatedLock {
    pub(super) say: Say,
}

impl Lock for SimulatedLock {
    fn describe(&self) -> String {
        "a simulated lock: nothing is unlocked".to_owned()
    }

    fn unlock(&mut self, hold: Option<Duration>) -> io::Result<()> {
        match hold {
            Some(hold) => (self.say)(&format!("unlocked for {} s", hold.as_secs_f64())),
            None => (self.say)("unlocked"),
        }
        Ok(())
    }

    fn lock(&mut self) -> io::Result<()> {
        (self.say)("locked");
        Ok(())
    }
}
