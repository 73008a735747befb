//! Who is connected, and when each device was last heard of, so that people can look. It is written
//! down when devices come and go; while they stay, one row now and then says that the central
//! lives: SD cards wear.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::db::{DeviceKind, Entry, Seen, Sighting};
use crate::domain::ids::DeviceName;
use crate::roles::central::desk::{Asker, Job};

/// How often it is written that the central lives.
const BEAT: Duration = Duration::from_secs(300);
/// How soon after one writing there may be the next. The wait doubles for as long as devices come
/// and go: one whose connection does so all day must not have the disk written each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The most devices of one entry: few enough for a flash in the same transaction not to notice.
const AT_ONCE: usize = 256;

type Device = (DeviceKind, DeviceName);

/// See the module.
#[derive(Debug)]
pub(super) struct Presence {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Every connected device, with its connections.
    present: HashMap<Device, Vec<Way>>,
    /// What is not written down yet.
    news: BTreeMap<Device, (DateTime<Utc>, Seen)>,
}

/// One connection of a device: its own, or that of the relay it stands behind.
#[derive(Debug)]
struct Way {
    peer: SocketAddr,
    relay: Option<DeviceName>,
}

impl Presence {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// A device has connected from there, or a relay there has announced it.
    pub(super) fn came(&self, device: Device, peer: SocketAddr, relay: Option<DeviceName>) {
        let now = self.clock.now();
        let mut state = self.state();
        let way = Way {
            peer,
            relay: relay.clone(),
        };
        let ways = state.present.entry(device.clone()).or_default();
        // However often a relay says so of a door, it says only once that it has gone.
        ways.retain(|known| known.peer != peer);
        ways.push(way);
        state.news.insert(device, (now, Seen::Connected(relay)));
        drop(state);
        self.changed.notify_one();
    }

    /// A device's connection from there has ended, or the relay there says so.
    pub(super) fn went(&self, device: &Device, peer: SocketAddr) {
        let now = self.clock.now();
        self.state().leave(device, peer, now);
        self.changed.notify_one();
    }

    /// A relay's connection has ended, and with it what is known of its doors.
    pub(super) fn relay_went(&self, peer: SocketAddr) {
        let now = self.clock.now();
        let mut state = self.state();
        let behind: Vec<_> = state
            .present
            .iter()
            .filter(|(_, ways)| ways.iter().any(|way| way.peer == peer))
            .map(|(device, _)| device.clone())
            .collect();
        for device in &behind {
            state.leave(device, peer, now);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A badge was flashed at a door. Of one that is connected that says nothing new.
    pub(super) fn flashed(&self, door: &DeviceName) {
        let door = (DeviceKind::Door, door.clone());
        let mut state = self.state();
        if !state.present.contains_key(&door) {
            // It waits for the next beat: this is the way of every flash.
            let now = self.clock.now();
            state.news.insert(door, (now, Seen::Flashed));
        }
    }

    /// Every device that is connected now.
    pub(super) fn connected(&self) -> Vec<Device> {
        self.state().present.keys().cloned().collect()
    }

    /// Writes down what there is to write until told to stop; then that all have gone.
    pub(super) async fn run(&self, jobs: mpsc::Sender<Job>, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        let mut wrote: Option<Instant> = None;
        loop {
            tokio::select! {
                () = self.changed.notified() => (),
                () = sleep(BEAT) => (),
                () = stop.cancelled() => break,
            }
            pause = match wrote {
                Some(wrote) if wrote.elapsed() < pause * 2 => (pause * 2).min(LONGEST_PAUSE),
                _ => FIRST_PAUSE,
            };
            self.write_down(&jobs).await;
            wrote = Some(Instant::now());
            tokio::select! {
                () = sleep(pause) => (),
                () = stop.cancelled() => break,
            }
        }
        self.state().all_leave(self.clock.now());
        self.write_down(&jobs).await;
    }

    /// Writes down what is new, if only that the central lives; what cannot be stored stays new.
    async fn write_down(&self, jobs: &mpsc::Sender<Job>) {
        let news = std::mem::take(&mut self.state().news);
        let sightings: Vec<_> = news
            .into_iter()
            .map(|((kind, name), (at, seen))| Sighting {
                kind,
                name,
                at,
                seen,
            })
            .collect();
        let mut slices: Vec<_> = sightings.chunks(AT_ONCE).map(<[_]>::to_vec).collect();
        if slices.is_empty() {
            slices.push(Vec::new());
        }
        for slice in slices {
            let (asker, stored) = oneshot::channel();
            let job = Job {
                entry: Entry::Seen(slice.clone()),
                asker: Asker::Device(asker),
            };
            let handed_in = jobs.send(job).await.is_ok();
            if !(handed_in && stored.await.unwrap_or(false)) {
                self.state().not_stored(slice);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leave(&mut self, device: &Device, peer: SocketAddr, now: DateTime<Utc>) {
        let Some(ways) = self.present.get_mut(device) else {
            return;
        };
        let Some(place) = ways.iter().position(|way| way.peer == peer) else {
            return;
        };
        ways.remove(place);
        let seen = match ways.last() {
            Some(way) => Seen::Connected(way.relay.clone()),
            None => {
                self.present.remove(device);
                Seen::Gone
            }
        };
        self.news.insert(device.clone(), (now, seen));
    }

    fn all_leave(&mut self, now: DateTime<Utc>) {
        let all = self.present.drain();
        self.news
            .extend(all.map(|(device, _)| (device, (now, Seen::Gone))));
    }

    /// Keeps what could not be stored, unless there is newer.
    fn not_stored(&mut self, sightings: Vec<Sighting>) {
        for Sighting {
            kind,
            name,
            at,
            seen,
        } in sightings
        {
            self.news.entry((kind, name)).or_insert((at, seen));
        }
    }
}

#[cfg(test)]
mod tests;
