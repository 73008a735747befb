//! One thread that owns a database and works in batches: it takes everything that gathered while
//! the last commit ran, and what still comes until the next, so that the cost of a flush is shared by
//! all that wait for it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// The work of such a thread.
pub trait Batches: Send + 'static {
    /// One thing to be done.
    type Job: Send + 'static;

    /// When there is something to do even if no job comes; `None` if there is not.
    fn due(&self) -> Option<Instant>;

    /// Does one batch: jobs that `next` has, as many as are to be flushed together, and what else is
    /// due. Whoever waits for one of them is told only once it is on the disk, or that it cannot be.
    ///
    /// `next` has what came until it is asked, so it is worth asking until just before the flush:
    /// those who were answered by the last one ask again meanwhile, and would each wait for another.
    fn store(&mut self, next: &mut dyn FnMut() -> Option<Self::Job>);

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
    loop {
        let next = match work.due() {
            None => Ok(jobs.blocking_recv()),
            Some(due) if due <= Instant::now() => Ok(jobs.try_recv().ok()),
            Some(due) => runtime.block_on(async { timeout_at(due, jobs.recv()).await }),
        };
        let mut first = match next {
            Ok(None) if jobs.is_closed() && jobs.is_empty() => return,
            Ok(first) => first,
            Err(_) => None,
        };
        pulse.set(Some(Instant::now()));
        work.store(&mut || first.take().or_else(|| jobs.try_recv().ok()));
        pulse.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells what it stores, batch by batch. While it is at the first, `meanwhile` comes.
    struct Work {
        stored: mpsc::Sender<Vec<u32>>,
        meanwhile: Vec<u32>,
        jobs: mpsc::Sender<u32>,
    }

    impl Batches for Work {
        type Job = u32;

        fn due(&self) -> Option<Instant> {
            None
        }

        fn store(&mut self, next: &mut dyn FnMut() -> Option<u32>) {
            let mut batch: Vec<_> = std::iter::from_fn(&mut *next).collect();
            for job in self.meanwhile.drain(..) {
                self.jobs.try_send(job).unwrap();
            }
            batch.extend(std::iter::from_fn(next));
            self.stored.try_send(batch).unwrap();
        }

        fn finish(&mut self) {}
    }

    #[tokio::test]
    async fn what_comes_while_a_batch_is_worked_at_goes_along() {
        let (jobs, queue) = mpsc::channel(8);
        let (stored, mut batches) = mpsc::channel(8);
        let work = Work {
            stored,
            meanwhile: vec![3, 4],
            jobs: jobs.clone(),
        };
        jobs.try_send(1).unwrap();
        jobs.try_send(2).unwrap();
        let _ended = start("test", work, queue, Pulse::default()).unwrap();
        assert_eq!(batches.recv().await.unwrap(), [1, 2, 3, 4]);
        jobs.try_send(5).unwrap();
        assert_eq!(batches.recv().await.unwrap(), [5]);
    }
}
