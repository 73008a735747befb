//! Which identities hold, as the running central knows it: read from the database, where other
//! processes change it, and told to relays.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;
use tracing::error;

use crate::db::{self, DeviceKind, Enrolled, Store};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::DeviceName;
use crate::wire::answers::{Answers, WeakAnswers};
use crate::wire::{self, Door, Message};

/// How often it is looked whether anything has changed: what an administrator ends has to end
/// within a second, at the doors behind relays too.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many identities one message tells: few enough for a frame.
const AT_ONCE: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Roll {
    /// Every identity that holds, and whether it was used yet.
    identities: HashMap<Fingerprint, bool>,
    /// For each relay its doors, with their identities; a door for plain text has none.
    behind: HashMap<DeviceName, HashMap<DeviceName, Vec<Option<Fingerprint>>>>,
}

impl Roll {
    fn of(enrolled: Vec<Enrolled>) -> Self {
        let mut roll = Self::default();
        for one in enrolled {
            roll.identities
                .extend(one.fingerprint.map(|identity| (identity, one.used)));
            if one.kind == DeviceKind::Door {
                for relay in one.relays {
                    let doors = roll.behind.entry(relay).or_default();
                    doors
                        .entry(one.name.clone())
                        .or_default()
                        .push(one.fingerprint);
                }
            }
        }
        roll
    }

    /// Whether an identity holds; if so, whether it was used yet.
    pub(super) fn find(&self, identity: &Fingerprint) -> Option<bool> {
        self.identities.get(identity).copied()
    }

    /// Whether a relay may speak for that door.
    pub(super) fn is_behind(&self, relay: &DeviceName, door: &DeviceName) -> bool {
        self.behind
            .get(relay)
            .is_some_and(|doors| doors.contains_key(door))
    }

    /// Whether a relay may announce that door, with that identity.
    pub(super) fn takes(&self, relay: &DeviceName, door: &Door) -> bool {
        let doors = self.behind.get(relay);
        doors
            .and_then(|doors| doors.get(&door.name))
            .is_some_and(|identities| identities.contains(&door.identity))
    }

    /// What a relay has to hear of it.
    fn for_relay(&self, relay: &DeviceName) -> Vec<Message> {
        let doors = self.behind.get(relay).into_iter().flat_map(HashMap::values);
        let identities: Vec<_> = doors.flatten().flatten().copied().collect();
        let mut parts: Vec<_> = identities.chunks(AT_ONCE).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        let last = parts.len() - 1;
        parts
            .into_iter()
            .enumerate()
            .map(|(number, part)| {
                Message::Roll(wire::Roll {
                    identities: part.to_vec(),
                    more: number < last,
                })
            })
            .collect()
    }
}

/// The roll, and the relays that hear of it.
#[derive(Debug)]
pub(super) struct Registry {
    roll: watch::Receiver<Arc<Roll>>,
    relays: Arc<Mutex<Relays>>,
    /// The thread that looks ends with this.
    _looking: mpsc::Sender<()>,
}

type Relays = HashMap<SocketAddr, (DeviceName, WeakAnswers)>;

impl Registry {
    /// Reads the roll, and has a thread look from now on whether it changes, which ends with this.
    ///
    /// # Errors
    /// If it cannot be read, or the system has no thread for us.
    pub(super) fn start(store: Store) -> anyhow::Result<(Self, JoinHandle<()>)> {
        let version = store.roll_version()?;
        let (changed, roll) = watch::channel(Arc::new(Roll::of(store.roll()?)));
        let relays = Arc::default();
        let (looking, ended) = mpsc::channel();
        let mut look = Look {
            store,
            version,
            changed,
            relays: Arc::clone(&relays),
            failing: false,
        };
        let run = move || {
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                look.look();
            }
        };
        let thread = thread::Builder::new().name("roll".to_owned()).spawn(run)?;
        let registry = Self {
            roll,
            relays,
            _looking: looking,
        };
        Ok((registry, thread))
    }

    /// As it is now.
    pub(super) fn now(&self) -> Arc<Roll> {
        Arc::clone(&self.roll.borrow())
    }

    /// Waits until an identity holds no longer.
    pub(super) async fn until_ended(&self, identity: Fingerprint) {
        let mut roll = self.roll.clone();
        let ended = roll
            .wait_for(|roll| roll.find(&identity).is_none())
            .await
            .is_ok();
        if !ended {
            // Nobody looks any more: nothing is known to have ended.
            std::future::pending().await
        }
    }

    /// Tells a relay, now and at each change.
    pub(super) fn tell(&self, relay: &DeviceName, at: SocketAddr, answers: &Answers) {
        let mut relays = self.relays.lock().unwrap_or_else(PoisonError::into_inner);
        relays.insert(at, (relay.clone(), answers.downgrade()));
        // Under the lock, or an older roll might follow a newer one.
        let parts = self.roll.borrow().for_relay(relay);
        parts.into_iter().for_each(|part| answers.news(part));
    }

    /// A relay's connection has ended.
    pub(super) fn forget(&self, at: SocketAddr) {
        let mut relays = self.relays.lock().unwrap_or_else(PoisonError::into_inner);
        relays.remove(&at);
    }
}

