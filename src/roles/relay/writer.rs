//! The one thread that owns the relay's file: it keeps what happens here, in order, before anybody
//! is told, and hands it to the central.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{io, iter};

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{error, info};

use crate::batches::{self, Batches};
use crate::clock::{self, Clock};
use crate::db::{self, Backlog, Draft, RelayStore};
use crate::domain::access::Reason;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{BootId, DeviceName, EventId, InstallationId};
use crate::domain::spool::{self, What};
use crate::metrics::Metrics;
use crate::roles::relay::drafts::{Decided, aged, draft};
use crate::roles::relay::drain::Drain;
use crate::roles::relay::figures::Standing;
use crate::roles::relay::offline::Offline;
use crate::roles::relay::upkeep;
use crate::wire::answers::Answers;
use crate::wire::link::Link;
use crate::wire::link::aid::Session;
use crate::wire::roster::{Badges, Current};
use crate::wire::{Flash, Happened};

/// The most jobs of one transaction.
const BATCH: usize = 512;
/// How long what the central has stored may wait to be kept here too: it is kept for a central that
/// is restored, and SD cards wear.
pub(super) const KEEP_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait before a file that failed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// One thing to be kept or done.
#[derive(Debug)]
pub(super) enum Job {
    /// What happened at a door; its asker hears when it is kept.
    Happened(Happened, Answers),
    /// A flash that the central has not decided, for that reason; whether it may still do so.
    Decide(Flash, Answers, Reason, bool),
    /// A door has come.
    Door(DeviceName),
    /// The central has told which identities doors may come with.
    Roll(HashSet<Fingerprint>),
    /// The central tells badges, or what they come to.
    Badges(Session, Badges),
    Current(Session, Current),
    /// An `Open` reached no door.
    Undelivered(EventId),
    /// Much of what the central has decided has gathered.
    Keep,
    /// A connection to the central was welcomed.
    Connected(Session, Option<InstallationId>),
    /// It is lost.
    Lost,
    /// The central says up to where it has our entries: for the first time, or as they come.
    Resume(Session, u64),
    Stored(Session, u64),
}

/// What the thread needs to know.
#[derive(Debug)]
pub(super) struct Options {
    /// The relay's file.
    pub(super) path: PathBuf,
    /// The most entries that wait for the central.
    pub(super) limit: u64,
    /// For how long the relay decides by itself; `None`: not at all.
    pub(super) offline_for: Option<Duration>,
    pub(super) decided: Decided,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) link: Link,
    pub(super) standing: Standing,
    pub(super) metrics: Option<Arc<Metrics>>,
}

/// Starts the thread on a file that was opened, or that could not be opened yet.
///
/// # Errors
/// If the system has no thread for us.
pub(super) fn start(
    options: Options,
    store: Option<RelayStore>,
    jobs: mpsc::Receiver<Job>,
) -> io::Result<oneshot::Receiver<()>> {
    let work = Work::new(options, store);
    let pulse = work.options.standing.pulse.clone();
    batches::start("writer", work, jobs, pulse)
}

pub(super) struct Work {
    pub(super) options: Options,
    pub(super) boot: BootId,
    pub(super) offline: Option<Offline>,
    /// The doors that the central was told to keep a roster for, on this connection.
    pub(super) asked_for: BTreeSet<DeviceName>,
    /// `None` while the file cannot be opened.
    pub(super) store: Option<RelayStore>,
    /// Whether the last attempt to use the file failed.
    pub(super) failing: bool,
    pub(super) backlog: Backlog,
    /// Whether it was said that the limit is reached.
    pub(super) full: bool,
    /// When what the central has decided is to be kept.
    pub(super) keep_at: Instant,
    /// The connection to the central, once the file is there to tell of.
    pub(super) drain: Option<Drain>,
    /// The connection to the central.
    pub(super) connected: Option<(Session, Option<InstallationId>)>,
    /// Up to where the central was told, or is being told, that it has everything, and when.
    pub(super) told: (u64, Instant),
    pub(super) trim_at: Instant,
    /// From how many pages on the file's log is to be moved into it.
    pub(super) long: u32,
    /// What is still to be kept of the central's roll.
    pub(super) roll: Option<HashSet<Fingerprint>>,
}

impl Batches for Work {
    type Job = Job;

    fn due(&self) -> Option<Instant> {
        if self.failing {
            return Some(Instant::now() + TRY_AGAIN);
        }
        let own = self.keep_at.min(self.trim_at);
        Some(self.tell_at().map_or(own, |tell_at| tell_at.min(own)))
    }

