//! The listening side that relay and central share: it takes connections, tells the dialects apart
//! by their first byte, and hands what peers ask to a [`Service`].

use std::fmt::Display;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{DeviceName, EventId, InstallationId};
use crate::wire::address::{self, HostPort};
use crate::wire::answers::{Answers, Tally};
use crate::wire::frames::Stranger;
use crate::wire::guard::{Guard, Limits, Place};
use crate::wire::plain::{self, PlainRules};
use crate::wire::spool::RelayWord;
use crate::wire::tls::Acceptor;
use crate::wire::{Door, Error, Flash, Happened, Probed, Role, frames, refusal};

/// A plain-text client may say nothing for days, so that its kernel is asked whether it still is
/// there: first after this long, then every this long.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// How long to wait when no connection can be taken, say for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long to read on after an error, so that our last words are not lost with what we leave
/// unread.
const LINGER: Duration = Duration::from_millis(500);

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// What it is.
    pub role: Role,
    /// What it is called.
    pub name: DeviceName,
    /// Where it is.
    pub address: SocketAddr,
    /// The identity that proved all this; `None` if nothing did.
    pub identity: Option<Fingerprint>,
}

impl Display for Peer {
    /// As in `door 'lab'`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} '{}'", self.role, self.name)
    }
}

/// What a server tells a client that it takes.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// The server's name.
    pub name: DeviceName,
    /// The central's id, if known.
    pub installation: Option<InstallationId>,
    /// The server's clock, UTC milliseconds since 1970.
    pub time: i64,
}

/// What a relay or a central does with what its peers ask. The methods that wait do so while there
/// is no room, which slows the peer down; each request gets exactly one answer.
pub trait Service: Send + Sync + 'static {
    /// What to tell a client that is taken.
    fn greeting(&self) -> Greeting;

    /// Takes a peer that has said Hello, or gives the code to refuse it with.
    fn hello(&self, peer: &Peer) -> impl Future<Output = Result<(), &'static str>> + Send;

    /// A peer has been welcomed; whatever it has to hear without asking goes to `answers`.
    fn welcomed(&self, peer: &Peer, answers: &Answers);

    /// Whether a peer may have to go before it wants to: nobody disowns one without an identity.
    fn may_dismiss(&self, peer: &Peer) -> bool {
        peer.identity.is_some()
    }

    /// Waits until a peer that may be dismissed is to be taken no longer, and returns the code to
    /// tell it.
    fn dismissed(&self, peer: &Peer) -> impl Future<Output = &'static str> + Send;

    /// Takes note of a door behind a relay, before any flash that comes after it. If it cannot, it
    /// has `answers` hang up, so that the relay announces the door again.
    fn door(&self, door: Door, relay: &Peer, answers: &Answers) -> impl Future<Output = ()> + Send;

    /// A door behind a relay has gone.
    fn door_gone(&self, name: &DeviceName, relay: &Peer);

    /// Takes a request to enter; the answer goes to `answers`.
    fn flash(
        &self,
        flash: Flash,
        from: &Peer,
        answers: &Answers,
    ) -> impl Future<Output = ()> + Send;

    /// Takes note that an `Open` reached no door; says so to `answers` once that is stored.
    fn undelivered(
        &self,
        event: EventId,
        answers: Option<&Answers>,
    ) -> impl Future<Output = ()> + Send;

    /// Takes what else happened at a door; says so to `answers` once that is stored. What it cannot
    /// take, the peer repeats.
    fn happened(
        &self,
        happened: Happened,
        from: &Peer,
        answers: &Answers,
    ) -> impl Future<Output = ()> + Send;

    /// Takes what only a relay says; whoever takes no relays has nothing to do.
    fn relay(
        &self,
        _word: RelayWord,
        _from: &Peer,
        _answers: &Answers,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Who counts the flashes that are answered, if anybody does.
    fn tally(&self) -> Option<Arc<dyn Tally>> {
        None
    }

    /// Measures the way to the central; a central is there already.
    fn probe(&self, n: u64, answers: &Answers) {
        answers.probed(Probed::here(n));
    }

    /// A peer that was taken has gone.
    fn goodbye(&self, peer: &Peer);
}

/// Whom a server takes.
#[derive(Debug, Default)]
pub struct Admission {
    /// With one, frames are taken inside TLS only, from peers with an identity.
    pub acceptor: Option<Acceptor>,
    /// Whose plain text is taken.
    pub plain: PlainRules,
    /// How many, and how long each may take.
    pub limits: Limits,
}

