//! What happened at doors and is not stored upstream yet: a bounded queue, kept while the upstream
//! is away, sent in the order it came, and repeated until the upstream has noted it. No I/O and no
//! clock: times come as arguments.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::domain::door_event::Kind;
use crate::domain::ids::EventId;
use crate::wire::answers::Answers;
use crate::wire::{Happened, Role};

/// How many may be under way at once: flashes do not wait behind a long queue.
const UNDER_WAY: usize = 64;
/// When the upstream has noted nothing for this long, what is under way is sent again: it may have
/// been unable to store it.
const REPEAT_AFTER: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug)]
pub(super) struct DoorEvents {
    keeper: Role,
    /// By the order in which they came.
    waiting: BTreeMap<u64, Waiting>,
    by_event: HashMap<EventId, u64>,
    /// Which of them neither begin nor end an alarm: the first to go when there is no room.
    minor: BTreeSet<u64>,
    next_order: u64,
    /// Those before this one were sent on this connection.
    unsent_from: u64,
    under_way: usize,
    /// When something was last sent into silence, or noted.
    progress: Option<Instant>,
    /// How many of each kind were dropped since the upstream was last there.
    dropped: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Waiting {
    happened: Happened,
    /// When it came here: since then it has grown older.
    since: Instant,
    /// Who wants to hear that it is stored.
    asker: Option<Answers>,
}

impl DoorEvents {
    /// An empty queue of a door's own events, or of those that come to a relay.
    pub(super) fn new(keeper: Role) -> Self {
        Self {
            keeper,
            waiting: BTreeMap::new(),
            by_event: HashMap::new(),
            minor: BTreeSet::new(),
            next_order: 0,
            unsent_from: 0,
            under_way: 0,
            progress: None,
            dropped: BTreeMap::new(),
        }
    }

    /// The most that are kept: some hours of a busy door, or of a site's doors.
    fn limit(&self) -> usize {
        match self.keeper {
            Role::Door => 1_024,
            Role::Relay => 65_536,
        }
    }

    /// Keeps one more. If there is no room, the oldest goes that is no matter of an alarm, else
    /// the oldest of all. One that is here already has another asker from now on.
    pub(super) fn add(&mut self, happened: Happened, asker: Option<Answers>, now: Instant) {
        let known = self.by_event.get(&happened.event);
        if let Some(waiting) = known.and_then(|order| self.waiting.get_mut(order)) {
            waiting.asker = asker.or(waiting.asker.take());
            return;
        }
        let order = self.next_order;
        self.next_order += 1;
        if !happened.kind.is_alarm() && happened.kind.ends().is_none() {
            self.minor.insert(order);
        }
        self.by_event.insert(happened.event, order);
        let waiting = Waiting {
            happened,
            since: now,
            asker,
        };
        self.waiting.insert(order, waiting);
        if self.waiting.len() > self.limit()
            && let Some(victim) = self.minor.first().or(self.waiting.keys().next()).copied()
            && let Some(lost) = self.remove(victim)
        {
            self.say_dropped(&lost.happened);
        }
    }

    /// The next to be sent now, as old as it is now; `None` while enough are under way.
    pub(super) fn next(&mut self, now: Instant) -> Option<Happened> {
        let stalled = |since| now.saturating_duration_since(since) >= REPEAT_AFTER;
        if self.under_way > 0 && self.progress.is_some_and(stalled) {
            self.start_over();
        }
        if self.under_way >= UNDER_WAY {
            return None;
        }
        let (&order, waiting) = self.waiting.range(self.unsent_from..).next()?;
        let grown = now.saturating_duration_since(waiting.since).as_millis();
        let grown = u64::try_from(grown).unwrap_or(u64::MAX);
        let mut happened = waiting.happened.clone();
        happened.age = happened.age.saturating_add(grown);
        if self.under_way == 0 {
            self.progress = Some(now);
        }
        self.under_way += 1;
        self.unsent_from = order + 1;
        Some(happened)
    }

    /// The upstream has stored it. Returns whether it waited here, and who wants to hear of it.
    pub(super) fn noted(&mut self, event: EventId, now: Instant) -> Option<Answers> {
        let order = self.by_event.get(&event).copied()?;
        self.progress = Some(now);
        self.remove(order)?.asker
    }

    /// A connection is new, or stuck: everything is still to be sent.
    pub(super) fn start_over(&mut self) {
        self.unsent_from = 0;
        self.under_way = 0;
        if !self.dropped.is_empty() {
            let counts: Vec<_> = std::mem::take(&mut self.dropped)
                .into_iter()
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            warn!("dropped meanwhile, for want of room: {}", counts.join(", "));
        }
    }

    /// Whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn remove(&mut self, order: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&order)?;
        self.by_event.remove(&waiting.happened.event);
        self.minor.remove(&order);
        if order < self.unsent_from {
            self.under_way = self.under_way.saturating_sub(1);
        }
        Some(waiting)
    }

