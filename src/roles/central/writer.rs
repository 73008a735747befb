//! The one thread that owns the database. It takes everything that gathered while the last commit
//! ran, and what still comes until all of it is decided, stores it in one transaction, and answers
//! only after that is on the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use crate::batches::{self, Batches, Pulse};
use crate::clock::{Clock, SystemClock};
use crate::db::{Entry, Outcome, Store};
use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::{DeviceName, EventId};
use crate::metrics::Metrics;
use crate::roles::central::aside::Aside;
use crate::roles::central::checkpoints::Checkpoints;
use crate::roles::central::desk::{Asker, Job};
use crate::roles::central::timekeeper::Timekeeper;
use crate::wire::answers::{Together, Unheard};
use crate::wire::hold::Held;
use crate::wire::{Answer, refusal};

/// The most jobs of one transaction: enough for its flush to weigh little on each, and few enough
/// for the last not to wait long.
const BATCH: usize = 256;
/// How long to wait before what could not be stored is tried again without anybody asking.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How often at the most it is said that events' ids are reused.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// Starts the thread; see [`batches::start`]. It ends after those `beside` it.
///
/// # Errors
/// If the system has no thread for us, or the database cannot be opened once more.
pub(super) fn start(
    store: Store,
    jobs: mpsc::Receiver<Job>,
    clock: Arc<Timekeeper<SystemClock>>,
    standing: &Standing,
    metrics: Option<Arc<Metrics>>,
    beside: Vec<JoinHandle<()>>,
) -> anyhow::Result<oneshot::Receiver<()>> {
    let work = Work {
        checkpoints: Checkpoints::start(&store)?,
        store,
        clock,
        held: Held::here(),
        failing: false,
        standing: standing.clone(),
        metrics,
        aside: Aside::default(),
        reused: Reused::default(),
        beside,
    };
    Ok(batches::start(
        "writer",
        work,
        jobs,
        standing.pulse.clone(),
    )?)
}

/// How the thread fares, for whoever looks on.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) pulse: Pulse,
    /// Whether the last batch could not be stored.
    pub(super) failing: Arc<AtomicBool>,
}

struct Work {
    // Dropped before the store.
    checkpoints: Checkpoints,
    store: Store,
    clock: Arc<Timekeeper<SystemClock>>,
    held: Held,
    /// Whether the last batch could not be stored.
    failing: bool,
    standing: Standing,
    metrics: Option<Arc<Metrics>>,
    aside: Aside,
    reused: Reused,
    /// The threads that read beside this one, which end when the queue does.
    beside: Vec<JoinHandle<()>>,
}

/// Event ids that were used twice, to be spoken of now and then: a door could otherwise fill the
/// log.
#[derive(Default)]
struct Reused {
    count: u64,
    said: Option<Instant>,
}

impl Batches for Work {
    type Job = Job;

    fn due(&self) -> Option<Instant> {
        // A full disk is not asked again and again, but from time to time.
        let wait = if self.failing {
            TRY_AGAIN
        } else {
            Duration::ZERO
        };
        (!self.aside.is_empty()).then(|| Instant::now() + wait)
    }

    fn store(&mut self, next: &mut dyn FnMut() -> Option<Job>) {
        let mut batch = Vec::new();
        self.aside.fill(&mut batch, BATCH, next);
        self.aside.go_along(&mut batch, BATCH, self.failing);
        self.admit(batch, next);
    }

    fn finish(&mut self) {
        while !self.aside.is_empty() && !self.failing {
            self.store(&mut || None);
        }
        // SQLite's log goes with the last connection that closes, if no other closes meanwhile.
        for thread in self.beside.drain(..) {
            let _failed = thread.join();
        }
    }
}

