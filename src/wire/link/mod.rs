//! A client's lasting connection to its upstream: a relay's to the central, a door's to its relay
//! or central. One connection carries every flash, many at a time; it is made anew for as long as
//! the program runs.
//!
//! An upstream that misses one deadline counts as down until a fresh connection has answered, so
//! that later flashes do not each wait. Every flash gets exactly one answer, whatever happens.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{DeviceName, EventId, InstallationId};
use crate::wire::address::{self, Addresses};
use crate::wire::answers::Answers;
use crate::wire::identity::Identity;
use crate::wire::{Door, Error, Flash, Happened, Message, Role};

pub mod aid;
mod door_events;
mod greeting;
mod keeper;
mod pending;
mod probe;
mod probes;
mod reach;
mod state;
mod ways;

use aid::{Aid, Session};
pub use probe::Probe;
use state::State;
pub use state::{Patience, Phase};

/// A clock that differs from the upstream's by more than this is worth a warning.
pub const CLOCK_TOLERANCE_MS: u64 = 5_000;
/// How long a start may wait for the upstream's name to be resolved.
const RESOLVE_WITHIN: Duration = Duration::from_secs(1);

/// What a link needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the upstream listens: alternatives, the preferred first.
    pub addresses: Addresses,
    /// What the upstream is called in messages to people: "central" or "relay".
    pub upstream: &'static str,
    /// What this client is.
    pub role: Role,
    /// This client's name.
    pub name: DeviceName,
    /// How long flashes may wait for their answers.
    pub patience: Patience,
    /// Whether the upstream may be off this machine without an identity.
    pub insecure: bool,
    /// With one, the upstream is spoken to inside TLS only, and has to be of our installation.
    pub identity: Option<Identity>,
    /// The wall clock, to compare with the upstream's.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// Whether that address may be connected to.
    fn check(&self, address: IpAddr) -> Result<(), Error> {
        address::check(address, self.insecure || self.identity.is_some())?;
        Ok(())
    }
}

/// See the module. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    state: Mutex<State>,
    /// There is something to write.
    to_write: Notify,
    /// Something is due earlier than the timer knows.
    due_earlier: Notify,
    status: watch::Sender<Status>,
    /// What the upstream said last of who may come to us; `None`: nothing yet.
    roll: watch::Sender<Option<HashSet<Fingerprint>>>,
}

/// How the upstream stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it can be asked.
    pub phase: Phase,
    /// Why not, when it is down.
    pub why: String,
}

impl Link {
    /// A link that connects once [`Link::run`] runs.
    pub fn new(options: Options) -> Self {
        let (status, _) = watch::channel(Status {
            phase: Phase::Trying,
            why: String::new(),
        });
        let installation = options.identity.as_ref().map(|own| own.installation);
        let shared = Shared {
            state: Mutex::new(State::new(options.role, installation)),
            options,
            to_write: Notify::new(),
            due_earlier: Notify::new(),
            status,
            roll: watch::Sender::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The doors that the upstream is told of.
    pub fn doors(&self) -> Vec<DeviceName> {
        self.state().doors()
    }

    /// Has somebody help a relay; to be said before [`Link::run`].
    pub fn set_aid(&self, aid: Arc<dyn Aid>) {
        self.state().set_aid(Some(aid));
    }

    /// Tells that helper no more.
    pub fn dismiss_aid(&self) {
        self.state().set_aid(None);
    }

    /// Takes only that installation for its own, unless its identity says so of another one;
    /// returns whether it does.
    pub fn expect(&self, installation: InstallationId) -> bool {
        *self.state().installation.get_or_insert(installation) == installation
    }

    /// Sends something when there is nothing else to send, if the connection is still that one.
    pub fn send_later(&self, session: Session, message: &Message) {
        self.state().send_later(session, message);
        self.shared.to_write.notify_one();
    }

    /// Whether the upstream's addresses may be used at all, as far as that can be found out now.
    ///
    /// # Errors
    /// [`Error::Exposed`]. That a name cannot be resolved yet is no error: after a power cut, the
    /// network may come later than we do.
    pub async fn check_address(&self) -> Result<(), Error> {
        let deadline = Instant::now() + RESOLVE_WITHIN;
        for address in self.shared.options.addresses.iter() {
            let resolved = timeout_at(deadline, address::resolve(address)).await;
            if let Ok(Ok(addresses)) = resolved {
                for address in addresses {
                    self.shared.options.check(address.ip())?;
                }
            }
        }
        Ok(())
    }

    /// Asks the upstream; the answer goes to `asker`, in any case and in time.
    pub fn ask(&self, flash: Flash, asker: &Answers) {
        let mut state = self.state();
        state.ask(
            flash,
            asker.clone(),
            self.shared.options.patience,
            Instant::now(),
        );
        let timer_is_late = state.timer_is_late();
        drop(state);
        self.shared.to_write.notify_one();
        if timer_is_late {
            self.shared.due_earlier.notify_one();
        }
    }

    /// Notes that an `Open` for the event reached no door; see [`crate::wire::Message::Undelivered`]. `asker`
    /// hears when the upstream has stored it.
    pub fn undelivered(&self, event: EventId, asker: Option<Answers>) {
        self.state().undelivered(event, asker);
        self.shared.to_write.notify_one();
    }

    /// Keeps what happened at a door until the upstream has stored it, also while that is away;
    /// `asker` hears when it is stored. There is room for much, not for everything: the oldest goes
    /// first, alarms last.
    pub fn happened(&self, happened: Happened, asker: Option<Answers>) {
        self.state()
            .door_events
            .add(happened, asker, Instant::now());
        self.shared.to_write.notify_one();
    }

    /// Tells the upstream of a door, now and after each reconnection; also of one for plain text,
    /// which never goes.
    pub fn door_came(&self, door: &Door) {
        self.state().door_came(door);
        self.shared.to_write.notify_one();
    }

    /// Takes back one [`Link::door_came`].
    pub fn door_went(&self, door: &Door) {
        self.state().door_went(door);
        self.shared.to_write.notify_one();
    }

    /// Goes by these identities, which the upstream said before this program started, until it says
    /// others; to be said before [`Link::run`].
    pub fn set_roll(&self, roll: HashSet<Fingerprint>) {
        self.shared.roll.send_replace(Some(roll));
    }

    /// The identities that may come to us, as the upstream has said last; `None` if it has not said
    /// anything yet.
    pub fn roll(&self) -> watch::Receiver<Option<HashSet<Fingerprint>>> {
        self.shared.roll.subscribe()
    }

    /// Measures the way to the upstream, and on to the central; `asker` hears how long it took, or
    /// that nobody answers.
    pub fn measure(&self, n: u64, asker: &Answers) {
        self.state().probe(n, asker, Instant::now());
        self.shared.to_write.notify_one();
    }

    /// The installation that the upstream belongs to, if that is known yet.
    pub fn installation(&self) -> Option<InstallationId> {
        self.state().installation
    }

    /// How the upstream stands, as it changes.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }

    /// Waits until the first attempt to connect has come to an end, and returns how.
    pub async fn settled(&self) -> Status {
        let mut status = self.watch();
        match status
            .wait_for(|status| status.phase != Phase::Trying)
            .await
        {
            Ok(settled) => settled.clone(),
            Err(_) => self.shared.status.borrow().clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not end in every door staying shut: the state is whole between
        // its methods.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
