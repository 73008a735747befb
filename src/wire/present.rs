//! Which devices are connected to a server, so that it notices two that use one name: to everybody
//! else they are one device, which behaves strangely.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::ids::DeviceName;
use crate::wire::Role;
use crate::wire::server::Peer;

/// A device that comes again leaves a dead connection behind, on which something may still have
/// been under way. What comes later comes from another one.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// Where the connection that comes after one is written down.
type Next = Mutex<Option<Newer>>;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Present(Arc<Everybody>);

#[derive(Debug, Default)]
struct Everybody {
    latest: Mutex<HashMap<(Role, DeviceName), Weak<Next>>>,
    /// How many connections have become the latest of their name.
    entered: AtomicU64,
}

/// One device's connection; forgotten when dropped.
#[derive(Debug)]
pub(super) struct Here {
    present: Present,
    key: (Role, DeviceName),
    address: SocketAddr,
    newer: Arc<Next>,
    /// How many had entered when there was no newer one. While nobody enters, which is most of the
    /// time, there is none, and so nothing to look up for each flash.
    alone_at: AtomicU64,
}

/// The connection that the same name has made after ours.
#[derive(Debug)]
struct Newer {
    address: SocketAddr,
    since: Instant,
    there: Weak<Next>,
}

impl Present {
    /// A device has been welcomed.
    pub(super) fn enter(&self, peer: &Peer) -> Here {
        let here = Here {
            present: self.clone(),
            key: (peer.role, peer.name.clone()),
            address: peer.address,
            newer: Arc::default(),
            alone_at: AtomicU64::default(),
        };
        here.is_latest();
        here
    }
}

impl Here {
    fn is_latest(&self) {
        let there = Arc::downgrade(&self.newer);
        let before = lock(&self.present.0.latest).insert(self.key.clone(), there.clone());
        if let Some(before) = before.and_then(|before| before.upgrade()) {
            *lock(&before) = Some(Newer {
                address: self.address,
                since: Instant::now(),
                there,
            });
        }
        // Only now: whoever sees it sees the newer one too.
        self.present.0.entered.fetch_add(1, Ordering::Release);
    }

    /// The device has said something. Returns where another one of that name is connected too, once
    /// for each.
    pub(super) fn has_a_twin(&self) -> Option<SocketAddr> {
        let entered = self.present.0.entered.load(Ordering::Acquire);
        if self.alone_at.load(Ordering::Relaxed) == entered {
            return None;
        }
        let newer = {
            let mut newer = lock(&self.newer);
            if newer.is_none() {
                self.alone_at.store(entered, Ordering::Relaxed);
            }
            newer.take_if(|newer| newer.since.elapsed() >= UNDER_WAY)?
        };
        match newer.there.strong_count() {
            0 => {
                self.is_latest();
                None
            }
            _ => Some(newer.address),
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut latest = lock(&self.present.0.latest);
        let ours = Arc::as_ptr(&self.newer);
        if latest
            .get(&self.key)
            .is_some_and(|there| there.as_ptr() == ours)
        {
            latest.remove(&self.key);
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is locked here is ever half done.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(present: &Present, name: &str, port: u16) -> Here {
        present.enter(&Peer {
            role: Role::Door,
            name: name.parse().unwrap(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            identity: None,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_goes_on_while_another_of_its_name_is_there_has_a_twin() {
        let present = Present::default();
        let first = enter(&present, "lab", 1);
        assert_eq!(first.has_a_twin(), None, "nobody else is there");
        let other = enter(&present, "gate", 2);
        let second = enter(&present, "lab", 3);
        assert_eq!(first.has_a_twin(), None, "it may have been under way");
        tokio::time::advance(UNDER_WAY).await;
        assert_eq!(first.has_a_twin().map(|at| at.port()), Some(3));
        assert_eq!(first.has_a_twin(), None, "said once");
        assert_eq!(second.has_a_twin(), None);
        assert_eq!(other.has_a_twin(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_came_again_is_no_twin_and_one_that_has_gone_is_none() {
        let present = Present::default();
        drop(enter(&present, "lab", 1));
        let first = enter(&present, "lab", 2);
        drop(enter(&present, "lab", 3));
        tokio::time::advance(UNDER_WAY).await;
        assert_eq!(first.has_a_twin(), None);
        let _second = enter(&present, "lab", 4);
        tokio::time::advance(UNDER_WAY).await;
        assert_eq!(first.has_a_twin().map(|at| at.port()), Some(4));
        drop(first);
        assert_eq!(present.0.latest.lock().unwrap().len(), 1);
    }
}
