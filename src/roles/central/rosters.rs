//! What relays need to decide by themselves is kept up to date there: one thread looks for changes,
//! whoever made them, and each relay is told its own part, as fast as it takes it.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::Timelike;
use tokio::sync::{Semaphore, mpsc as channel};
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

use crate::clock::Clock;
use crate::db::{self, BadgeRead, RosterRead, Store};
use crate::domain::calendar::Days;
use crate::domain::ids::{DeviceName, TwinkletId};
use crate::domain::roster::{Badge, RosterDoor};
use crate::wire::answers::{Answers, WeakAnswers};
use crate::wire::roster::{Badges, Current, Roster};
use crate::wire::{Message, SILENT_AFTER};

/// How often changes are looked for: a revoked badge is gone from the relays soon after.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often a relay hears that nothing has changed.
const BEAT: Duration = Duration::from_secs(5);
/// The most bytes of badges in one message: a flash's answer waits behind no more than two.
const MESSAGE: usize = 16 * 1024;
/// What a badge takes beside its body.
const BADGE_OVERHEAD: usize = 24;
/// How many messages may be under way to a relay.
const UNDER_WAY: usize = 2;

/// Where the desk hands in what relays say about their rosters.
#[derive(Debug)]
pub(super) struct Rosters {
    requests: mpsc::Sender<Request>,
    /// By the relay's connection, how many messages it can take.
    rooms: Mutex<HashMap<SocketAddr, Arc<Semaphore>>>,
}

/// A relay that wants to be kept up to date.
#[derive(Debug)]
struct Request {
    peer: SocketAddr,
    at: u64,
    doors: Vec<DeviceName>,
    feed: channel::UnboundedSender<Message>,
}

impl Rosters {
    /// Starts the thread, on a connection of its own to the database, which ends with this. To be
    /// called in a runtime.
    pub(super) fn start(
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (requests, asked) = mpsc::channel();
        let watch = Watch {
            store,
            clock,
            relays: HashMap::new(),
            seen: None,
            beat_at: Instant::now(),
            failing: false,
        };
        let thread = thread::Builder::new()
            .name("rosters".to_owned())
            .spawn(move || watch.run(&asked))?;
        let rosters = Self {
            requests,
            rooms: Mutex::default(),
        };
        Ok((rosters, thread))
    }

    /// A relay asks to be kept up to date, over that connection.
    pub(super) fn keep(&self, peer: SocketAddr, roster: Roster, answers: &Answers) {
        let room = Arc::new(Semaphore::new(UNDER_WAY));
        if let Some(before) = self.rooms().insert(peer, Arc::clone(&room)) {
            before.close();
        }
        let (feed, updates) = channel::unbounded_channel();
        tokio::spawn(feed_relay(updates, room, answers.downgrade()));
        let request = Request {
            peer,
            at: roster.at,
            doors: roster.doors,
            feed,
        };
        // Without the thread the relay's roster grows too old, and it says so.
        let _ended = self.requests.send(request);
    }

    /// A relay has stored one of the messages.
    pub(super) fn taken(&self, peer: SocketAddr) {
        if let Some(room) = self.rooms().get(&peer)
            && room.available_permits() < UNDER_WAY
        {
            room.add_permits(1);
        }
    }

