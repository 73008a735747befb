//! Guesses, answered late: whoever tries one badge after the other waits longer and longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;
use tracing::warn;

use crate::domain::access::Reason;
use crate::domain::guessing::Guesses;
use crate::domain::ids::{DeviceName, EventId};
use crate::wire::answers::Answers;

/// How many answers may be held back at once: few enough for no connection to be read more slowly,
/// with others' flashes on it, because of them.
const AT_ONCE: usize = 256;

/// Holds such answers back.
#[derive(Debug)]
pub struct Held {
    /// Where they wait.
    runtime: Handle,
    /// How many do.
    count: Arc<AtomicUsize>,
}

impl Held {
    /// To be called in a runtime, which they will wait in.
    pub fn here() -> Self {
        Self {
            runtime: Handle::current(),
            count: Arc::default(),
        }
    }

    /// Refuses a flash with an unknown badge at that door, which is a guess: later than others are
    /// answered, but no later than `at_most` from now. Says so when the guessing begins.
    pub fn refuse(
        &self,
        door: &DeviceName,
        guesses: Guesses,
        at_most: Duration,
        (seq, event): (u64, EventId),
        answers: Answers,
    ) {
        if guesses.is_first() {
            warn!(
                "door '{door}': {} unknown badges within a minute; further ones are answered \
                 slowly, and are one event",
                guesses.count
            );
        }
        let delay = guesses.delay().to_std().unwrap_or_default().min(at_most);
        let count = Arc::clone(&self.count);
        if count.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
            count.fetch_sub(1, Ordering::Relaxed);
            return answers.refuse(seq, event, Reason::UnknownTwinklet);
        }
        self.runtime.spawn(async move {
            sleep(delay).await;
            count.fetch_sub(1, Ordering::Relaxed);
            answers.refuse(seq, event, Reason::UnknownTwinklet);
        });
    }
}
