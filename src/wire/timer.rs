//! Waits with a limit that follow one another, as those of a connection do.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What a wait for ever comes to: as long as can be added to any time that it is now.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// One timer for all of them, which is set again only when it goes off too early, or would too late:
/// [`tokio::time::timeout`] enters one with the runtime, and removes it, for each wait.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// What is waited for, or `None` if it takes longer than that.
    pub(super) async fn within<F: Future>(
        &mut self,
        limit: Duration,
        awaited: F,
    ) -> Option<F::Output> {
        let mut awaited = pin!(awaited);
        let mut due = None;
        poll_fn(|cx| {
            if let Poll::Ready(done) = awaited.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            // Only now: most writes need no wait, and so no clock.
            let due = *due.get_or_insert_with(|| Instant::now() + limit.min(FOR_EVER));
            let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.deadline() > due {
                timer.as_mut().reset(due);
            }
            while timer.as_mut().poll(cx).is_ready() {
                if Instant::now() >= due {
                    return Poll::Ready(None);
                }
                timer.as_mut().reset(due);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::time::sleep;

    const SECOND: Duration = Duration::from_secs(1);

    /// How long a wait took, and whether it ended in time.
    async fn wait(timer: &mut Timer, limit: Duration, awaited: impl Future) -> (Duration, bool) {
        let began = Instant::now();
        let ended = timer.within(limit, awaited).await;
        (began.elapsed(), ended.is_some())
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_limit() {
        let mut timer = Timer::default();
        let timer = &mut timer;
        // The timer is set for the first, goes off too early for the second, and after it too late.
        for (limit, takes, took) in [(3, 2, 2), (5, 4, 4), (20, 10, 10), (2, 9, 2), (4, 9, 4)] {
            let waited = wait(timer, limit * SECOND, sleep(takes * SECOND)).await;
            assert_eq!(waited, (took * SECOND, takes < limit), "{limit} {takes}");
        }
        assert_eq!(wait(timer, SECOND, ready(())).await, (Duration::ZERO, true));
        assert_eq!(wait(timer, SECOND, pending::<()>()).await, (SECOND, false));
        let day = 24 * 60 * 60 * SECOND;
        assert_eq!(wait(timer, Duration::MAX, sleep(day)).await, (day, true));
    }
}