    /// Says at the first that something was dropped, and counts the others.
    fn say_dropped(&mut self, lost: &Happened) {
        if self.dropped.is_empty() {
            let (limit, kind, door) = (self.limit(), &lost.kind, &lost.door);
            warn!(
                "{limit} events wait to be stored: dropping the oldest, alarms last; first '{kind}' \
                 of door '{door}'{}",
                match self.keeper {
                    Role::Door => "",
                    Role::Relay => ", which repeats it on its next connection",
                }
            );
        }
        let kind = match &lost.kind {
            // These could be very many.
            Kind::Unrecognised(_) => "others".to_owned(),
            known => known.code().to_owned(),
        };
        *self.dropped.entry(kind).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(number: u64, kind: Kind) -> Happened {
        Happened {
            event: event(number),
            door: "lab".parse().unwrap(),
            kind,
            at: 0,
            age: 0,
            about: None,
        }
    }

    fn event(number: u64) -> EventId {
        EventId::from_bytes(u128::from(number).to_be_bytes())
    }

    /// A door's queue with so many presses of the exit button.
    fn presses(count: u64, now: Instant) -> DoorEvents {
        let mut events = DoorEvents::new(Role::Door);
        (0..count).for_each(|number| events.add(happened(number, Kind::ExitButton), None, now));
        events
    }

    /// The numbers of those that are sent now.
    fn sent(events: &mut DoorEvents, now: Instant) -> Vec<u128> {
        std::iter::from_fn(|| events.next(now))
            .map(|happened| u128::from_be_bytes(*happened.event.as_bytes()))
            .collect()
    }

    #[test]
    fn they_go_in_order_and_a_few_at_a_time() {
        let now = Instant::now();
        let mut events = presses(100, now);
        assert_eq!(sent(&mut events, now), (0..64).collect::<Vec<_>>());
        events.noted(event(0), now);
        events.noted(event(5), now);
        events.noted(event(5), now);
        assert_eq!(sent(&mut events, now), [64, 65]);
        (0..100).for_each(|number| drop(events.noted(event(number), now)));
        assert!(events.is_empty());
    }

    #[test]
    fn what_waits_grows_older() {
        let now = Instant::now();
        let mut events = DoorEvents::new(Role::Relay);
        let old = Happened {
            age: 500,
            ..happened(1, Kind::Fire)
        };
        events.add(old, None, now);
        let later = now + Duration::from_millis(1_500);
        assert_eq!(events.next(later).unwrap().age, 2_000);
        events.start_over();
        assert_eq!(events.next(later + REPEAT_AFTER).unwrap().age, 32_000);
    }

    #[test]
    fn a_new_connection_gets_all_again_and_so_does_one_that_notes_nothing() {
        let now = Instant::now();
        let mut events = presses(3, now);
        assert_eq!(sent(&mut events, now), [0, 1, 2]);
        assert_eq!(sent(&mut events, now), []);
        events.start_over();
        events.noted(event(1), now);
        assert_eq!(sent(&mut events, now), [0, 2]);
        let late = now + REPEAT_AFTER;
        assert_eq!(sent(&mut events, late - Duration::from_millis(1)), []);
        assert_eq!(sent(&mut events, late), [0, 2]);
        // What was noted in time holds the rest back for longer.
        events.noted(event(0), late + Duration::from_secs(29));
        assert_eq!(sent(&mut events, late + Duration::from_secs(31)), []);
    }

    #[test]
    fn without_room_alarms_and_their_ends_go_last() {
        let now = Instant::now();
        let mut events = DoorEvents::new(Role::Door);
        let kinds = [Kind::Fire, Kind::ExitButton, Kind::FireOver];
        for (number, kind) in (0..).zip(kinds) {
            events.add(happened(number, kind), None, now);
        }
        (3..1_025).for_each(|n| events.add(happened(n, Kind::DoorOpened), None, now));
        assert_eq!(sent(&mut events, now)[..3], [0, 2, 3]);
        assert_eq!(events.dropped["exit-button"], 1);
        // Only alarms are left: now their oldest has to go.
        (2_000..3_023).for_each(|n| events.add(happened(n, Kind::DoorHeld), None, now));
        assert_eq!(events.waiting.len(), 1_024);
        assert_eq!(events.dropped["fire"], 1);
        assert!(events.minor.is_empty());
        events.start_over();
        assert_eq!(sent(&mut events, now)[..2], [2, 2_000]);
    }

    #[test]
    fn one_that_is_here_already_only_has_another_asker() {
        let now = Instant::now();
        let (gone, _) = Answers::channel();
        let (back, mut at_back) = Answers::channel();
        let mut events = presses(1, now);
        assert_eq!(sent(&mut events, now), [0]);
        for asker in [gone, back] {
            events.add(happened(0, Kind::ExitButton), Some(asker), now);
        }
        assert_eq!(sent(&mut events, now), []);
        events.noted(event(0), now).unwrap().noted(event(0));
        assert!(at_back.next_now().is_some());
        assert!(events.is_empty() && events.noted(event(0), now).is_none());
    }
}
