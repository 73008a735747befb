//! One thread that owns a database and works in batches: it takes everything that gathered while
//! the last commit ran, so that the cost of a flush is shared by all that wait for it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// The longest wait for a batch to become large enough.
const GATHER_AT_MOST: Duration = Duration::from_millis(10);
/// After so many times a flush without a batch, nothing is going on any more.
const GOING_ON: u32 = 4;
/// By which part the size of a usual batch shrinks with each that is smaller.
const SHRINK: usize = 8;
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_micros(50);

/// The work of such a thread.
pub trait Batches: Send + 'static {
    /// One thing to be done.
    type Job: Send + 'static;
    /// The most jobs of one batch.
    const AT_ONCE: usize;

    /// When there is something to do even if no job comes; `None` if there is not.
    fn due(&self) -> Option<Instant>;

    /// Puts a job into the batch, or aside, if others may go before it.
    fn take(&mut self, job: Self::Job, batch: &mut Vec<Self::Job>);

    /// Does a batch, and what was put aside and is due; leaves the batch empty. Whoever waits for
    /// one of its jobs is told only once that is on the disk, or that it cannot be.
    fn store(&mut self, batch: &mut Vec<Self::Job>);

    /// How long the flush of the last batch took: what it saves to do two batches as one.
    fn flush_took(&self) -> Duration;

    /// The last attempt at all that was put aside: no more jobs will come.
    fn finish(&mut self);
}

/// Since when such a thread is at the batch that it is at, for whoever looks whether it still moves.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// For how long it has been at one batch; zero while it waits for the next.
    pub fn busy_for(&self) -> Duration {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// Starts the thread, which runs until the queue is closed and empty. To be called in a runtime,
/// whose clock it uses. What is returned comes to its end when the thread has: with a value once
/// everything is done, with an error if it failed.
///
/// # Errors
/// If the system has no thread for us.
pub fn start<B: Batches>(
    name: &str,
    mut work: B,
    mut jobs: mpsc::Receiver<B::Job>,
    pulse: Pulse,
) -> io::Result<oneshot::Receiver<()>> {
    let (tell, ended) = oneshot::channel();
    let runtime = Handle::current();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            run(&mut work, &mut jobs, &runtime, &pulse);
            work.finish();
            drop(work);
            // Nobody may be left to hear it.
            let _told = tell.send(());
        })?;
    Ok(ended)
}

fn run<B: Batches>(
    work: &mut B,
    jobs: &mut mpsc::Receiver<B::Job>,
    runtime: &Handle,
    pulse: &Pulse,
) {
    let mut batch = Vec::with_capacity(B::AT_ONCE);
    let mut pace = Pace::default();
    loop {
        let next = match work.due() {
            None => Ok(jobs.blocking_recv()),
            Some(due) if due <= Instant::now() => Ok(jobs.try_recv().ok()),
            Some(due) => runtime.block_on(async { timeout_at(due, jobs.recv()).await }),
        };
        match next {
            Ok(Some(job)) => work.take(job, &mut batch),
            Ok(None) if jobs.is_closed() && jobs.is_empty() => return,
            Ok(None) | Err(_) => (),
        }
        if !batch.is_empty() {
            pace.gather(|| batch.len() + jobs.len());
        }
        while batch.len() < B::AT_ONCE
            && let Ok(job) = jobs.try_recv()
        {
            work.take(job, &mut batch);
        }
        let size = batch.len();
        pulse.set(Some(Instant::now()));
        work.store(&mut batch);
        pulse.set(None);
        pace.stored(size, work.flush_took());
    }
}

/// What batches were like lately.
///
/// Those who were just answered ask again, but not all in the same moment. A commit that began with
/// the first of them would have the others wait for the next one, and each few would pay for a flush
/// of their own. Nor are all of them to be waited for: then each stage idles while another works. Two
/// halves that take turns are best, so that a batch waits until it is half as large as they come, for
/// no longer than the flush that it saves. A job that comes when nothing was going on waits for
/// nothing.
#[derive(Default)]
struct Pace {
    /// The largest of the last batches; older ones weigh less.
    usual: usize,
    flush: Duration,
    /// Until when something is going on.
    until: Option<Instant>,
}

impl Pace {
    fn stored(&mut self, size: usize, flush: Duration) {
        self.usual = size.max(self.usual - self.usual.div_ceil(SHRINK));
        self.flush = flush.min(GATHER_AT_MOST);
        self.until = Some(Instant::now() + self.flush * GOING_ON);
    }

    /// Waits for a batch of half the usual size, where that makes sense; `gathered` says how large it
    /// is by now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the queue wakes for one job, not for so many"
    )]
    fn gather(&self, gathered: impl Fn() -> usize) {
        let now = Instant::now();
        if self.until.is_none_or(|until| now >= until) {
            return;
        }
        let wanted = self.usual.div_ceil(2);
        while gathered() < wanted && now.elapsed() < self.flush {
            thread::sleep(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    #[test]
    fn a_batch_waits_until_it_is_half_as_large_as_usual_and_no_longer_than_a_flush() {
        let looks = std::cell::Cell::new(0);
        let gathered = || {
            looks.set(looks.get() + 1);
            looks.get()
        };
        let mut pace = Pace::default();
        pace.gather(gathered);
        assert_eq!(looks.get(), 0, "nothing was stored yet");

        pace.stored(8, LONG);
        assert_eq!(pace.flush, GATHER_AT_MOST);
        pace.flush = LONG;
        pace.gather(gathered);
        assert_eq!(looks.replace(0), 4);

        // Of one that was small, the others do not become so at once.
        pace.stored(1, LONG);
        pace.flush = LONG;
        pace.gather(gathered);
        assert_eq!(looks.replace(0), 4);
        (0..8).for_each(|_| pace.stored(1, LONG));
        pace.gather(gathered);
        assert_eq!(looks.replace(0), 1);

        pace.stored(8, Duration::ZERO);
        pace.until = Some(Instant::now() + LONG);
        pace.gather(gathered);
        assert_eq!(looks.replace(0), 1, "no longer than the flush");
        pace.until = Some(Instant::now());
        pace.gather(gathered);
        assert_eq!(looks.replace(0), 0, "nothing was going on");
    }
}