struct Look {
    store: Store,
    version: i64,
    changed: watch::Sender<Arc<Roll>>,
    relays: Arc<Mutex<Relays>>,
    failing: bool,
}

impl Look {
    fn look(&mut self) {
        match self.read() {
            Ok(None) => self.failing = false,
            Ok(Some(roll)) => {
                self.failing = false;
                self.publish(&Arc::new(roll));
            }
            Err(cause) => {
                if !std::mem::replace(&mut self.failing, true) {
                    error!("cannot read which identities hold: {cause}");
                }
            }
        }
    }

    fn read(&mut self) -> db::Result<Option<Roll>> {
        let version = self.store.roll_version()?;
        if version == self.version {
            return Ok(None);
        }
        let roll = Roll::of(self.store.roll()?);
        self.version = version;
        Ok(Some(roll))
    }

    fn publish(&self, roll: &Arc<Roll>) {
        let relays = self.relays.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.send_replace(Arc::clone(roll));
        for (relay, answers) in relays.values() {
            if let Some(answers) = answers.upgrade() {
                let parts = roll.for_relay(relay);
                parts.into_iter().for_each(|part| answers.news(part));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrolled(name: &str, byte: Option<u8>, relays: &[&str]) -> Enrolled {
        Enrolled {
            kind: DeviceKind::Door,
            name: name.parse().unwrap(),
            fingerprint: byte.map(|byte| Fingerprint::from_bytes([byte; 32])),
            relays: relays.iter().map(|relay| relay.parse().unwrap()).collect(),
            used: false,
        }
    }

    #[test]
    fn a_relay_speaks_for_its_own_doors_with_the_identities_they_have() {
        let roll = Roll::of(vec![
            enrolled("lab", Some(1), &["north"]),
            enrolled("lab", Some(2), &["north"]),
            enrolled("old", None, &["north"]),
            enrolled("gate", Some(3), &["south"]),
        ]);
        let takes = |relay: &str, name: &str, byte: Option<u8>| {
            let door = Door {
                name: name.parse().unwrap(),
                plain: byte.is_none(),
                identity: byte.map(|byte| Fingerprint::from_bytes([byte; 32])),
            };
            roll.takes(&relay.parse().unwrap(), &door)
        };
        assert!(takes("north", "lab", Some(1)) && takes("north", "lab", Some(2)));
        assert!(takes("north", "old", None));
        assert!(!takes("north", "lab", None), "its identity is not shown");
        assert!(!takes("north", "gate", Some(3)), "another relay's");
        assert!(!takes("north", "old", Some(1)), "another door's identity");
        assert!(!takes("east", "lab", Some(1)), "an unknown relay");
    }

    #[test]
    fn a_long_roll_is_told_in_parts_that_fit_into_frames() {
        let count = 2 * AT_ONCE + 1;
        let all = (0..count).map(|number| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            Enrolled {
                fingerprint: Some(Fingerprint::from_bytes(bytes)),
                ..enrolled(&format!("door {number}"), None, &["north"])
            }
        });
        let parts = Roll::of(all.collect()).for_relay(&"north".parse().unwrap());
        let mut told = 0;
        let mut out = bytes::BytesMut::new();
        for (number, part) in parts.iter().enumerate() {
            wire::codec::encode(part, &mut out).unwrap();
            let Message::Roll(part) = part else {
                panic!("{part:?}")
            };
            assert_eq!(part.more, number < 2);
            told += part.identities.len();
        }
        assert_eq!((parts.len(), told), (3, count));
        let none = Roll::default().for_relay(&"north".parse().unwrap());
        assert_eq!(none.len(), 1, "that there are none is news too");
    }
}
