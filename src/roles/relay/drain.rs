//! How the spool runs out: which entries to send next, how many at once, and what the central has
//! of them. No I/O and no clock: times come as arguments.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::wire::link::aid::Session;

/// The smallest and the largest batch, in bytes.
const SIZES: std::ops::RangeInclusive<usize> = 2 * 1024..=40 * 1024;
/// The most batches that may be under way: the central stores some while the next are on their way.
const UNDER_WAY: usize = 8;
/// A batch that is stored within this time leaves flashes enough of theirs, so that the next may be
/// larger; one that takes four times as long was too large for this link or that disk.
const QUICK: Duration = Duration::from_millis(100);

/// See the module. It begins anew with each connection.
#[derive(Debug)]
pub(super) struct Drain {
    session: Session,
    /// The number of the newest entry when the connection began: what the central decided up to
    /// there is sent too, since the central may have been restored from a backup.
    began_at: u64,
    /// Up to which number the central said that it has the entries; `None`: it has not said yet.
    stored: Option<u64>,
    /// Up to which number they were sent.
    sent: u64,
    under_way: VecDeque<(u64, Instant)>,
    size: usize,
}

/// What to send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    /// The entries after this one.
    pub(super) after: u64,
    /// Of those after this one, only what the central did not decide.
    pub(super) decided_from: u64,
    /// About as many as fit into so many bytes.
    pub(super) bytes: usize,
}

impl Drain {
    /// A new connection, when `last` is the number of the newest entry.
    pub(super) fn new(session: Session, last: u64) -> Self {
        Self {
            session,
            began_at: last,
            stored: None,
            sent: 0,
            under_way: VecDeque::new(),
            size: *SIZES.start(),
        }
    }

    /// The connection.
    pub(super) fn session(&self) -> Session {
        self.session
    }

    /// The central has told for the first time which entries it has.
    pub(super) fn resume(&mut self, stored: u64) {
        self.stored = Some(stored);
        self.sent = stored;
    }

    /// What to send now, if there is something and if not too much is under way.
    pub(super) fn next(&self, last: u64) -> Option<Next> {
        self.stored?;
        let some = self.sent < last && self.under_way.len() < UNDER_WAY;
        some.then_some(Next {
            after: self.sent,
            decided_from: self.began_at,
            bytes: self.size,
        })
    }

    /// The entries up to there were sent.
    pub(super) fn sent(&mut self, to: u64, now: Instant) {
        self.sent = to;
        self.under_way.push_back((to, now));
    }

    /// The central has stored the entries up to there.
    pub(super) fn stored(&mut self, to: u64, now: Instant) {
        self.stored = self.stored.max(Some(to));
        while let Some((_, since)) = self
            .under_way
            .front()
            .copied()
            .filter(|(sent, _)| *sent <= to)
        {
            self.under_way.pop_front();
            let took = now.saturating_duration_since(since);
            if took <= QUICK {
                self.size = (self.size * 2).min(*SIZES.end());
            } else if took > QUICK * 4 {
                self.size = (self.size / 2).max(*SIZES.start());
            }
        }
    }

    /// Up to which number the central has the entries, once it has said so.
    pub(super) fn acknowledged(&self) -> Option<u64> {
        self.stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(stored: u64) -> Drain {
        let mut drain = Drain::new(Session(1), 100);
        assert_eq!(drain.next(100), None, "the central has said nothing yet");
        drain.resume(stored);
        drain
    }

    #[test]
    fn a_few_batches_at_a_time_are_under_way() {
        let now = Instant::now();
        let mut drain = drain(10);
        for to in [20, 30, 40, 50, 55, 60, 65, 70] {
            let after = drain.next(100).unwrap().after;
            assert!((to - 10..to).contains(&after), "{after}");
            drain.sent(to, now);
        }
        assert_eq!(drain.next(100), None);
        drain.stored(30, now);
        assert_eq!(drain.acknowledged(), Some(30));
        assert_eq!(drain.next(100).unwrap().after, 70);
        drain.sent(100, now);
        assert_eq!(drain.next(100), None, "nothing is left");
        assert_eq!(drain.next(101).unwrap().decided_from, 100);
    }

    #[test]
    fn batches_grow_while_they_are_stored_quickly_and_shrink_when_not() {
        let now = Instant::now();
        let mut drain = drain(0);
        let mut to = 0;
        let mut round = |took: u64| {
            to += 1;
            drain.sent(to, now);
            drain.stored(to, now + Duration::from_millis(took));
            drain.next(u64::MAX).unwrap().bytes
        };
        let grown: Vec<_> = (0..8).map(|_| round(10)).collect();
        assert!(grown[1] > grown[0], "{grown:?}");
        assert_eq!(grown[7], *SIZES.end());
        assert_eq!(round(200), *SIZES.end());
        assert!((0..20).map(|_| round(2_000)).min().unwrap() == *SIZES.start());
    }
}
