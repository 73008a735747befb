//! One thread that owns a database and works in batches: it takes everything that gathered while
//! the last commit ran, so that the cost of a flush is shared by all that wait for it.

use std::io;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

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

    /// The last attempt at all that was put aside: no more jobs will come.
    fn finish(&mut self);
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
) -> io::Result<oneshot::Receiver<()>> {
    let (tell, ended) = oneshot::channel();
    let runtime = Handle::current();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            run(&mut work, &mut jobs, &runtime);
            work.finish();
            drop(work);
            // Nobody may be left to hear it.
            let _told = tell.send(());
        })?;
    Ok(ended)
}

fn run<B: Batches>(work: &mut B, jobs: &mut mpsc::Receiver<B::Job>, runtime: &Handle) {
    let mut batch = Vec::with_capacity(B::AT_ONCE);
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
        while batch.len() < B::AT_ONCE
            && let Ok(job) = jobs.try_recv()
        {
            work.take(job, &mut batch);
        }
        work.store(&mut batch);
    }
}
