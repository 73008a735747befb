//! How much of what a peer asks may be unanswered.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::wire::Role;
use crate::wire::answers::Answers;
use crate::wire::guard::Limits;

/// How many doors' requests a relay may have waiting.
const DOORS_OF_A_RELAY: usize = 64;

/// How many requests a peer may have waiting for an answer: beyond that its connection is not read,
/// which slows it down. A relay speaks for all its doors.
pub(super) fn window_of(role: Role, limits: &Limits) -> usize {
    match role {
        Role::Door => limits.requests,
        Role::Relay => limits.requests.saturating_mul(DOORS_OF_A_RELAY),
    }
}

/// Counts the flashes of a connection that are not answered yet.
pub(super) struct Window {
    limit: usize,
    taken: AtomicUsize,
    given_back: Notify,
}

impl Window {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
            given_back: Notify::new(),
        }
    }

    /// Waits while there are too many of them, or while the peer takes too few of the answers.
    pub(super) async fn wait_for_room(&self, answers: &Answers) {
        while self.taken.load(Ordering::Relaxed).max(answers.unwritten()) >= self.limit {
            self.given_back.notified().await;
        }
    }

    pub(super) fn take(&self, count: usize) {
        self.taken.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::Relaxed);
        self.given_back.notify_one();
    }
}
