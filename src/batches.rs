//! One thread that owns a database and works in batches: it takes everything that gathered while
//! the last commit ran, so that the cost of a flush is shared by all that wait for it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// The longest wait for a batch to become as large as the one before it.
const GATHER_AT_MOST: Duration = Duration::from_millis(10);
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

/// What the last batch was like.
///
/// Those who were just answered ask again, but not all in the same moment. A commit that began with
/// the first of them would have the others wait for the next one, and each of two halves would pay
/// for a flush of its own. So soon after a batch, the next one waits until it is as large, for no
/// longer than the flush that it saves: on a quick disk, two halves that take turns have more done.
/// Where jobs come steadily, as many have come while it ran, and nothing waits; nor does a job that
/// comes when nothing was going on.
#[derive(Default)]
struct Pace {
    size: usize,
    until: Option<Instant>,
}

impl Pace {
    fn stored(&mut self, size: usize, flush: Duration) {
        self.size = size;
        self.until = Some(Instant::now() + flush.min(GATHER_AT_MOST));
    }

    /// Waits for a batch that is as large as the last, where that makes sense; `gathered` says how
    /// large it is by now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the queue wakes for one job, not for so many"
    )]
    fn gather(&self, gathered: impl Fn() -> usize) {
        while gathered() < self.size && self.until.is_some_and(|until| Instant::now() < until) {
            thread::sleep(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    #[test]
    fn a_batch_waits_for_as_many_as_there_were_and_no_longer_than_the_last_flush() {
        let looks = std::cell::Cell::new(0);
        let gathered = || {
            looks.set(looks.get() + 1);
            looks.get()
        };
        let mut pace = Pace::default();
        pace.gather(gathered);
        assert_eq!(looks.get(), 1, "nothing was stored yet");

        // It took long, and there were four; the waiting has a limit of its own.
        pace.stored(4, LONG);
        assert!(pace.until.unwrap() <= Instant::now() + GATHER_AT_MOST);
        pace.until = Some(Instant::now() + LONG);
        pace.gather(gathered);
        assert_eq!(looks.get(), 4);

        pace.until = Some(Instant::now());
        looks.set(0);
        pace.gather(gathered);
        assert_eq!(looks.get(), 1, "it is over");
    }
}
