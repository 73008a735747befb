//! A line that we watch.
//!
//! A contact bounces, and the kernel's queue holds 16 edges and drops the rest: so edges only say
//! that something moves. What it came to is read from the line itself, once it has been quiet.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use gpio_cdev::{EventRequestFlags, LineEventHandle, LineRequestFlags};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tracing::{error, info, warn};

use crate::hw::gpio::find::find;
use crate::hw::gpio::{Consumer, Error, LineSpec, cause_of};
use crate::hw::{Change, Sensed, Sensor};

/// How long a line must be quiet before it is read: contacts and buttons bounce for a few
/// milliseconds.
const QUIET: Duration = Duration::from_millis(25);
/// How often a line is read that says nothing: older kernels do not wake us when its chip is gone.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A line that is not quiet for this long is worth a word: it floats, or its wire is loose.
const RESTLESS: Duration = Duration::from_secs(2);
/// When to say so again.
const TELL_AGAIN: Duration = Duration::from_secs(600);
/// When to look whether a line that was lost is back.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// How many edges the kernel keeps for a line, and the size of each, in bytes.
const QUEUE: usize = 16;
const EDGE: usize = 16;

/// A line that we watch.
#[derive(Debug)]
pub(in crate::hw) struct Input {
    sensor: Sensor,
    spec: LineSpec,
    consumer: Consumer,
    shown: String,
    handle: LineEventHandle,
}

impl Input {
    /// Requests the line.
    pub(in crate::hw) fn request(
        sensor: Sensor,
        spec: &LineSpec,
        consumer: &Consumer,
    ) -> Result<Self, Error> {
        let (shown, handle) = request(spec, consumer)?;
        Ok(Self {
            sensor,
            spec: spec.clone(),
            consumer: consumer.clone(),
            shown,
            handle,
        })
    }

    /// What it is, for the start-up line.
    pub(in crate::hw) fn describe(&self) -> String {
        let level = if self.spec.active_low { "low" } else { "high" };
        let (sensor, active) = (self.sensor, self.sensor.active());
        format!("{sensor} at {}, {active} when {level}", self.shown)
    }

    /// Tells what it senses, now and at each change, for as long as somebody listens.
    pub(in crate::hw) fn start(self, changes: mpsc::Sender<Change>) {
        tokio::spawn(async move {
            tokio::select! {
                never = self.watch(&changes) => match never {},
                () = changes.closed() => (),
            }
        });
    }

    async fn watch(mut self, changes: &mpsc::Sender<Change>) -> Infallible {
        let sensor = self.sensor;
        loop {
            let Err(cause) = follow(self.handle, sensor, &self.shown, changes).await;
            error!(
                "lost the {sensor} at {}: {cause}; looking for it",
                self.shown
            );
            tell(changes, sensor, Sensed::Lost).await;
            (self.shown, self.handle) = loop {
                sleep(TRY_AGAIN).await;
                if let Ok(back) = request(&self.spec, &self.consumer) {
                    break back;
                }
            };
            info!("the {sensor} at {} is back", self.shown);
        }
    }
}

async fn tell(changes: &mpsc::Sender<Change>, sensor: Sensor, sensed: Sensed) {
    // Where nobody listens any more, we are about to be dropped.
    let _heard = changes.send(Change { sensor, sensed }).await;
}

/// Tells of each change, until the line fails.
async fn follow(
    handle: LineEventHandle,
    sensor: Sensor,
    shown: &str,
    changes: &mpsc::Sender<Change>,
) -> io::Result<Infallible> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe, for types whose descriptor may be closed elsewhere; \
                  this one owns its own"
    )]
    let line = AsyncFd::new(handle)?;
    let mut known = None;
    let mut told: Option<Instant> = None;
    loop {
        let active = read(&line)?;
        if known.replace(active) != Some(active) {
            tell(changes, sensor, Sensed::Is(active)).await;
        }
        match timeout(LOOK_AGAIN, line.readable()).await {
            Ok(ready) => ready?.clear_ready(),
            Err(_quiet) if read(&line)? == active => continue,
            Err(_missed) => (),
        }
        let began = Instant::now();
        // However fast it moves, it is looked at no more often than this.
        while {
            sleep(QUIET).await;
            count_edges(line.get_ref())? > 0
        } {
            let overdue = told.is_none_or(|told| told.elapsed() >= TELL_AGAIN);
            if overdue && began.elapsed() >= RESTLESS {
                told = Some(Instant::now());
                warn!(
                    "the {sensor} at {shown} does not come to rest: does it float, or is a wire \
                     loose? Until it does, it counts as it was"
                );
            }
        }
    }
}

/// Whether the line is active.
fn read(line: &AsyncFd<LineEventHandle>) -> io::Result<bool> {
    let value = line.get_ref().get_value();
    Ok(value.map_err(|error| cause_of(&error))? != 0)
}

/// Empties the kernel's queue of edges; returns how many there were.
pub(super) fn count_edges(line: &LineEventHandle) -> io::Result<usize> {
    let mut file = line.file();
    let mut edges = [0; QUEUE * EDGE];
    let mut count = 0;
    // Older kernels hand over one at a time.
    for _ in 0..QUEUE {
        match file.read(&mut edges) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => count += bytes / EDGE,
            Err(none) if none.kind() == ErrorKind::WouldBlock => break,
            Err(cause) => return Err(cause),
        }
    }
    Ok(count)
}

/// Has reads of the edges return at once.
pub(super) fn unblock(line: &LineEventHandle) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(line, FcntlArg::F_GETFL)?);
    fcntl(line, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

fn request(spec: &LineSpec, consumer: &Consumer) -> Result<(String, LineEventHandle), Error> {
    let found = find(spec)?;
    let mut flags = LineRequestFlags::INPUT;
    flags.set(LineRequestFlags::ACTIVE_LOW, spec.active_low);
    let handle = match found
        .line
        .events(flags, EventRequestFlags::BOTH_EDGES, &consumer.0)
    {
        Ok(handle) => handle,
        Err(error) => return Err(found.refused(&error, consumer)),
    };
    unblock(&handle).map_err(|cause| Error::Failed {
        what: found.shown.clone(),
        cause,
    })?;
    Ok((found.shown, handle))
}
