//! Stopping: told by a signal, drained within a bounded time, done.

use std::fs;
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

/// The signals that would end us without a word, and what each means: a door must not end so.
fn signals() -> [(SignalKind, &'static str); 7] {
    [
        (SignalKind::interrupt(), "interrupted"),
        (SignalKind::terminate(), "told to end"),
        (SignalKind::hangup(), "its terminal is gone"),
        (SignalKind::quit(), "told to quit"),
        (SignalKind::alarm(), "SIGALRM"),
        (SignalKind::user_defined1(), "SIGUSR1"),
        (SignalKind::user_defined2(), "SIGUSR2"),
    ]
}

/// A token that is cancelled by the first signal that asks us to end, or that would end us. Who
/// starts us under `nohup` does not want SIGHUP to be one.
///
/// # Errors
/// If the system does not let us listen for them.
pub fn on_signal() -> io::Result<CancellationToken> {
    let told = CancellationToken::new();
    let outlive_terminal = ignores(SignalKind::hangup());
    for (kind, why) in signals() {
        if outlive_terminal && kind == SignalKind::hangup() {
            continue;
        }
        let mut signal = signal(kind)?;
        let stop = told.clone();
        tokio::spawn(async move {
            signal.recv().await;
            if !stop.is_cancelled() {
                info!("stopping: {why}");
                service::stopping();
            }
            stop.cancel();
        });
    }
    Ok(told)
}

/// Whether we were started so that this signal is ignored.
fn ignores(signal: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    mask >> (signal.as_raw_value() - 1) & 1 == 1
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