impl Work {
    /// Stores a batch, and what comes until all of it is decided, and answers.
    fn admit(&mut self, mut batch: Vec<Job>, next: &mut dyn FnMut() -> Option<Job>) {
        if batch.is_empty() {
            return;
        }
        let now = Instant::now();
        self.store.doubt_clock(self.clock.fault());
        let (aside, clock) = (&mut self.aside, &self.clock);
        let mut looked_at = 0;
        let come = |batch: &mut Vec<Job>| {
            aside.fill(batch, BATCH, next);
            let now = Instant::now();
            for job in batch.iter_mut().skip(looked_at) {
                job.look_at_time(now);
            }
            looked_at = batch.len();
        };
        let admitted =
            self.store
                .admit_as_they_come(&mut batch, |job| &job.entry, come, || clock.now());
        let failed = admitted.is_err();
        self.standing.failing.store(failed, Ordering::Relaxed);
        match admitted {
            Ok(outcomes) => {
                if let Some(metrics) = &self.metrics {
                    metrics.stored(batch.len(), now.elapsed());
                }
                // Other batches may have had nothing to write.
                let wrote = batch.iter().any(|job| {
                    matches!(
                        job.entry,
                        Entry::Flash(_) | Entry::SpoolFound(_) | Entry::Spooled(_)
                    )
                });
                if self.failing && wrote {
                    info!("the database stores again");
                    self.failing = false;
                }
                let happened = batch.iter().map(|job| job.entry.count()).sum();
                self.answer(batch, outcomes);
                self.checkpoints.stored(happened, &self.store);
            }
            Err(cause) => {
                if !std::mem::replace(&mut self.failing, true) {
                    error!("cannot store: {cause}; no door opens until it works again");
                }
                let (spooled, others): (Vec<_>, Vec<_>) = batch
                    .into_iter()
                    .partition(|job| matches!(job.asker, Asker::Spool(_) | Asker::Entries(..)));
                let again = !spooled.is_empty() && !others.is_empty();
                // Each goes before the others that wait: the first of them last.
                spooled.into_iter().rev().for_each(|job| self.refuse(job));
                if again {
                    return self.admit(others, next);
                }
                others.into_iter().for_each(|job| self.refuse(job));
            }
        }
    }

    fn answer(&mut self, batch: Vec<Job>, outcomes: Vec<Outcome>) {
        let mut heard = Vec::new();
        let mut unheard = Vec::new();
        // Most are for one relay, which then needs to be woken up, and to write, once.
        let mut together = Together::default();
        for (job, outcome) in batch.into_iter().zip(outcomes) {
            match (job.asker, job.entry, outcome) {
                (
                    Asker::Flash { seq, answers, .. },
                    Entry::Flash(flash),
                    Outcome::Decided(verdict, name),
                ) => {
                    debug!(
                        "{} twinklet {}: {}",
                        flash.door,
                        flash.twinklet,
                        verdict.code()
                    );
                    if verdict == Verdict::DontOpen(Reason::EventReused) {
                        self.reused.say(&flash.door, flash.event);
                    }
                    let answer = Answer { seq, verdict, name };
                    match answers.verdict_with(flash.event, answer, &mut together) {
                        Ok(()) if verdict == Verdict::Open => heard.push(flash.event),
                        Ok(()) => (),
                        Err(Unheard(event)) => unheard.push(event),
                    }
                }
                (
                    Asker::Flash {
                        seq,
                        deadline,
                        answers,
                    },
                    Entry::Flash(flash),
                    Outcome::Guess(guesses),
                ) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let asked = (seq, flash.event);
                    self.held
                        .refuse(&flash.door, guesses, left / 2, asked, answers);
                }
                (Asker::Undelivered(Some(answers)), Entry::Undelivered(event), _) => {
                    answers.noted(event);
                }
                (Asker::Happened(answers), Entry::DoorEvent(stored), _) => {
                    answers.noted(stored.event);
                }
                (Asker::Spool(answers), _, Outcome::Found(stored)) => answers.stored(stored, None),
                (Asker::Entries(count, answers), Entry::Spooled(spooled), _) => {
                    answers.stored(spooled.to, Some(count));
                }
                // Whoever has gone meanwhile will ask again.
                (Asker::Device(asker), ..) => drop(asker.send(true)),
                _ => (),
            }
        }
        // One that was asked twice may have been heard once.
        for event in unheard.into_iter().filter(|event| !heard.contains(event)) {
            self.aside.undelivered(event, None);
        }
    }

    fn refuse(&mut self, job: Job) {
        match (job.asker, job.entry) {
            (Asker::Flash { seq, answers, .. }, Entry::Flash(flash)) => {
                answers.refuse(seq, flash.event, Reason::StorageFailed);
            }
            (Asker::Undelivered(answers), Entry::Undelivered(event) | Entry::Unheard(event)) => {
                self.aside.undelivered(event, answers);
            }
            (Asker::Device(asker), _) => drop(asker.send(false)),
            (Asker::Announcement(answers), Entry::Door(name)) => {
                answers.hang_up(name, refusal::STORAGE);
            }
            (asker @ (Asker::Spool(_) | Asker::Entries(..)), entry) => {
                self.aside.put_back(Job { entry, asker });
            }
            // What happened at a door is repeated by whoever told us.
            _ => (),
        }
    }
}

impl Reused {
    fn say(&mut self, door: &DeviceName, event: EventId) {
        self.count += 1;
        if self.said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
            warn!(
                "{} events' ids were reused; last at door '{door}': {event}",
                self.count
            );
            *self = Self {
                count: 0,
                said: Some(Instant::now()),
            };
        }
    }
}
