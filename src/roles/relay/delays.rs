//! How long flashes take through this relay: gathered, and told the central some at a time. They are
//! figures, not facts: what cannot be told is forgotten.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::domain::access::Verdict;
use crate::domain::ids::DeviceName;
use crate::metrics::Metrics;
use crate::wire::Message;
use crate::wire::answers::Tally;
use crate::wire::delays;
use crate::wire::link::aid::Session;

/// How long the central is not told of some that are too few for a message.
const TELL_WITHIN: Duration = Duration::from_secs(10);
/// The most that are kept until the central is back.
const MOST: usize = 50_000;
/// So many make a message, and no more fit into one: names of doors have up to 256 bytes. It is told
/// as soon as they are there: many at once would hold up, here and at the central, the flashes that
/// come meanwhile.
const AT_ONCE: usize = 150;

/// What was gathered.
#[derive(Debug, Clone, Default)]
pub(super) struct Delays(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    gathered: Mutex<Gathered>,
    /// There are enough for a message.
    enough: Notify,
}

#[derive(Debug, Default)]
struct Gathered {
    delays: VecDeque<Delay>,
    /// The connection to the central, while there is one.
    session: Option<Session>,
}

#[derive(Debug)]
struct Delay {
    door: DeviceName,
    answered: Instant,
    took: Duration,
}

/// Who looks on while flashes are answered: has each added, and counted for the metrics.
#[derive(Debug)]
pub(super) struct Timing {
    pub(super) delays: Delays,
    pub(super) metrics: Option<Arc<Metrics>>,
}

impl Tally for Timing {
    fn answered(&self, door: &DeviceName, verdict: Verdict, after: Duration) {
        self.delays.add(door, after);
        if let Some(metrics) = &self.metrics {
            metrics.answered(door, verdict, after);
        }
    }
}

impl Delays {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        let gathered = self.0.gathered.lock();
        gathered.unwrap_or_else(PoisonError::into_inner)
    }

    /// A flash took so long.
    fn add(&self, door: &DeviceName, took: Duration) {
        let mut gathered = self.lock();
        if gathered.delays.len() >= MOST {
            gathered.delays.pop_front();
        }
        gathered.delays.push_back(Delay {
            door: door.clone(),
            answered: Instant::now(),
            took,
        });
        if gathered.delays.len().is_multiple_of(AT_ONCE) {
            self.0.enough.notify_one();
        }
    }

    /// There is this connection to the central now, or none.
    pub(super) fn connected(&self, session: Option<Session>) {
        self.lock().session = session;
    }

    /// Has `send` tell the central a message's worth at a time, the rest after a while, and what is
    /// left when told to stop.
    pub(super) async fn tell(self, send: impl Fn(Session, &Message), stop: CancellationToken) {
        loop {
            let (least, over) = tokio::select! {
                () = self.0.enough.notified() => (AT_ONCE, false),
                () = sleep(TELL_WITHIN) => (1, false),
                () = stop.cancelled() => (1, true),
            };
            while let Some((session, message)) = self.next(least) {
                send(session, &message);
                if !over {
                    // After an outage there are many; flashes go between them.
                    yield_now().await;
                }
            }
            if over {
                return;
            }
        }
    }

    /// A message of what there is to tell, if it is so many at least, and there is somebody to tell it.
    fn next(&self, least: usize) -> Option<(Session, Message)> {
        let mut gathered = self.lock();
        let session = gathered.session?;
        let count = gathered.delays.len().min(AT_ONCE);
        if count < least {
            return None;
        }
        let now = Instant::now();
        let told: Vec<_> = gathered
            .delays
            .drain(..count)
            .map(|delay| delays::Delay {
                door: delay.door,
                age: u64::try_from(now.duration_since(delay.answered).as_millis())
                    .unwrap_or(u64::MAX),
                us: u32::try_from(delay.took.as_micros()).unwrap_or(u32::MAX),
            })
            .collect();
        Some((session, Message::Delays(delays::Delays { delays: told })))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_newest_are_told_in_their_order_once_there_is_a_connection() {
        let delays = Delays::default();
        let door: DeviceName = "lab".parse().unwrap();
        for number in 0..=MOST {
            delays.add(&door, Duration::from_micros(number as u64));
        }
        assert!(delays.next(1).is_none());
        delays.connected(Some(Session(1)));
        tokio::time::advance(Duration::from_millis(7)).await;
        let mut told = Vec::new();
        while let Some((session, message)) = delays.next(1) {
            assert_eq!(session, Session(1));
            let Message::Delays(delays) = message else {
                panic!("{message:?}");
            };
            told.extend(delays.delays);
        }
        assert_eq!(told.len(), MOST);
        assert_eq!((told[0].us, told[0].age), (1, 7));
        assert_eq!(told.last().unwrap().us as usize, MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_told_at_once_and_the_rest_after_a_while() {
        let delays = Delays::default();
        delays.connected(Some(Session(1)));
        let door: DeviceName = "lab".parse().unwrap();
        let add = |count| (0..count).for_each(|_| delays.add(&door, Duration::from_millis(1)));
        let (sent, mut told) = mpsc::unbounded_channel();
        let send = move |_, message: &Message| match message {
            Message::Delays(delays) => sent.send(delays.delays.len()).unwrap(),
            other => panic!("{other:?}"),
        };
        let stop = CancellationToken::new();
        let telling = tokio::spawn(delays.clone().tell(send, stop.clone()));
        let began = Instant::now();
        add(2 * AT_ONCE + 1);
        assert_eq!(told.recv().await, Some(AT_ONCE));
        assert_eq!(told.recv().await, Some(AT_ONCE));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(told.recv().await, Some(1));
        assert!(began.elapsed() >= TELL_WITHIN);
        add(3);
        stop.cancel();
        assert_eq!(told.recv().await, Some(3));
        telling.await.unwrap();
    }

    #[test]
    fn the_longest_names_fit_into_a_message() {
        let delays = Delays::default();
        let longest: DeviceName = "𒀀".repeat(DeviceName::MAX_CHARS).parse().unwrap();
        (0..AT_ONCE).for_each(|_| delays.add(&longest, Duration::MAX));
        delays.connected(Some(Session(1)));
        let (_, message) = delays.next(1).unwrap();
        let mut bytes = bytes::BytesMut::new();
        crate::wire::codec::encode(&message, &mut bytes).unwrap();
    }
}