    /// A relay's connection has ended.
    pub(super) fn forget(&self, peer: SocketAddr) {
        if let Some(room) = self.rooms().remove(&peer) {
            room.close();
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<SocketAddr, Arc<Semaphore>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells one relay what there is to tell, as fast as it takes it.
async fn feed_relay(
    mut updates: channel::UnboundedReceiver<Message>,
    room: Arc<Semaphore>,
    answers: WeakAnswers,
) {
    while let Some(update) = updates.recv().await {
        if matches!(update, Message::Badges(_)) {
            match timeout(SILENT_AFTER, room.acquire()).await {
                // Given back when the relay has stored them.
                Ok(Ok(permit)) => permit.forget(),
                _ => return,
            }
        }
        // Another request of the same relay has come meanwhile, or it has gone.
        let Some(answers) = answers.upgrade().filter(|_| !room.is_closed()) else {
            return;
        };
        answers.news(update);
    }
}

/// The thread.
struct Watch {
    store: Store,
    clock: Arc<dyn Clock>,
    relays: HashMap<SocketAddr, Relay>,
    /// What was there at the last look.
    seen: Option<(i64, Mark)>,
    beat_at: Instant,
    failing: bool,
}

/// See [`Store::roster_mark`].
type Mark = (u64, u64, u64);

/// A relay that is kept up to date.
struct Relay {
    /// Up to which change it was told.
    at: u64,
    doors: HashSet<DeviceName>,
    feed: channel::UnboundedSender<Message>,
    /// Whether it was told anything yet.
    new: bool,
    last: Option<Current>,
}

impl Watch {
    fn run(mut self, asked: &mpsc::Receiver<Request>) {
        loop {
            match asked.recv_timeout(LOOK_EVERY) {
                Ok(request) => self.add(request),
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            asked.try_iter().for_each(|request| self.add(request));
            self.relays.retain(|_, relay| !relay.feed.is_closed());
            if self.relays.is_empty() {
                continue;
            }
            match self.look() {
                Ok(()) => self.failing = false,
                Err(cause) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        warn!("cannot keep relays' rosters up to date: {cause}");
                    }
                }
            }
        }
    }

    fn add(&mut self, request: Request) {
        let relay = Relay {
            at: request.at,
            doors: request.doors.into_iter().collect(),
            feed: request.feed,
            new: true,
            last: None,
        };
        self.relays.insert(request.peer, relay);
    }

    /// Tells what has changed; where nothing has, says so now and then.
    fn look(&mut self) -> db::Result<()> {
        let version = self.store.data_version()?;
        let known = self.seen.as_ref().filter(|(seen, _)| *seen == version);
        let mark = match known {
            Some((_, mark)) => *mark,
            None => self.store.roster_mark()?,
        };
        let changed = self.seen.as_ref().is_none_or(|(_, seen)| *seen != mark);
        if changed || self.relays.values().any(|relay| relay.new) {
            self.tell(mark.0, changed)?;
        }
        self.seen = Some((version, mark));
        let now = Instant::now();
        if self.beat_at <= now {
            self.beat_at = now + BEAT;
            let time = self.clock.now().timestamp_millis();
            for relay in self.relays.values() {
                if let Some(last) = &relay.last {
                    let doors = Vec::new();
                    let last = last.clone();
                    let _gone = relay.feed.send(Message::Current(Current {
                        time,
                        doors,
                        ..last
                    }));
                }
            }
        }
        Ok(())
    }

    /// Reads the roster, and tells each relay its part of what is new to it.
    fn tell(&mut self, newest: u64, all: bool) -> db::Result<()> {
        let mut parts: Vec<_> = self
            .relays
            .values_mut()
            .filter(|relay| all || relay.new)
            .map(|relay| Part::new(relay, newest))
            .collect();
        let since = parts.iter().map(|part| part.since).min().unwrap_or(0);
        // The doors' numbers, before the badges that name them.
        let doors = self.store.doors_of_rosters()?;
        parts.iter_mut().for_each(|part| part.take_doors(&doors));
        let read = self.store.read_roster(since, |badge| {
            let for_all = badge.holdings.iter().all(|(_, listed)| listed.is_none());
            let common = for_all.then(|| pack(&badge, None)).flatten();
            for part in &mut parts {
                let own = match &common {
                    Some(badge) => Some(badge.clone()),
                    None => pack(&badge, Some(&part.numbers)),
                };
                if let Some(own) = own {
                    part.add(own, badge.changed);
                }
            }
        })?;
        let time = self.clock.now().timestamp_millis();
        let days = self.store.days()?;
        let told = parts.len();
        for part in parts {
            part.finish(&read, time, days);
        }
        debug!(
            "{told} relays' rosters are up to date with change {}",
            read.at
        );
        Ok(())
    }
}

/// A badge as a relay with those doors is told of it; `None` if it is none of that relay's.
fn pack(badge: &BadgeRead<'_>, doors: Option<&HashSet<i64>>) -> Option<Badge> {
    let mut holdings = Vec::new();
    for (holding, listed) in &badge.holdings {
        let mut holding = holding.clone();
        if let (Some(employee), Some(doors)) = (listed, doors) {
            let granted = badge.grants.get(employee).into_iter().flatten();
            let here: Vec<i64> = granted
                .copied()
                .filter(|door| doors.contains(door))
                .collect();
            if here.is_empty() {
                continue;
            }
            holding.doors = Some(here);
        }
        holdings.push(holding);
    }
    if holdings.is_empty() {
        return None;
    }
    let body = rmp_serde::to_vec_named(&holdings).ok()?;
    Some(Badge { id: badge.id, body })
}

/// What one relay is told this time.
struct Part<'a> {
    relay: &'a mut Relay,
    /// Since which change it needs to hear; 0 for everything.
    since: u64,
    numbers: HashSet<i64>,
    doors: Vec<RosterDoor>,
    sum: u64,
    message: Badges,
    size: usize,
    told: HashSet<TwinkletId>,
}

impl<'a> Part<'a> {
    fn new(relay: &'a mut Relay, newest: u64) -> Self {
        // It knows of changes that this database does not: it was restored from a backup.
        let since = if relay.at > newest { 0 } else { relay.at };
        Self {
            relay,
            since,
            numbers: HashSet::new(),
            doors: Vec::new(),
            sum: 0,
            message: Badges {
                n: 1,
                whole: since == 0,
                badges: Vec::new(),
                gone: Vec::new(),
            },
            size: 0,
            told: HashSet::new(),
        }
    }

    fn take_doors(&mut self, doors: &[RosterDoor]) {
        let own = doors
            .iter()
            .filter(|door| self.relay.doors.contains(&door.name));
        self.doors = own.cloned().collect();
        self.numbers = self.doors.iter().map(|door| door.id).collect();
    }

    fn add(&mut self, badge: Badge, changed: bool) {
        self.sum = self.sum.wrapping_add(badge.digest());
        if self.since == 0 || changed {
            self.told.insert(badge.id);
            self.size += badge.body.len() + BADGE_OVERHEAD;
            self.message.badges.push(badge);
            if self.size >= MESSAGE {
                self.send();
            }
        }
    }

    fn send(&mut self) {
        let next = Badges {
            n: self.message.n + 1,
            whole: false,
            badges: Vec::new(),
            gone: Vec::new(),
        };
        let message = std::mem::replace(&mut self.message, next);
        self.size = 0;
        let _gone = self.relay.feed.send(Message::Badges(message));
    }

    fn finish(mut self, read: &RosterRead, time: i64, days: Days) {
        if self.since > 0 {
            for id in read.changed.difference(&self.told.clone()) {
                self.message.gone.push(*id);
                self.size += BADGE_OVERHEAD;
                if self.size >= MESSAGE {
                    self.send();
                }
            }
        }
        if self.size > 0 || self.message.whole {
            self.send();
        }
        let current = Current {
            at: read.at,
            sum: self.sum,
            time,
            zone: days.timezone.name().to_owned(),
            day_starts_at: days.starts_at.num_seconds_from_midnight() / 60,
            doors: self.doors,
        };
        self.relay.at = read.at;
        self.relay.new = false;
        self.relay.last = Some(current.clone());
        let _gone = self.relay.feed.send(Message::Current(current));
    }
}
