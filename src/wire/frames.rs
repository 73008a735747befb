//! The server's side of a framed connection: greeting, then requests in and answers out, each way
//! at its own pace.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::consume_budget;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::wire::answers::{Answers, OwedReceiver};
use crate::wire::codec::{self, FrameReader};
use crate::wire::guard::{Limits, Place};
use crate::wire::present::Here;
use crate::wire::server::{Greeting, Peer, Service};
use crate::wire::spool::RelayWord;
use crate::wire::timer::Timer;
use crate::wire::tls::Proof;
use crate::wire::{
    DRAIN_WITHIN, Error, Flash, Happened, Hello, Message, PASSED_OVER, Refused, Role, VERSIONS,
    WRITE_WITHIN, Welcome, refusal,
};

mod outgoing;
mod window;

use outgoing::Outgoing;
use window::{Window, window_of};

/// Why a connection ends whose peer does not read.
const TAKES_NOTHING: &str = "it takes nothing that is written to it";
/// What to do about two devices of one name.
const TWINS: &str = "give one of the two another name, and an identity of its own";
/// How many answers are written at once, at the most.
const WRITE_AT_ONCE: usize = 256;

/// A client that has said nothing yet.
#[derive(Debug)]
pub struct Stranger<'a> {
    /// Where it is.
    pub address: SocketAddr,
    /// What its certificate proves, if it has shown one.
    pub proof: Option<Proof<'a>>,
    /// Until when it has to say Hello.
    pub greet_by: Instant,
    /// Its place among the connections.
    pub(super) place: &'a Place,
    /// The limits that are kept.
    pub limits: &'a Limits,
}

/// Serves a framed connection until the peer closes it, breaks the protocol or falls silent, or
/// until told to stop; only then answers that are still owed are waited for, and no longer than
/// [`DRAIN_WITHIN`]. A peer that has proved something says Hello as whom it has proved to be.
///
/// # Errors
/// Why the connection ended, if not by the peer's closing or by our stopping.
pub async fn serve<S: Service>(
    read: impl AsyncRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    stranger: Stranger<'_>,
    service: &S,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let mut reader = FrameReader::new(read);
    let Stranger {
        address,
        place,
        limits,
        ..
    } = stranger;
    let peer = tokio::select! {
        peer = greet(&mut reader, &mut write, stranger, service) => peer?,
        () = stop.cancelled() => return Ok(()),
    };
    info!("{peer} has connected from {address}");
    reader.greeting_is_over();
    let here = place.taken_by(&peer);

    let (answers, mut owed) = Answers::counted(service.tally());
    service.welcomed(&peer, &answers);
    let window = Window::new(window_of(peer.role, limits));
    let mut outgoing = Outgoing::default();
    let mut hears_us = true;
    let ended = {
        let requests = read_requests(
            &mut reader,
            &peer,
            service,
            answers,
            &window,
            &here,
            (limits.silent_after, stop),
        );
        let mut writing = pin!(write_answers(&mut write, &mut owed, &mut outgoing, &window));
        tokio::select! {
            // What is still being decided has its own clones of the answers' sender: writing ends
            // when the last of them has answered.
            ended = requests => match ended {
                Ok(()) => timeout(DRAIN_WITHIN, &mut writing).await.unwrap_or(Ok(())),
                gone => gone,
            },
            ended = &mut writing => {
                hears_us = false;
                ended
            }
            code = service.dismissed(&peer), if service.may_dismiss(&peer) => {
                Err(not_taken(&peer, code))
            }
        }
    };
    // An Open that was not written reached nobody.
    for event in owed.close().into_iter().chain(outgoing.unsent()) {
        service.undelivered(event, None).await;
    }
    if !hears_us {
        read_reports(&mut reader, service).await;
    }
    service.goodbye(&peer);
    if let Err(Error::NotTaken { code, .. }) = &ended {
        // It may not hear it, but it has heard the last of us anyway.
        let _heard = refuse(&mut write, code).await;
    }
    match ended {
        Ok(()) | Err(Error::Closed) => {
            info!("{peer} at {address} has gone");
            Ok(())
        }
        Err(cause) => Err(cause),
    }
}

