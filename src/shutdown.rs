//! Stopping: told by a signal, drained within a bounded time, done.

use std::io;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::service;

/// How long a role may take to end after it was told to: what is under way gets its answer, and a
/// service manager is not kept waiting.
const DRAIN_WITHIN: Duration = Duration::from_millis(1_700);

/// Runs a role's work on this thread, to its end. Whatever of it still hangs then, such as a look-up
/// of a host's name, is left behind.
///
/// # Errors
/// If the system has no event queue for us; else those of the work.
pub fn run<T, E: From<io::Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// A token that is cancelled by the first SIGINT or SIGTERM.
///
/// # Errors
/// If the system lets us listen for neither.
pub fn on_signal() -> io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let told = CancellationToken::new();
    let stop = told.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => info!("stopping: interrupted"),
            _ = terminate.recv() => info!("stopping: told to end"),
        }
        service::stopping();
        stop.cancel();
    });
    Ok(told)
}

/// Runs work that comes to its end by itself once `stop` is cancelled, and returns its result;
/// `None` if it takes longer over that than a stop may.
pub async fn within<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    let overdue = async {
        stop.cancelled().await;
        sleep(DRAIN_WITHIN).await;
    };
    tokio::select! {
        result = work => Some(result),
        () = overdue => {
            warn!("not everything came to its end in time");
            None
        }
    }
}
