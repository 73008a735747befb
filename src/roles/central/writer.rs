//! The one thread that owns the database. It takes everything that gathered while the last commit
//! ran, has it decided and stored in one transaction, and answers only after that is on the disk.

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{debug, error, info};

use crate::clock::Clock;
use crate::db::{Entry, Outcome, Store};
use crate::domain::access::{Reason, Verdict};
use crate::domain::calendar::Days;
use crate::domain::ids::EventId;
use crate::roles::central::desk::{Asker, Job};
use crate::wire::answers::{Answers, Unheard};
use crate::wire::{Answer, refusal};

/// The most jobs of one transaction: enough for its flush to weigh little on each, and few enough
/// for the last not to wait long.
const BATCH: usize = 512;

/// The running thread.
pub(super) struct Writer {
    /// Comes to its end when the thread has: with a value once the queue is empty and closed, with
    /// an error if it failed.
    pub(super) ended: oneshot::Receiver<()>,
}

/// Starts the thread, which runs until the queue is closed and empty.
///
/// # Errors
/// If the system has no thread for us.
pub(super) fn start(
    store: Store,
    jobs: mpsc::Receiver<Job>,
    clock: Arc<dyn Clock>,
    days: Days,
) -> io::Result<Writer> {
    let (tell, ended) = oneshot::channel();
    let mut work = Work {
        store,
        clock,
        days,
        failing: false,
        unheard: Vec::new(),
    };
    thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || {
            work.run(jobs);
            drop(work);
            // Nobody may be left to hear it.
            let _told = tell.send(());
        })?;
    Ok(Writer { ended })
}

struct Work {
    store: Store,
    clock: Arc<dyn Clock>,
    days: Days,
    /// Whether the last batch could not be stored.
    failing: bool,
    /// Undelivered events that are still to be stored, and who wants to hear of it.
    unheard: Vec<(EventId, Option<Answers>)>,
}

impl Work {
    fn run(&mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            // What could not be stored waits for the next job, so that a full disk is not asked
            // again and again.
            if self.unheard.is_empty() || self.failing {
                match jobs.blocking_recv() {
                    Some(job) => batch.push(job),
                    None => return,
                }
            }
            while batch.len() < BATCH
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
            self.store_and_answer(&mut batch);
        }
    }

    fn store_and_answer(&mut self, batch: &mut Vec<Job>) {
        let found = self.unheard.drain(..).map(|(event, answers)| Job {
            entry: Entry::Undelivered(event),
            asker: Asker::Undelivered(answers),
        });
        batch.extend(found);
        let now = Instant::now();
        for job in &mut *batch {
            if let (Entry::Flash(flash), Asker::Flash { deadline, .. }) =
                (&mut job.entry, &job.asker)
            {
                flash.in_time = now <= *deadline;
            }
        }
        let entries = batch.iter().map(|job| &job.entry);
        match self.store.admit(entries, self.clock.now(), self.days) {
            Ok(outcomes) => {
                if std::mem::take(&mut self.failing) {
                    info!("the database stores again");
                }
                for (job, outcome) in batch.drain(..).zip(outcomes) {
                    self.answer(job, outcome);
                }
            }
            Err(cause) => {
                if !std::mem::replace(&mut self.failing, true) {
                    error!(
                        "cannot store: {cause}; doors are told not to open until it works again"
                    );
                }
                for job in batch.drain(..) {
                    self.refuse(job);
                }
            }
        }
    }

    fn answer(&mut self, job: Job, outcome: Outcome) {
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
                    error!(
                        "door '{}' reuses the id of event {}",
                        flash.door, flash.event
                    );
                }
                let told = answers.verdict(flash.event, Answer { seq, verdict, name });
                if let Err(Unheard(event)) = told {
                    self.unheard.push((event, None));
                }
            }
            (Asker::Undelivered(Some(answers)), Entry::Undelivered(event), _) => {
                answers.noted(event)
            }
            // Whoever has gone meanwhile will ask again.
            (Asker::Device(asker), ..) => drop(asker.send(true)),
            _ => (),
        }
    }

    fn refuse(&mut self, job: Job) {
        match (job.asker, job.entry) {
            (Asker::Flash { seq, answers, .. }, Entry::Flash(flash)) => {
                answers.refuse(seq, flash.event, Reason::StorageFailed);
            }
            (Asker::Undelivered(answers), Entry::Undelivered(event)) => {
                self.unheard.push((event, answers));
            }
            (Asker::Device(asker), _) => drop(asker.send(false)),
            (Asker::Announcement(answers), Entry::Door(name)) => {
                answers.hang_up(name, refusal::STORAGE);
            }
            _ => (),
        }
    }
}