/// Serves connections until told to stop; returns when the last has been brought to its end.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    admission: Admission,
    stop: CancellationToken,
) {
    let guard = Arc::new(Guard::new(admission.limits));
    let admission = Arc::new(admission);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(cause) => {
                if !is_of_one_connection(cause.kind()) {
                    error!("cannot take a connection: {cause}");
                    sleep(ACCEPT_PAUSE).await;
                }
                continue;
            }
        };
        let place = match guard.enter(address.ip()) {
            Ok(place) => place,
            Err(full) => {
                say_closed(&guard, address, &full);
                continue;
            }
        };
        let (service, admission) = (Arc::clone(&service), Arc::clone(&admission));
        let (guard, stop) = (Arc::clone(&guard), stop.clone());
        connections.spawn(async move {
            let server = Server {
                service: &*service,
                admission: &admission,
                guard: &guard,
                stop: &stop,
            };
            server.handle(stream, address, &place).await;
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Whether `accept` failed because the client had gone already.
fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

/// Says that a connection was a bad one, unless its address has had many such lines already.
fn say_closed(guard: &Guard, address: SocketAddr, why: &impl Display) {
    match guard.may_complain_of(address.ip()) {
        true => warn!("{address}: closed: {why}"),
        false => debug!("{address}: closed: {why}"),
    }
}

/// What all connections share.
struct Server<'a, S> {
    service: &'a S,
    admission: &'a Admission,
    guard: &'a Guard,
    stop: &'a CancellationToken,
}

impl<S: Service> Server<'_, S> {
    /// Serves one connection to its end, and says in one line if that was a bad one.
    async fn handle(&self, mut stream: TcpStream, address: SocketAddr, place: &Place) {
        match self.converse(&mut stream, address, place).await {
            Ok(()) => debug!("{address}: the connection has ended"),
            Err(Error::Io(cause)) => info!("{address}: connection lost: {cause}"),
            Err(cause) => {
                say_closed(self.guard, address, &cause);
                linger(&mut stream).await;
            }
        }
    }

    async fn converse(
        &self,
        stream: &mut TcpStream,
        address: SocketAddr,
        place: &Place,
    ) -> Result<(), Error> {
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE)
            .with_interval(KEEPALIVE);
        SockRef::from(&*stream).set_tcp_keepalive(&keepalive)?;

        let Admission {
            acceptor,
            plain,
            limits,
        } = self.admission;
        let greet_by = Instant::now() + limits.greet_within;
        let plain_door = plain.door_at(address.ip());
        let first = tokio::select! {
            // The replaced system's clients connect long before somebody comes to their door: where
            // plain text is accepted, silence is no fault.
            first = first_byte(stream) => first?,
            () = sleep_until(greet_by), if plain_door.is_none() => {
                return Err(Error::TimedOut("it said nothing in time"));
            }
            () = self.stop.cancelled() => return Ok(()),
        };
        // One that was allowed to be silent has all its time still before it.
        let greet_by = match plain_door {
            Some(_) => Instant::now() + limits.greet_within,
            None => greet_by,
        };
        let stranger = Stranger {
            address,
            proof: None,
            greet_by,
            place,
            limits,
        };
        match (first, acceptor, plain_door) {
            (None, ..) => Ok(()),
            (Some(0x00), None, _) => {
                let (read, write) = stream.split();
                frames::serve(read, write, stranger, self.service, self.stop).await
            }
            (Some(0x00), Some(_), _) => {
                frames::refuse(stream, refusal::NO_IDENTITY).await?;
                let why =
                    "it speaks frames without TLS, and only devices with an identity are taken";
                Err(Error::Untrusted(why.to_owned()))
            }
            // What TLS needs in memory must not be set aside for clear connections too.
            (Some(0x16), Some(acceptor), _) => {
                Box::pin(self.protected(stream, acceptor, stranger)).await
            }
            (Some(0x16), None, _) => Err(Error::Malformed(
                "it speaks TLS, and this server has no identity".to_owned(),
            )),
            (Some(_), _, Some(door)) => {
                let peer = Peer {
                    role: Role::Door,
                    name: door.clone(),
                    address,
                    identity: None,
                };
                let (read, write) = stream.split();
                plain::serve(read, write, &peer, self.service, self.stop).await
            }
            (Some(_), _, None) => {
                let why = "it speaks no frames, and plain text is not accepted from there";
                Err(Error::Malformed(why.to_owned()))
            }
        }
    }

    /// Serves frames inside TLS.
    async fn protected<'a>(
        &'a self,
        stream: &mut TcpStream,
        acceptor: &'a Acceptor,
        mut stranger: Stranger<'a>,
    ) -> Result<(), Error> {
        let (mut stream, proof) = tokio::select! {
            accepted = timeout_at(stranger.greet_by, acceptor.accept(stream)) => {
                accepted.map_err(|_| Error::TimedOut("it did not finish its TLS greeting in time"))??
            }
            () = self.stop.cancelled() => return Ok(()),
        };
        stranger.proof = Some(proof);
        let (read, write) = tokio::io::split(&mut stream);
        let ended = frames::serve(read, write, stranger, self.service, self.stop).await;
        // Without this word the peer could not tell our end from a cut cable.
        let _said = timeout(LINGER, stream.shutdown()).await;
        ended
    }
}

/// The first byte that a client sends, left in place; `None` if it closes without a word.
async fn first_byte(stream: &TcpStream) -> Result<Option<u8>, Error> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    Ok((count > 0).then_some(first[0]))
}

/// Closes our side and reads on for a moment: closing with unread bytes makes the kernel reset the
/// connection, and the peer might lose what we said last.
async fn linger(stream: &mut TcpStream) {
    let read_on = async {
        stream.shutdown().await?;
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _gone_or_slow = timeout(LINGER, read_on).await;
}

/// Lets this process have as many open files, and so connections, as the system allows it: the
/// usual limit of 1024 is kept low for programs that use `select`, and this one does not.
pub fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(cause) = raised {
        warn!("cannot raise the limit of open files: {cause}");
    }
}

/// Binds a listener, if the address may be used.
///
/// # Errors
/// [`Error::Exposed`] for an address off this machine without the user's word, [`Error::Listen`]
/// if it cannot be bound.
pub async fn bind(address: &HostPort, insecure: bool) -> Result<TcpListener, Error> {
    let cannot = |cause| Error::Listen {
        address: address.clone(),
        cause,
    };
    let addresses = address::resolve(address).await.map_err(cannot)?;
    for found in &addresses {
        address::check(found.ip(), insecure)?;
    }
    TcpListener::bind(&*addresses).await.map_err(cannot)
}