/// Takes the peer's Hello and answers it.
async fn greet<S: Service>(
    reader: &mut FrameReader<impl AsyncRead + Unpin>,
    write: &mut (impl AsyncWrite + Unpin),
    stranger: Stranger<'_>,
    service: &S,
) -> Result<Peer, Error> {
    let Stranger {
        address,
        proof,
        greet_by,
        ..
    } = stranger;
    let first = timeout_at(greet_by, reader.next())
        .await
        .map_err(|_| Error::TimedOut("it did not say Hello in time"))??;
    let Message::Hello(Hello {
        versions,
        role,
        name,
    }) = first
    else {
        return Err(Error::Malformed("a message before Hello".to_owned()));
    };
    let Some(version) = common_version(versions) else {
        refuse(write, refusal::VERSION).await?;
        return Err(Error::VersionMismatch {
            who: format!("{role} '{name}'"),
            theirs: versions,
        });
    };
    let proved = match &proof {
        Some(proof) => proof.check(role, &name),
        None => Ok(()),
    };
    let peer = Peer {
        role,
        name,
        address,
        identity: proof.map(|proof| proof.fingerprint()),
    };
    let taken = match proved {
        Ok(()) => service.hello(&peer).await,
        refused => refused,
    };
    if let Err(code) = taken {
        refuse(write, code).await?;
        return Err(not_taken(&peer, code));
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

fn not_taken(peer: &Peer, code: &'static str) -> Error {
    Error::NotTaken {
        role: peer.role,
        name: peer.name.clone(),
        code,
    }
}

/// Tells a client why it is not taken.
///
/// # Errors
/// If it does not hear it.
pub(super) async fn refuse(write: &mut (impl AsyncWrite + Unpin), code: &str) -> Result<(), Error> {
    send(write, &Message::Refused(Refused::with(code))).await
}

async fn send(write: &mut (impl AsyncWrite + Unpin), message: &Message) -> Result<(), Error> {
    let mut bytes = BytesMut::new();
    codec::encode(message, &mut bytes)?;
    let written = async {
        write.write_all(&bytes).await?;
        write.flush().await
    };
    let written = timeout(WRITE_WITHIN, written).await;
    Ok(written.map_err(|_| Error::TimedOut(TAKES_NOTHING))??)
}

/// Reads requests and passes them on, until told to stop.
async fn read_requests<S: Service>(
    reader: &mut FrameReader<impl AsyncRead + Unpin>,
    peer: &Peer,
    service: &S,
    answers: Answers,
    window: &Window,
    here: &Here,
    (silent_after, stop): (Duration, &CancellationToken),
) -> Result<(), Error> {
    let mut stopped = pin!(stop.cancelled());
    let mut timer = Timer::default();
    let mut is_newer = false;
    loop {
        // However much this peer has to say, others get their turn.
        consume_budget().await;
        let next = async {
            window.wait_for_room(&answers).await;
            timer
                .within(silent_after, reader.next())
                .await
                .ok_or(Error::TimedOut("nothing came from it for too long"))?
        };
        let message = tokio::select! {
            message = next => message?,
            () = &mut stopped => return Ok(()),
        };
        if let Some(twin) = here.has_a_twin() {
            warn!(
                "{peer} is connected twice, from {} and from {twin}: {TWINS}",
                peer.address
            );
        }
        match message {
            Message::Flash(Flash { door, .. }) | Message::Happened(Happened { door, .. })
                if peer.role == Role::Door && door != peer.name =>
            {
                let why = format!("door '{}' speaks in the name of '{door}'", peer.name);
                return Err(Error::Malformed(why));
            }
            Message::Flash(flash) => {
                window.take(1);
                let timed = answers.from_now(&flash.door);
                service
                    .flash(flash, peer, timed.as_ref().unwrap_or(&answers))
                    .await;
            }
            Message::Happened(happened) => service.happened(happened, peer, &answers).await,
            Message::Undelivered(lost) => service.undelivered(lost.event, Some(&answers)).await,
            Message::Door(door) if peer.role == Role::Relay => {
                service.door(door, peer, &answers).await;
            }
            Message::Gone(gone) if peer.role == Role::Relay => service.door_gone(&gone.name, peer),
            Message::Spool(spool) if peer.role == Role::Relay => {
                service.relay(RelayWord::Spool(spool), peer, &answers).await;
            }
            Message::Entries(entries) if peer.role == Role::Relay => {
                window.take(entries.places());
                service
                    .relay(RelayWord::Entries(entries), peer, &answers)
                    .await;
            }
            Message::Roster(roster) if peer.role == Role::Relay => {
                service
                    .relay(RelayWord::Roster(roster), peer, &answers)
                    .await;
            }
            Message::Taken(taken) if peer.role == Role::Relay => {
                service.relay(RelayWord::Taken(taken), peer, &answers).await;
            }
            // There is no answer to it, which would give a place in the window back.
            Message::Delays(delays) if peer.role == Role::Relay => {
                service
                    .relay(RelayWord::Delays(delays), peer, &answers)
                    .await;
            }
            Message::Ping(echo) => answers.pong(echo.n),
            Message::Probe(echo) => service.probe(echo.n, &answers),
            Message::Pong(_) => (),
            Message::Unknown(_) if is_newer => (),
            Message::Unknown(name) => {
                is_newer = true;
                info!("{peer} is newer: '{name}', {PASSED_OVER}");
            }
            Message::Hello(_)
            | Message::Welcome(_)
            | Message::Refused(_)
            | Message::Door(_)
            | Message::Gone(_)
            | Message::Roll(_)
            | Message::Verdict(_)
            | Message::Probed(_)
            | Message::Noted(_)
            | Message::Spool(_)
            | Message::Resume(_)
            | Message::Entries(_)
            | Message::Stored(_)
            | Message::Roster(_)
            | Message::Badges(_)
            | Message::Taken(_)
            | Message::Delays(_)
            | Message::Current(_) => {
                return Err(Error::Malformed(format!(
                    "a message that no {} sends",
                    peer.role
                )));
            }
        }
    }
}

/// Reads on, for a moment, what a peer that hears us no more has still said of undelivered events.
async fn read_reports<S: Service>(reader: &mut FrameReader<impl AsyncRead + Unpin>, service: &S) {
    let reports = async {
        while let Ok(message) = reader.next().await {
            consume_budget().await;
            if let Message::Undelivered(lost) = message {
                service.undelivered(lost.event, None).await;
            }
        }
    };
    let _in_time = timeout(DRAIN_WITHIN, reports).await;
}

/// Writes answers as they come, all that gathered meanwhile at once, until the last that could
/// come has come.
async fn write_answers(
    write: &mut (impl AsyncWrite + Unpin),
    owed: &mut OwedReceiver,
    outgoing: &mut Outgoing,
    window: &Window,
) -> Result<(), Error> {
    let mut batch = Vec::new();
    loop {
        let count = owed.next_batch(&mut batch, WRITE_AT_ONCE).await;
        if count == 0 {
            return Ok(());
        }
        let mut answered = 0;
        let mut hung_up = Ok(());
        for answer in batch.drain(..) {
            answered += answer.weight();
            let open = answer.open();
            match answer.into_message() {
                Ok(message) => outgoing.add(&message, open)?,
                Err(cause) => hung_up = Err(cause),
            }
        }
        outgoing.write(write).await?;
        hung_up?;
        owed.written(count);
        window.give_back(answered);
    }
}

#[cfg(test)]
mod tests;
