//! The thread's part in handing over to the central what it does not have.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::roles::relay::drafts::uptime;
use crate::roles::relay::drain::Drain;
use crate::roles::relay::writer::{KEEP_WITHIN, Work};
use crate::wire::Message;
use crate::wire::link::aid::Session;
use crate::wire::spool::{Entries, Spool};

/// How long the central need not hear of entries of which it has everything already.
const CHECKPOINT: Duration = Duration::from_secs(60);
/// How often the central of a relay that decides by itself is told that nothing is left.
const COMPLETE_EVERY: Duration = Duration::from_secs(180);
/// The most entries without one: after a lost connection, those since the last are sent once more.
const CHECKPOINT_AT: u64 = 4_096;

impl Work {
    /// Keeps which identities doors may come with, for a start without the central.
    pub(super) fn keep_roll(&mut self) {
        if let (Some(roll), Some(store)) = (&self.roll, &mut self.store) {
            let kept = store.keep_roll(roll);
            if self.worked(kept).is_some() {
                self.roll = None;
            }
        }
    }

    /// Asks a newly connected central which entries it has.
    pub(super) fn greet(&mut self) {
        let (Some((session, installation)), None) = (self.connected, &self.drain) else {
            return;
        };
        // What came over the connection before is numbered first.
        self.keep_at = Instant::now();
        if !self.keep(&[]) {
            return;
        }
        let Some(store) = &mut self.store else {
            return;
        };
        let id = store.spool_id().and_then(|id| {
            if let (None, Some(installation)) = (store.installation()?, installation) {
                store.set_installation(installation)?;
            }
            Ok(id)
        });
        if let Some(id) = self.worked(id) {
            let last = self.backlog.last;
            self.drain = Some(Drain::new(session, last));
            let spool = Spool {
                id,
                last,
                offline_for: self
                    .offline
                    .as_ref()
                    .map(|offline| u64::try_from(offline.limit().as_millis()).unwrap_or(u64::MAX)),
            };
            self.options
                .link
                .send_later(session, &Message::Spool(spool));
            self.asked_for.clear();
            if let Some(offline) = &mut self.offline {
                offline.start_over();
            }
            self.ask_for_roster();
        }
    }

    pub(super) fn resume(&mut self, session: Session, stored: u64) {
        let Some(store) = &mut self.store else { return };
        let Some(drain) = self.drain.as_mut().filter(|d| d.session() == session) else {
            return;
        };
        if stored > self.backlog.last {
            warn!(
                "the central has more of this relay's entries than {} has ever held: was it \
                 replaced by an older copy? Its entries are numbered anew",
                self.options.path.display()
            );
            self.drain = None;
            let renewed = store.renew_id().and_then(|_| store.backlog());
            if let Some(backlog) = self.worked(renewed) {
                self.backlog = backlog;
            }
            return;
        }
        if stored < self.backlog.acknowledged {
            let missing = self.backlog.acknowledged - stored.max(self.backlog.first - 1);
            info!("the central was restored: sending {missing} entries that it had before");
        }
        drain.resume(stored);
        self.told = (stored, Instant::now());
        let noted = store.acknowledge(stored);
        if let Some(backlog) = self.worked(noted) {
            self.backlog = backlog;
        }
    }

    pub(super) fn stored(&mut self, session: Session, to: u64) {
        let now = Instant::now();
        let Some(drain) = self.drain.as_mut().filter(|d| d.session() == session) else {
            return;
        };
        drain.stored(to, now);
        // Lost at a crash, it is sent once more, and vanishes.
        self.backlog.acknowledged = self.backlog.acknowledged.max(to);
        if self.backlog.waiting() == 0 {
            self.trim_at = self.trim_at.min(now + KEEP_WITHIN);
        }
    }

    /// When the central is to be told of what need not be told at once; `None` while there is no such
    /// thing, or while its word comes first.
    pub(super) fn tell_at(&self) -> Option<Instant> {
        let (drain, last) = (self.drain.as_ref()?, self.backlog.last);
        let (_, told) = self.told;
        if drain.next(last).is_some() {
            return Some(told + CHECKPOINT);
        }
        let complete = self.offline.is_some() && drain.acknowledged() == Some(last);
        complete.then(|| told + COMPLETE_EVERY)
    }

