//! The server's side of a framed connection: greeting, then requests in and answers out, each way
//! at its own pace.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::access::Reason;
use crate::wire::answers::{Answers, OwedReceiver};
use crate::wire::codec::{self, FrameReader};
use crate::wire::server::{Greeting, Peer, Service};
use crate::wire::{
    DRAIN_WITHIN, Error, GREETING_WITHIN, Hello, Message, Refused, Role, SILENT_AFTER, VERSIONS,
    WRITE_WITHIN, Welcome, refusal,
};

/// How many answers are written at once, at the most.
const WRITE_AT_ONCE: usize = 256;

/// How many requests a peer may have waiting for an answer: beyond that its connection is not read,
/// which slows it down. A relay speaks for all its doors.
fn window_of(role: Role) -> usize {
    match role {
        Role::Door => 1_024,
        Role::Relay => 65_536,
    }
}

/// Serves a framed connection until the peer closes it, breaks the protocol or falls silent, or
/// until told to stop; answers that are still owed then are given, if that takes no longer than
/// [`DRAIN_WITHIN`].
///
/// # Errors
/// Why the connection ended, if not by the peer's closing or by our stopping.
pub async fn serve<S: Service>(
    read: impl AsyncRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    address: SocketAddr,
    service: &S,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let mut reader = FrameReader::new(read);
    let peer = greet(&mut reader, &mut write, address, service).await?;
    info!("{} '{}' has connected from {address}", peer.role, peer.name);
    reader.greeting_is_over();

    let (answers, mut owed) = Answers::channel();
    let window = Window::new(window_of(peer.role));
    let ended = {
        let requests = read_requests(&mut reader, &peer, service, answers, &window, stop);
        let mut writing = pin!(write_answers(&mut write, &mut owed, &window));
        tokio::select! {
            ended = requests => {
                // What is still being decided has its own clones of the answers' sender: writing
                // ends when the last of them has answered.
                match timeout(DRAIN_WITHIN, &mut writing).await {
                    Ok(written) => ended.and(written),
                    Err(_) => ended,
                }
            }
            ended = &mut writing => ended,
        }
    };
    // An Open that was never written reached nobody.
    owed.close();
    while let Ok(lost) = owed.try_recv() {
        if let Some(event) = lost.open() {
            service.undelivered(event, None).await;
        }
    }
    service.goodbye(&peer);
    match ended {
        Ok(()) | Err(Error::Closed) => {
            info!("{} '{}' at {address} has gone", peer.role, peer.name);
            Ok(())
        }
        Err(cause) => Err(cause),
    }
}

/// Takes the peer's Hello and answers it.
async fn greet<S: Service>(
    reader: &mut FrameReader<impl AsyncRead + Unpin>,
    write: &mut (impl AsyncWrite + Unpin),
    address: SocketAddr,
    service: &S,
) -> Result<Peer, Error> {
    let first = timeout(GREETING_WITHIN, reader.next())
        .await
        .map_err(|_| Error::TimedOut("it did not say Hello within 5 s"))??;
    let Message::Hello(Hello {
        versions,
        role,
        name,
    }) = first
    else {
        return Err(Error::Malformed("a message before Hello".to_owned()));
    };
    let peer = Peer {
        role,
        name,
        address,
    };
    let Some(version) = common_version(versions) else {
        refuse(write, refusal::VERSION).await?;
        return Err(Error::VersionMismatch(versions));
    };
    if let Err(code) = service.hello(&peer).await {
        refuse(write, code).await?;
        let Peer { role, name, .. } = peer;
        return Err(Error::NotTaken { role, name, code });
    }
    let Greeting {
        name,
        installation,
        time,
    } = service.greeting();
    let welcome = Message::Welcome(Welcome {
        version,
        name,
        installation,
        time,
    });
    if let Err(cause) = send(write, &welcome).await {
        service.goodbye(&peer);
        return Err(cause);
    }
    Ok(peer)
}

/// The highest version that both sides speak.
fn common_version((low, high): (u16, u16)) -> Option<u16> {
    let version = high.min(VERSIONS.1);
    (version >= low.max(VERSIONS.0)).then_some(version)
}

async fn refuse(write: &mut (impl AsyncWrite + Unpin), code: &str) -> Result<(), Error> {
    send(
        write,
        &Message::Refused(Refused {
            reason: code.to_owned(),
        }),
    )
    .await
}

async fn send(write: &mut (impl AsyncWrite + Unpin), message: &Message) -> Result<(), Error> {
    let mut bytes = BytesMut::new();
    codec::encode(message, &mut bytes)?;
    write_within(write, &bytes).await
}

async fn write_within(write: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Error> {
    let written = timeout(WRITE_WITHIN, write.write_all(bytes)).await;
    Ok(written.map_err(|_| Error::TimedOut("it takes nothing that is written to it"))??)
}

/// Reads requests and passes them on, until the peer closes or we are to stop.
async fn read_requests<S: Service>(
    reader: &mut FrameReader<impl AsyncRead + Unpin>,
    peer: &Peer,
    service: &S,
    answers: Answers,
    window: &Window,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let mut stopped = pin!(stop.cancelled());
    loop {
        let next = async {
            window.wait_for_room().await;
            timeout(SILENT_AFTER, reader.next())
                .await
                .map_err(|_| Error::TimedOut("nothing came from it for 30 s"))?
        };
        let message = tokio::select! {
            message = next => message?,
            () = &mut stopped => return Ok(()),
        };
        match message {
            Message::Flash(flash) => {
                window.take();
                if peer.role == Role::Door && flash.door != peer.name {
                    warn!(
                        "door '{}' flashes in the name of '{}'",
                        peer.name, flash.door
                    );
                    answers.refuse(flash.seq, flash.event, Reason::UnknownDoor);
                } else {
                    service.flash(flash, peer, &answers).await;
                }
            }
            Message::Undelivered(lost) => {
                window.take();
                service.undelivered(lost.event, Some(&answers)).await;
            }
            Message::Ping(echo) => {
                window.take();
                answers.pong(echo.n);
            }
            Message::Pong(_) => (),
            Message::Door(door) if peer.role == Role::Relay => {
                service.door(door.name, &answers).await;
            }
            Message::Hello(_)
            | Message::Welcome(_)
            | Message::Refused(_)
            | Message::Door(_)
            | Message::Verdict(_)
            | Message::Noted(_) => {
                return Err(Error::Malformed(format!(
                    "a message that no {} sends",
                    peer.role
                )));
            }
        }
    }
}

/// Writes answers as they come, all that gathered meanwhile at once, until the last that could
/// come has come.
async fn write_answers(
    write: &mut (impl AsyncWrite + Unpin),
    owed: &mut OwedReceiver,
    window: &Window,
) -> Result<(), Error> {
    let mut batch = Vec::new();
    let mut bytes = BytesMut::new();
    loop {
        let count = owed.recv_many(&mut batch, WRITE_AT_ONCE).await;
        if count == 0 {
            return Ok(());
        }
        for answer in batch.drain(..) {
            codec::encode(&answer.into_message()?, &mut bytes)?;
        }
        write_within(write, &bytes).await?;
        bytes.clear();
        window.give_back(count);
    }
}

/// Counts the requests of a connection that are not answered yet.
struct Window {
    limit: usize,
    taken: AtomicUsize,
    given_back: Notify,
}

impl Window {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
            given_back: Notify::new(),
        }
    }

    async fn wait_for_room(&self) {
        while self.taken.load(Ordering::Relaxed) >= self.limit {
            self.given_back.notified().await;
        }
    }

    fn take(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    fn give_back(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::Relaxed);
        self.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests;
