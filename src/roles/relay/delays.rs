//! How long flashes take through this relay: gathered, and told the central now and then. They are
//! figures, not facts: what cannot be told is forgotten.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::domain::access::Verdict;
use crate::domain::ids::DeviceName;
use crate::metrics::Metrics;
use crate::wire::Message;
use crate::wire::answers::Tally;
use crate::wire::delays;
use crate::wire::link::Link;
use crate::wire::link::aid::Session;

/// How often the central is told.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// The most that are kept until then, or until the central is back.
const MOST: usize = 50_000;
/// The most of one message: names of doors have up to 256 bytes.
const AT_ONCE: usize = 150;

/// What was gathered.
#[derive(Debug, Clone, Default)]
pub(super) struct Delays(Arc<Mutex<Gathered>>);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    }

    /// There is this connection to the central now, or none.
    pub(super) fn connected(&self, session: Option<Session>) {
        self.lock().session = session;
    }

    /// Tells the central every few seconds, and once more when told to stop.
    pub(super) async fn tell(self, link: Link, stop: CancellationToken) {
        loop {
            let over = tokio::select! {
                () = sleep(TELL_EVERY) => false,
                () = stop.cancelled() => true,
            };
            while let Some((session, message)) = self.next() {
                link.send_later(session, &message);
            }
            if over {
                return;
            }
        }
    }

    /// Some of what there is to tell, if there is somebody to tell it.
    fn next(&self) -> Option<(Session, Message)> {
        let mut gathered = self.lock();
        let session = gathered.session?;
        let count = gathered.delays.len().min(AT_ONCE);
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
        let message = Message::Delays(delays::Delays { delays: told });
        (count > 0).then_some((session, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_newest_are_told_in_their_order_once_there_is_a_connection() {
        let delays = Delays::default();
        let door: DeviceName = "lab".parse().unwrap();
        for number in 0..=MOST {
            delays.add(&door, Duration::from_micros(number as u64));
        }
        assert!(delays.next().is_none());
        delays.connected(Some(Session(1)));
        tokio::time::advance(Duration::from_millis(7)).await;
        let mut told = Vec::new();
        while let Some((session, message)) = delays.next() {
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

    #[test]
    fn the_longest_names_fit_into_a_message() {
        let delays = Delays::default();
        let longest: DeviceName = "𒀀".repeat(DeviceName::MAX_CHARS).parse().unwrap();
        (0..AT_ONCE).for_each(|_| delays.add(&longest, Duration::MAX));
        delays.connected(Some(Session(1)));
        let (_, message) = delays.next().unwrap();
        let mut bytes = bytes::BytesMut::new();
        crate::wire::codec::encode(&message, &mut bytes).unwrap();
    }
}
