//! What a central knows of itself when somebody asks: figures, and whether it would decide a flash.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::db::{DeviceKind, Entry, Store};
use crate::metrics::{Device, DeviceGauge, Gauge, Metrics, Source, figure};
use crate::roles::central::desk::{Asker, Job};
use crate::roles::central::presence::Presence;
use crate::roles::central::writer::Standing;

/// How long the database's thread may be at one batch before a restart is worth trying.
const HANGS_AFTER: Duration = Duration::from_secs(60);
/// And before doors have given up on it: their deadline is 3 s.
const LATE_AFTER: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Debug)]
pub(super) struct Figures {
    /// It reads beside the writer.
    store: Mutex<Store>,
    /// Weak, so that the queue ends with those who fill it.
    jobs: mpsc::WeakSender<Job>,
    presence: Arc<Presence>,
    standing: Standing,
    queue: Gauge,
    failing: Gauge,
    doors: Gauge,
    relays: Gauge,
    connected: DeviceGauge,
    heard: DeviceGauge,
}

impl Figures {
    pub(super) fn new(
        metrics: &Metrics,
        store: Store,
        jobs: mpsc::WeakSender<Job>,
        presence: Arc<Presence>,
        standing: Standing,
    ) -> Self {
        Self {
            store: Mutex::new(store),
            jobs,
            presence,
            standing,
            queue: metrics.gauge(
                "queue_entries",
                "Entries that wait for the database's thread",
            ),
            failing: metrics.gauge(
                "storing_fails",
                "1 while the database cannot be stored into",
            ),
            doors: metrics.gauge(
                "connected_doors",
                "Doors that are connected, also by relays",
            ),
            relays: metrics.gauge("connected_relays", "Relays that are connected"),
            connected: metrics.device_gauge("device_connected", "1 while the device is connected"),
            heard: metrics.device_gauge(
                "device_last_heard_timestamp_seconds",
                "When the device was last heard of, UTC, to a few minutes",
            ),
        }
    }

    fn queued(&self) -> Option<usize> {
        let jobs = self.jobs.upgrade()?;
        Some(jobs.max_capacity() - jobs.capacity())
    }

    /// Whether a commit reaches the disk now. It writes no more than that the central lives.
    async fn stores(&self) -> bool {
        let (asker, stored) = oneshot::channel();
        let job = Job {
            entry: Entry::Seen(Vec::new()),
            asker: Asker::Device(asker),
        };
        let Some(jobs) = self.jobs.upgrade() else {
            return false;
        };
        let stored = async { jobs.send(job).await.is_ok() && stored.await.unwrap_or(false) };
        timeout(LATE_AFTER, stored).await.unwrap_or(false)
    }
}

impl Source for Figures {
    fn refresh(&self) {
        self.queue.set(figure(self.queued().unwrap_or(0) as u64));
        let failing = self.standing.failing.load(Ordering::Relaxed);
        self.failing.set(f64::from(u8::from(failing)));
        let present = self.presence.connected();
        let count = |kind| present.iter().filter(|(of, _)| *of == kind).count() as u64;
        self.doors.set(figure(count(DeviceKind::Door)));
        self.relays.set(figure(count(DeviceKind::Relay)));
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        // While the database cannot be read, what it said last stands.
        let Ok(devices) = store.devices() else {
            return;
        };
        drop(store);
        let present: HashSet<_> = present
            .iter()
            .map(|(kind, name)| (*kind, name.as_str()))
            .collect();
        for device in devices {
            let is_here = present.contains(&(device.kind, device.name.as_str()));
            let label = Device {
                role: device.kind.code(),
                name: device.name,
            };
            let connected = f64::from(u8::from(is_here));
            self.connected.get_or_create(&label).set(connected);
            if let Some(heard) = device.heard {
                let seconds = heard.timestamp().unsigned_abs();
                self.heard.get_or_create(&label).set(figure(seconds));
            }
        }
    }

    fn alive(&self) -> Result<(), String> {
        let busy = self.standing.pulse.busy_for();
        if busy > HANGS_AFTER {
            let seconds = busy.as_secs();
            return Err(format!(
                "the database's thread has been at one batch for {seconds} s"
            ));
        }
        Ok(())
    }

    async fn ready(&self) -> Result<String, String> {
        let Some(queued) = self.queued() else {
            return Err("ending".to_owned());
        };
        let busy = self.standing.pulse.busy_for();
        if busy > LATE_AFTER {
            let seconds = busy.as_secs();
            return Err(format!(
                "the database has not answered for {seconds} s; {queued} entries wait"
            ));
        }
        // While all goes well the disk is not written to for this.
        if self.standing.failing.load(Ordering::Relaxed) && !self.stores().await {
            return Err("the database cannot be stored into: no door opens by it".to_owned());
        }
        Ok("flashes are decided".to_owned())
    }
}
