//! How much a server gives to whom, so that no number of clients, however slow or silent, takes
//! what the others need.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::wire::present::{Here, Present};
use crate::wire::server::Peer;
use crate::wire::{GREETING_WITHIN, SILENT_AFTER};

/// How many lines an address gets in the log in [`COMPLAIN_FOR`], so that none can fill it.
const COMPLAINTS: u32 = 30;
/// See [`COMPLAINTS`].
const COMPLAIN_FOR: Duration = Duration::from_secs(60);
/// How many addresses are remembered for that; a new one beyond makes all be forgotten.
const COMPLAINED_OF: usize = 4_096;

/// The limits of a server. Frames have theirs from the protocol: [`crate::wire::MAX_FRAME`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once. At most half of them may be strangers', so that newcomers
    /// never take a place from those who are known.
    pub connections: usize,
    /// The most connections of one address that have not proved or said yet who they are; those of
    /// plain text never do.
    pub strangers_per_address: usize,
    /// How long a client may take to say what it is.
    pub greet_within: Duration,
    /// A client from which nothing came for this long is gone.
    pub silent_after: Duration,
    /// How many requests of a door may wait for an answer: beyond that its connection is not read.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            strangers_per_address: 1_024,
            greet_within: GREETING_WITHIN,
            silent_after: SILENT_AFTER,
            requests: 1_024,
        }
    }
}

/// Keeps a server's limits.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) limits: Limits,
    places: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    complaints: Mutex<HashMap<IpAddr, (Instant, u32)>>,
    present: Present,
}

/// Why there is no place for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    /// There are too many.
    #[error("there are as many connections as the limits allow")]
    All,
    /// Too many do not say who they are.
    #[error("too many connections have not said who they are")]
    Strangers,
    /// Too many from this address do not.
    #[error("too many connections from there have not said who they are")]
    Address,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _place: OwnedSemaphorePermit,
    strange: Mutex<Option<Strange>>,
    present: Present,
}

/// A stranger's share of the places for strangers.
#[derive(Debug)]
struct Strange {
    _place: OwnedSemaphorePermit,
    address: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Guard {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            places: Arc::new(Semaphore::new(limits.connections)),
            strangers: Arc::new(Semaphore::new(limits.connections.div_ceil(2))),
            by_address: Arc::default(),
            complaints: Mutex::default(),
            present: Present::default(),
        }
    }

    /// A place for a connection from that address, if there is one.
    pub(super) fn enter(&self, address: IpAddr) -> Result<Place, Full> {
        let address = network(address);
        let of = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned();
        let place = of(&self.places).map_err(|_| Full::All)?;
        let strange = of(&self.strangers).map_err(|_| Full::Strangers)?;
        let mut by_address = lock(&self.by_address);
        let count = by_address.entry(address).or_default();
        if *count >= self.limits.strangers_per_address {
            return Err(Full::Address);
        }
        *count += 1;
        drop(by_address);
        let strange = Strange {
            _place: strange,
            address,
            by_address: Arc::clone(&self.by_address),
        };
        Ok(Place {
            _place: place,
            strange: Mutex::new(Some(strange)),
            present: self.present.clone(),
        })
    }

    /// Whether something bad about that address may be said in the log.
    pub(super) fn may_complain_of(&self, address: IpAddr) -> bool {
        let now = Instant::now();
        let mut complaints = lock(&self.complaints);
        if complaints.len() >= COMPLAINED_OF {
            complaints.clear();
        }
        let (since, count) = complaints.entry(network(address)).or_insert((now, 0));
        if now.duration_since(*since) >= COMPLAIN_FOR {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= COMPLAINTS
    }
}

impl Place {
    /// Whoever has it is no stranger any more.
    pub(super) fn is_known(&self) {
        drop(lock(&self.strange).take());
    }

    /// Whoever has it is this peer.
    pub(super) fn taken_by(&self, peer: &Peer) -> Here {
        self.is_known();
        self.present.enter(peer)
    }
}

impl Drop for Strange {
    fn drop(&mut self) {
        let mut by_address = lock(&self.by_address);
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: of IPv6, what one household has, 2^64 of them (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(Limits {
            connections: 6,
            strangers_per_address: 2,
            ..Limits::default()
        })
    }

    fn enter(guard: &Guard, address: &str) -> Result<Place, Full> {
        guard.enter(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_few_strangers_and_many_who_are_known() {
        let guard = guard();
        let first = enter(&guard, "10.0.0.1").unwrap();
        let second = enter(&guard, "::ffff:10.0.0.1").unwrap();
        assert_eq!(enter(&guard, "10.0.0.1").unwrap_err(), Full::Address);
        first.is_known();
        let third = enter(&guard, "10.0.0.1").unwrap();
        drop(second);
        let fourth = enter(&guard, "10.0.0.1").unwrap();
        assert_eq!(enter(&guard, "10.0.0.1").unwrap_err(), Full::Address);
        drop((first, third, fourth));
        assert!(lock(&guard.by_address).is_empty());
    }

    #[test]
    fn strangers_leave_half_of_the_places_to_those_who_are_known() {
        let guard = guard();
        let known = [(); 2].map(|()| enter(&guard, "10.0.0.1").unwrap());
        known.iter().for_each(Place::is_known);
        let addresses = ["10.0.0.2", "10.0.0.3", "10.0.0.4"];
        let strangers = addresses.map(|address| enter(&guard, address).unwrap());
        assert_eq!(enter(&guard, "10.0.0.5").unwrap_err(), Full::Strangers);
        strangers.iter().for_each(Place::is_known);
        let last = enter(&guard, "10.0.0.5").unwrap();
        last.is_known();
        assert_eq!(enter(&guard, "10.0.0.6").unwrap_err(), Full::All);
        drop(last);
        assert!(enter(&guard, "10.0.0.6").is_ok());
    }

    #[test]
    fn one_household_is_one_address() {
        let guard = guard();
        let _places = ["2001:db8::1", "2001:db8::2"].map(|one| enter(&guard, one).unwrap());
        assert_eq!(
            enter(&guard, "2001:db8::ffff:3").unwrap_err(),
            Full::Address
        );
        assert!(enter(&guard, "2001:db8:0:1::1").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_fills_the_log() {
        let guard = guard();
        let said = |address: &str| guard.may_complain_of(address.parse().unwrap());
        assert_eq!((0..1_000).filter(|_| said("10.0.0.1")).count(), 30);
        assert!(said("10.0.0.2"), "another's lines are its own");
        tokio::time::advance(COMPLAIN_FOR).await;
        assert!(said("10.0.0.1"));
    }
}