    fn store(&mut self, next: &mut dyn FnMut() -> Option<Job>) {
        if self.store.is_none() {
            self.open();
        }
        let mut drafts = Vec::new();
        let mut reports = Vec::new();
        let mut decided = Vec::new();
        for job in iter::from_fn(next).take(BATCH) {
            match job {
                Job::Decide(flash, answers, reason, sent) => {
                    match self.decide(&flash, (reason, sent), drafts.len()) {
                        Ok((decision, draft)) => {
                            drafts.extend(draft);
                            decided.push((flash, answers, decision));
                        }
                        Err(reason) => self.refuse(&flash, &answers, reason, sent),
                    }
                }
                Job::Door(name) => {
                    if !self.asked_for.contains(&name) {
                        self.ask_for_roster();
                    }
                }
                Job::Roll(roll) => self.roll = Some(roll),
                Job::Badges(session, badges) => self.badges(session, &badges),
                Job::Current(session, current) => self.current(session, current),
                Job::Happened(happened, answers) => {
                    // What cannot be kept here, its door keeps.
                    if !self.is_full(drafts.len())
                        && let Some(draft) = self.draft(What::Happened(spool::Happened {
                            event: happened.event,
                            door: happened.door.clone(),
                            kind: happened.kind.clone(),
                            device_at: happened.at,
                            about: happened.about,
                        }))
                    {
                        drafts.push(aged(draft, happened.age));
                        reports.push((happened, answers));
                    }
                }
                Job::Undelivered(event) => {
                    drafts.extend(self.draft(What::Undelivered(spool::Lost { event })));
                }
                Job::Keep => self.keep_at = Instant::now(),
                Job::Connected(session, installation) => {
                    self.connected = Some((session, installation));
                    self.drain = None;
                }
                Job::Lost => self.lost(),
                Job::Resume(session, stored) => self.resume(session, stored),
                Job::Stored(session, to) => self.stored(session, to),
            }
        }
        let kept = self.keep(&drafts);
        for (flash, answers, decision) in decided {
            match kept {
                true => self.answer(&flash, answers, &decision),
                false => self.refuse(&flash, &answers, Reason::StorageFailed, decision.sent),
            }
        }
        for (happened, answers) in reports {
            match kept {
                true => answers.noted(happened.event),
                // Without a file it is kept as a door keeps it, as long as this program runs.
                false => self.options.link.happened(happened, Some(answers)),
            }
        }
        self.keep_roll();
        self.greet();
        self.send();
        self.trim();
        self.move_log();
        self.tell();
    }

    fn finish(&mut self) {
        self.date();
        self.keep_at = Instant::now();
        self.keep(&[]);
        if let (Some(store), Some(stored)) = (
            &mut self.store,
            self.drain.as_ref().and_then(Drain::acknowledged),
        ) {
            // What is not noted now is sent once more, and vanishes.
            let _noted = store.acknowledge(stored);
        }
    }
}

impl Work {
    pub(super) fn new(options: Options, store: Option<RelayStore>) -> Self {
        let now = Instant::now();
        let boot = clock::boot();
        let offline = options
            .offline_for
            .map(|limit| Offline::new(limit, Arc::clone(&options.clock), boot));
        let mut work = Self {
            options,
            boot,
            offline,
            asked_for: BTreeSet::new(),
            store: None,
            failing: store.is_none(),
            backlog: Backlog::default(),
            full: false,
            keep_at: now,
            drain: None,
            connected: None,
            told: (0, now),
            trim_at: now,
            long: u32::MAX,
            roll: None,
        };
        if let Some(store) = store {
            work.take_store(store);
        }
        work.tell();
        work
    }

    /// An entry of something that happens now.
    pub(super) fn draft(&self, what: What) -> Option<Draft> {
        draft(&*self.options.clock, what)
    }

    /// Tells whoever looks on how the file fares.
    fn tell(&self) {
        let roster = self.offline.as_ref().and_then(Offline::confirmed);
        let waiting = self.backlog.waiting();
        self.options.standing.tell(self.failing, waiting, roster);
    }

    /// Whether the limit is reached, with so many more.
    pub(super) fn is_full(&mut self, more: usize) -> bool {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let waiting = self.backlog.waiting();
        let full = waiting.saturating_add(more) >= self.options.limit;
        if full && !self.full {
            error!("{waiting} entries wait for the central, which is the limit: no more are kept");
        }
        self.full = full;
        full
    }

    /// Stores entries, and, if it is time or something else is stored anyway, what the central has
    /// decided; returns whether that went well.
    pub(super) fn keep(&mut self, drafts: &[Draft]) -> bool {
        let now = Instant::now();
        let due = self.keep_at <= now || !drafts.is_empty();
        let Some(store) = self.store.as_mut().filter(|_| due) else {
            return drafts.is_empty();
        };
        let decided = self.options.decided.clone();
        let online = std::mem::take(&mut *decided.drafts());
        self.keep_at = now + KEEP_WITHIN;
        if online.is_empty() && drafts.is_empty() {
            return true;
        }
        let appended = store.append(&online, drafts, self.boot);
        if let (Some(metrics), Ok(_)) = (&self.options.metrics, &appended) {
            metrics.stored(online.len() + drafts.len(), now.elapsed());
        }
        match self.worked(appended) {
            Some(backlog) => {
                self.backlog.last = backlog.last;
                self.works_again();
                true
            }
            None => {
                decided.drafts().splice(0..0, online);
                false
            }
        }
    }

    /// Opens the file, which could not be opened before.
    fn open(&mut self) {
        let opened = RelayStore::open_as_relay(&self.options.path);
        if let Some(opened) = self.worked(opened) {
            self.take_store(opened.store);
        }
    }

    fn take_store(&mut self, store: RelayStore) {
        let ready = store.backlog().and_then(|b| Ok((b, upkeep::long(&store)?)));
        if let Some((backlog, long)) = self.worked(ready) {
            if let Some(offline) = &mut self.offline {
                let loaded = offline.load(&store);
                self.worked(loaded);
            }
            self.backlog = backlog;
            self.long = long;
            self.store = Some(store);
            self.works_again();
            let (waiting, path) = (backlog.waiting(), self.options.path.display());
            if waiting > 0 {
                info!("{path} holds {waiting} entries that the central may not have yet");
            }
        }
    }

    /// Notes that something new is in the file, or that the file is there at last.
    fn works_again(&mut self) {
        if std::mem::take(&mut self.failing) {
            info!("{} can be used again", self.options.path.display());
        }
    }

    /// Notes if the file cannot be used, and says so once. That something worked does not mean that
    /// all does: a full disk can still be read.
    pub(super) fn worked<T>(&mut self, result: db::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(cause) => {
                if !std::mem::replace(&mut self.failing, true) {
                    let path = self.options.path.display();
                    error!("cannot keep anything in {path}: {cause}");
                }
                None
            }
        }
    }
}
