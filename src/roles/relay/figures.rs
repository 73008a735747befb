//! What a relay knows of itself when somebody asks: figures, and whether a flash would be decided.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::batches::Pulse;
use crate::metrics::{Gauge, Metrics, Source, figure};
use crate::roles::relay::drafts::uptime;
use crate::roles::relay::writer::Job;
use crate::wire::link::{Link, Phase};

/// How long the file's thread may be at one batch before a restart is worth trying.
const HANGS_AFTER: Duration = Duration::from_secs(60);
/// There is no roster.
const NO_ROSTER: i64 = i64::MIN;

/// How the file's thread fares, for whoever looks on.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) pulse: Pulse,
    told: Arc<Told>,
}

#[derive(Debug)]
struct Told {
    /// Whether the relay's file cannot be used.
    failing: AtomicBool,
    /// How many entries wait for the central.
    waiting: AtomicU64,
    /// When the roster was known to be right, in milliseconds of the machine's uptime.
    roster: AtomicI64,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            failing: AtomicBool::default(),
            waiting: AtomicU64::default(),
            roster: AtomicI64::new(NO_ROSTER),
        }
    }
}

impl Standing {
    /// What the thread says after each batch.
    pub(super) fn tell(&self, failing: bool, waiting: u64, roster: Option<i64>) {
        self.told.failing.store(failing, Ordering::Relaxed);
        self.told.waiting.store(waiting, Ordering::Relaxed);
        let roster = roster.unwrap_or(NO_ROSTER);
        self.told.roster.store(roster, Ordering::Relaxed);
    }

    /// How old the roster is; `None` without one.
    fn roster_age(&self) -> Option<Duration> {
        let roster = self.told.roster.load(Ordering::Relaxed);
        if roster == NO_ROSTER {
            return None;
        }
        let uptime = i64::try_from(uptime()?).ok()?;
        let age = uptime.saturating_sub(roster);
        Some(Duration::from_millis(u64::try_from(age).unwrap_or(0)))
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Figures {
    link: Link,
    /// Weak, so that the queue ends with those who fill it.
    jobs: mpsc::WeakSender<Job>,
    standing: Standing,
    /// For how long the relay decides by itself; `None`: not at all.
    offline_for: Option<Duration>,
    /// The most entries that wait.
    limit: u64,
    queue: Gauge,
    failing: Gauge,
    doors: Gauge,
    central: Gauge,
    waiting: Gauge,
    roster: Gauge,
}

impl Figures {
    pub(super) fn new(
        metrics: &Metrics,
        link: Link,
        jobs: mpsc::WeakSender<Job>,
        standing: Standing,
        (offline_for, limit): (Option<Duration>, u64),
    ) -> Self {
        let period = metrics.gauge(
            "offline_limit_seconds",
            "How old the roster may be by which the relay decides; 0: it does not",
        );
        period.set(offline_for.unwrap_or_default().as_secs_f64());
        let most = metrics.gauge("spool_limit_entries", "The most entries that may wait");
        most.set(figure(limit));
        Self {
            link,
            jobs,
            standing,
            offline_for,
            limit,
            queue: metrics.gauge("queue_entries", "Entries that wait for the file's thread"),
            failing: metrics.gauge("storing_fails", "1 while the relay's file cannot be used"),
            doors: metrics.gauge("connected_doors", "Doors that are connected"),
            central: metrics.gauge("central_connected", "1 while the central can be asked"),
            waiting: metrics.gauge("spool_entries", "Entries that the central may not have yet"),
            roster: metrics.gauge(
                "roster_age_seconds",
                "Since when the roster was last known to be right; NaN without one",
            ),
        }
    }

    fn is_connected(&self) -> bool {
        self.link.watch().borrow().phase == Phase::Up
    }

    fn is_failing(&self) -> bool {
        self.standing.told.failing.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> u64 {
        self.standing.told.waiting.load(Ordering::Relaxed)
    }

    /// Whether a flash would be decided here.
    fn decides(&self) -> Result<String, String> {
        let Some(limit) = self.offline_for else {
            return Err("this relay does not decide by itself".to_owned());
        };
        if self.is_failing() {
            return Err("the relay's file cannot be used".to_owned());
        }
        if self.waiting() >= self.limit {
            return Err("the spool is full".to_owned());
        }
        match self.standing.roster_age() {
            None => Err("there is no roster".to_owned()),
            Some(age) if age > limit => Err("the roster is too old".to_owned()),
            Some(age) => Ok(format!(
                "the central cannot be reached; flashes are decided here, by a roster of {} s ago",
                age.as_secs()
            )),
        }
    }
}

impl Source for Figures {
    fn refresh(&self) {
        let jobs = self.jobs.upgrade();
        let queued = jobs.map_or(0, |jobs| jobs.max_capacity() - jobs.capacity());
        self.queue.set(figure(queued as u64));
        self.failing.set(f64::from(u8::from(self.is_failing())));
        self.doors.set(figure(self.link.doors().len() as u64));
        self.central.set(f64::from(u8::from(self.is_connected())));
        self.waiting.set(figure(self.waiting()));
        let age = self.standing.roster_age();
        self.roster
            .set(age.map_or(f64::NAN, |age| age.as_secs_f64()));
    }

    fn alive(&self) -> Result<(), String> {
        let busy = self.standing.pulse.busy_for();
        match busy > HANGS_AFTER {
            true => Err(format!(
                "the thread of the relay's file has been at one batch for {} s",
                busy.as_secs()
            )),
            false => Ok(()),
        }
    }

    async fn ready(&self) -> Result<String, String> {
        if self.is_connected() {
            return Ok("the central is connected".to_owned());
        }
        self.decides()
            .map_err(|why| format!("the central cannot be reached, and {why}: no door opens"))
    }
}