    /// Sends what there is to send, as far as there is room for it.
    pub(super) fn send(&mut self) {
        let now = Instant::now();
        loop {
            let last = self.backlog.last;
            let (Some(store), Some(drain)) = (&self.store, &mut self.drain) else {
                return;
            };
            let Some(next) = drain.next(last) else {
                return self.say_complete(now);
            };
            let Some(uptime) = uptime() else { return };
            let batch = store.entries_after(
                next.after,
                next.decided_from,
                next.bytes,
                (self.boot, uptime),
            );
            let batch = batch.and_then(|batch| Ok((store.spool_id()?, batch)));
            let Some((id, batch)) = self.worked(batch) else {
                return;
            };
            let Some(drain) = &mut self.drain else { return };
            let silent = batch.entries.is_empty();
            if silent && batch.to - self.told.0 < CHECKPOINT_AT && now < self.told.1 + CHECKPOINT {
                return;
            }
            drain.sent(batch.to, now);
            self.told = (batch.to, now);
            let entries = Entries {
                id,
                to: batch.to,
                last,
                entries: batch.entries,
            };
            self.options
                .link
                .send_later(drain.session(), &Message::Entries(entries));
        }
    }

    /// Tells the central now and then that it has everything: else it cannot know whether somebody
    /// was let in of whom it has not heard.
    pub(super) fn say_complete(&mut self, now: Instant) {
        let (Some(store), Some(drain)) = (&self.store, &self.drain) else {
            return;
        };
        let last = self.backlog.last;
        if self.tell_at().is_none_or(|tell_at| now < tell_at) {
            return;
        }
        let (session, id) = (drain.session(), store.spool_id());
        if let Some(id) = self.worked(id) {
            self.told = (last, now);
            let entries = Entries {
                id,
                to: last,
                last,
                entries: Vec::new(),
            };
            self.options
                .link
                .send_later(session, &Message::Entries(entries));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batches::Batches;
    use crate::clock::SystemClock;
    use crate::db::RelayStore;
    use crate::roles::relay::drafts::Decided;
    use crate::roles::relay::figures::Standing;
    use crate::roles::relay::writer::{Job, Options};
    use crate::wire::Role;
    use crate::wire::address::HostPort;
    use crate::wire::link::{Link, Patience};

    pub(in crate::roles::relay) fn work(
        folder: &tempfile::TempDir,
        offline_for: Option<Duration>,
    ) -> Work {
        let path = folder.path().join("relay.db");
        let store = RelayStore::open_as_relay(&path).unwrap().store;
        let clock = Arc::new(SystemClock);
        let link = Link::new(crate::wire::link::Options {
            addresses: HostPort::here(1).into(),
            upstream: "central",
            role: Role::Relay,
            name: "hall".parse().unwrap(),
            patience: Patience {
                deadline: Duration::from_secs(1),
                margin: Duration::ZERO,
            },
            insecure: false,
            identity: None,
            clock: Arc::clone(&clock) as _,
        });
        let options = Options {
            path,
            limit: 1_000,
            offline_for,
            decided: Decided::default(),
            clock,
            link,
            standing: Standing::default(),
            metrics: None,
        };
        Work::new(options, Some(store))
    }

    fn one(job: Job) -> impl FnMut() -> Option<Job> {
        let mut job = Some(job);
        move || job.take()
    }

    #[tokio::test(start_paused = true)]
    async fn a_relay_with_nothing_to_do_sleeps() {
        for offline_for in [None, Some(Duration::from_secs(3_600))] {
            let folder = tempfile::tempdir().unwrap();
            let mut work = work(&folder, offline_for);
            work.store(&mut one(Job::Connected(Session(1), None)));
            work.store(&mut one(Job::Resume(Session(1), 0)));
            for _ in 0..1_000 {
                let due = work.due().unwrap();
                assert!(due > Instant::now(), "it would not sleep at all");
                tokio::time::advance(due - Instant::now()).await;
                work.store(&mut || None);
            }
        }
    }
}
