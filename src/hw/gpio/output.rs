//! A line that we drive.

use std::io;

use gpio_cdev::{LineHandle, LineRequestFlags};
use nix::errno::Errno;

use crate::hw::gpio::find::find;
use crate::hw::gpio::{Consumer, Error, LineSpec, cause_of};

/// A line that we drive, requested once, with its level at rest as the first: nothing moves when
/// the program starts. Dropped, it goes back to that level.
#[derive(Debug)]
pub struct Output {
    spec: LineSpec,
    consumer: Consumer,
    rest: bool,
    /// As in `gpiochip0:17 (GPIO17)`.
    shown: String,
    /// `None` since the line failed: its chip may have been pulled out, and come back.
    handle: Option<LineHandle>,
}

impl Output {
    /// Requests the line, active or not at rest.
    ///
    /// # Errors
    /// [`Error`].
    pub fn request(spec: &LineSpec, rest: bool, consumer: &Consumer) -> Result<Self, Error> {
        let (shown, handle) = request(spec, rest, consumer)?;
        Ok(Self {
            spec: spec.clone(),
            consumer: consumer.clone(),
            rest,
            shown,
            handle: Some(handle),
        })
    }

    /// Makes it active, or not. A line that failed is requested anew.
    ///
    /// # Errors
    /// If the kernel does not do it.
    pub fn set(&mut self, active: bool) -> io::Result<()> {
        match &self.handle {
            Some(handle) => handle.set_value(active.into()).map_err(|error| {
                let cause = cause_of(&error);
                self.handle = None;
                cause
            }),
            None => {
                let (shown, handle) =
                    request(&self.spec, active, &self.consumer).map_err(io::Error::other)?;
                self.shown = shown;
                self.handle = Some(handle);
                Ok(())
            }
        }
    }

    /// Looks whether the line is there, at rest or as it was driven last. One that was gone is
    /// requested anew, active or not.
    ///
    /// # Errors
    /// If it is not there, or was not until this moment.
    pub fn look(&mut self, active: bool) -> io::Result<()> {
        let Some(handle) = &self.handle else {
            return self.set(active);
        };
        match handle.get_value().map_err(|error| cause_of(&error)) {
            // The kernel's word that the chip is gone. Some chips cannot read what they drive: no
            // other word says anything about the line.
            Err(cause) if cause.raw_os_error() == Some(Errno::ENODEV as i32) => {
                self.handle = None;
                // It may be back already.
                let _back = self.set(active);
                Err(cause)
            }
            _ => Ok(()),
        }
    }

    /// The line, as in `gpiochip0:17 (GPIO17)`.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Many kernels leave a line as its last owner drove it.
        let _gone = self.set(self.rest);
    }
}

fn request(
    spec: &LineSpec,
    active: bool,
    consumer: &Consumer,
) -> Result<(String, LineHandle), Error> {
    let found = find(spec)?;
    let mut flags = LineRequestFlags::OUTPUT;
    flags.set(LineRequestFlags::ACTIVE_LOW, spec.active_low);
    match found.line.request(flags, active.into(), &consumer.0) {
        Ok(handle) => Ok((found.shown, handle)),
        Err(error) => Err(found.refused(&error, consumer)),
    }
}
