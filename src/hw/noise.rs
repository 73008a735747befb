//! What a source brings that is no badge: said in the log, but a cable that catches noise must not
//! fill it.

use std::time::{Duration, Instant};

use tracing::warn;

/// How many are shown in each [`WINDOW`].
const SHOWN: u64 = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts what was said.
#[derive(Debug, Default)]
pub(super) struct Noise {
    began: Option<Instant>,
    count: u64,
}

impl Noise {
    /// Says that this came from there, unless too much was said already.
    pub(super) fn say(&mut self, source: &str, what: &str) {
        if self.began.is_none_or(|began| began.elapsed() >= WINDOW) {
            let hidden = self.count.saturating_sub(SHOWN);
            if hidden > 0 {
                warn!("{source}: {hidden} more that were no badge");
            }
            *self = Self {
                began: Some(Instant::now()),
                count: 0,
            };
        }
        self.count += 1;
        if self.count <= SHOWN {
            warn!("{source}: {what}; passed over");
        }
        if self.count == SHOWN {
            warn!("{source}: what else is no badge is only counted for a while");
        }
    }
}
