//! A lock on a GPIO line.

use std::io;
use std::time::Duration;

use crate::hw::Lock;
use crate::hw::gpio::{Consumer, Error, LineSpec, Output};

/// A strike, which is locked without power, or a magnet, which is locked with it.
pub(in crate::hw) struct GpioLock {
    output: Output,
    line: LineSpec,
    fail_safe: bool,
}

impl GpioLock {
    /// Requests the line, locked.
    pub(in crate::hw) fn request(
        line: &LineSpec,
        fail_safe: bool,
        consumer: &Consumer,
    ) -> Result<Self, Error> {
        Ok(Self {
            output: Output::request(line, fail_safe, consumer)?,
            line: line.clone(),
            fail_safe,
        })
    }
}

impl Lock for GpioLock {
    fn describe(&self) -> String {
        let locked_is_high = self.fail_safe != self.line.active_low;
        let level = if locked_is_high { "high" } else { "low" };
        let kind = if self.fail_safe {
            "fail-safe lock"
        } else {
            "lock"
        };
        format!("the {kind} at {}, locked when {level}", self.output.shown())
    }

    fn unlock(&mut self, _hold: Option<Duration>) -> io::Result<()> {
        self.output.set(!self.fail_safe)
    }

    fn lock(&mut self) -> io::Result<()> {
        self.output.set(self.fail_safe)
    }

    fn may_vanish(&self) -> bool {
        true
    }

    fn look(&mut self) -> io::Result<()> {
        self.output.look(self.fail_safe)
    }
}
