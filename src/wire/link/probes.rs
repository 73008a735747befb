//! Round trips to the upstream that are measured: which are under way, and who asked for each.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::wire::answers::Answers;
use crate::wire::link::Phase;
use crate::wire::{Echo, Message, Probed};

/// The most that may be under way: a door asks for one after the other.
const MAX_UNDER_WAY: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Probes {
    last: u64,
    under_way: BTreeMap<u64, Probe>,
}

#[derive(Debug)]
struct Probe {
    since: Instant,
    /// The asker's number for it.
    n: u64,
    asker: Answers,
}

impl Probes {
    /// Begins one; returns what to send. While the upstream is away, or there are too many, it is
    /// given up at once.
    pub(super) fn begin(
        &mut self,
        n: u64,
        asker: &Answers,
        upstream: Phase,
        now: Instant,
    ) -> Option<Message> {
        if upstream != Phase::Up || self.under_way.len() >= MAX_UNDER_WAY {
            asker.probed(Probed::lost(n));
            return None;
        }
        self.last += 1;
        let asker = asker.clone();
        let probe = Probe {
            since: now,
            n,
            asker,
        };
        self.under_way.insert(self.last, probe);
        Some(Message::Probe(Echo { n: self.last }))
    }

    /// The upstream has answered.
    pub(super) fn ended(&mut self, answer: &Probed, now: Instant) {
        if let Some(Probe { since, n, asker }) = self.under_way.remove(&answer.n) {
            asker.probed(Probed {
                n,
                lost: answer.lost,
                hops: [micros(now - since)]
                    .into_iter()
                    .chain(answer.hops.iter().copied())
                    .collect(),
            });
        }
    }

    /// The upstream is away: none of them will come back.
    pub(super) fn give_up(&mut self) {
        for Probe { n, asker, .. } in std::mem::take(&mut self.under_way).into_values() {
            asker.probed(Probed::lost(n));
        }
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
