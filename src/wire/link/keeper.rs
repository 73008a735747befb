//! Keeping a link's connection: making it, serving it, telling people how it stands, and making it
//! anew.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::consume_budget;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::backoff::Backoff;
use crate::wire::codec::FrameReader;
use crate::wire::link::greeting::{Connected, Connection};
use crate::wire::link::reach::{NO_ANSWER, Reached, Unreached};
use crate::wire::link::ways::Ways;
use crate::wire::link::{CLOCK_TOLERANCE_MS, Link, Options, Phase, Status};
use crate::wire::timer::Timer;
use crate::wire::{
    Echo, Error, Message, PASSED_OVER, PING_AFTER, SILENT_AFTER, WRITE_WITHIN, Welcome,
};

/// A connection that held this long was a good one: the next retry is at once again.
const LASTING: Duration = Duration::from_secs(1);
/// The wait after an answer that only a person can change (wrong version, wrong installation): no
/// hurry, but once that is done, no door should have to wait for longer.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// How long a stop waits for the upstream to note what became of the flashes it still has.
const FAREWELL_WITHIN: Duration = Duration::from_millis(600);

/// How a connection ended.
enum End {
    /// It is lost.
    Lost(Error),
    /// A better one takes its place.
    Moved(Reached),
}

impl Link {
    /// Keeps the connection until told to stop; then writes what there still is to write, and ends.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut ways = Ways::new(self.shared.options.addresses.len());
        while !stop.is_cancelled() {
            let ended = match self.connect(&ways.order(), &stop).await {
                Ok(reached) => {
                    let began = Instant::now();
                    let ended = self.serve(reached, &mut ways, &stop).await;
                    if began.elapsed() >= LASTING {
                        backoff.reset();
                    }
                    ways.lost(Instant::now());
                    ended
                }
                Err(unreached) => unreached,
            };
            if stop.is_cancelled() {
                break;
            }
            self.down(&ended);
            let wait = match ended.cause.is_retryable() {
                true => backoff.next_wait(),
                false => AFTER_REFUSAL,
            };
            tokio::select! {
                () = sleep(wait) => (),
                () = stop.cancelled() => (),
            }
        }
        self.state().down();
    }

    /// Makes a connection and takes the upstream's Welcome.
    async fn connect(
        &self,
        order: &[usize],
        stop: &CancellationToken,
    ) -> Result<Reached, Unreached> {
        let ended = |cause| Unreached { way: 0, cause };
        tokio::select! {
            reached = self.reach(order) => reached,
            // A flash that waits for the first connection has its deadline too.
            Err(cause) = self.watch_deadlines() => Err(ended(cause)),
            () = stop.cancelled() => Err(ended(Error::Closed)),
        }
    }

    /// Serves a connection, and each that takes its place, until one is lost; returns why.
    async fn serve(
        &self,
        mut reached: Reached,
        ways: &mut Ways,
        stop: &CancellationToken,
    ) -> Unreached {
        let mut back = false;
        loop {
            let way = reached.way;
            ways.welcomed(way, back, Instant::now());
            self.up(way, reached.connected.welcome());
            let ended = match reached.connected {
                Connected::Clear(connection) => self.converse(connection, ways, stop).await,
                // A clear connection does without the room that this needs.
                Connected::Protected(connection) => {
                    Box::pin(self.converse(*connection, ways, stop)).await
                }
            };
            match ended {
                End::Lost(cause) => return Unreached { way, cause },
                End::Moved(better) => reached = better,
            }
            back = true;
        }
    }

    /// Serves a connection until it ends; returns why it did.
    async fn converse(
        &self,
        connection: Connection<impl AsyncRead + Unpin, impl AsyncWrite + Unpin>,
        ways: &Ways,
        stop: &CancellationToken,
    ) -> End {
        let Connection { reader, writer, .. } = connection;
        let ended = tokio::select! {
            ended = self.read(reader) => ended,
            ended = self.write(writer, stop) => ended,
            ended = self.watch_deadlines() => ended,
            // Most have one address, and need no room for this.
            better = Box::pin(self.better(ways)) => return End::Moved(better),
        };
        match ended {
            Err(cause) => End::Lost(cause),
            Ok(never) => match never {},
        }
    }

    /// Handles what the upstream says.
    async fn read(
        &self,
        mut reader: FrameReader<impl AsyncRead + Unpin>,
    ) -> Result<Infallible, Error> {
        let mut roll = HashSet::new();
        let mut timer = Timer::default();
        let mut is_newer = false;
        loop {
            consume_budget().await;
            let message = timer
                .within(SILENT_AFTER, reader.next())
                .await
                .ok_or(Error::TimedOut("nothing came from it for 30 s"))??;
            match message {
                Message::Verdict(answer) => {
                    let mut state = self.state();
                    state.answered(answer, Instant::now());
                    // A late Open has to be reported.
                    let more_to_write = !state.out.is_empty();
                    drop(state);
                    if more_to_write {
                        self.shared.to_write.notify_one();
                    }
                }
                Message::Noted(noted) => {
                    self.state().noted(noted.event, Instant::now());
                    // There is room for more; or we are about to end, when the writer waits for
                    // the last of them.
                    self.shared.to_write.notify_one();
                }
                Message::Ping(echo) => self.send(&Message::Pong(echo)),
                Message::Pong(_) => (),
                Message::Unknown(_) if is_newer => (),
                Message::Unknown(name) => {
                    is_newer = true;
                    let upstream = self.shared.options.upstream;
                    info!("the {upstream} is newer: '{name}', {PASSED_OVER}");
                }
                Message::Roll(part) => {
                    roll.extend(part.identities);
                    if !part.more {
                        let whole = std::mem::take(&mut roll);
                        self.shared.roll.send_replace(Some(whole));
                    }
                }
                Message::Refused(refused) => return Err(Error::Refused(refused.reason)),
                message @ (Message::Resume(_)
                | Message::Stored(_)
                | Message::Badges(_)
                | Message::Current(_)) => {
                    if !self.state().tell_aid(message) {
                        return Err(Error::Malformed(
                            "a message that nobody asked for".to_owned(),
                        ));
                    }
                }
                Message::Probed(probed) => self.state().probes.ended(&probed, Instant::now()),
                Message::Hello(_)
                | Message::Welcome(_)
                | Message::Door(_)
                | Message::Gone(_)
                | Message::Flash(_)
                | Message::Probe(_)
                | Message::Happened(_)
                | Message::Undelivered(_)
                | Message::Spool(_)
                | Message::Entries(_)
                | Message::Roster(_)
                | Message::Taken(_)
                | Message::Delays(_) => {
                    return Err(Error::Malformed(
                        "a message that only a client sends".to_owned(),
                    ));
                }
            }
        }
    }

    /// Writes what there is to write, everything that gathered meanwhile at once; pings when there
    /// was nothing for a while. Told to stop, it ends when the upstream has noted what happened,
    /// and what became of the flashes that it still has.
    async fn write(
        &self,
        mut writer: impl AsyncWrite + Unpin,
        stop: &CancellationToken,
    ) -> Result<Infallible, Error> {
        let mut leave_by = None;
        let mut timer = Timer::default();
        loop {
            if leave_by.is_none() && stop.is_cancelled() {
                leave_by = Some(Instant::now() + FAREWELL_WITHIN);
                self.state().leave();
            }
            let bytes = {
                let mut state = self.state();
                state.send_door_events(Instant::now());
                state.next_bytes()
            };
            if !bytes.is_empty() {
                let written = async {
                    writer.write_all(&bytes).await?;
                    writer.flush().await
                };
                timer
                    .within(WRITE_WITHIN, written)
                    .await
                    .ok_or(Error::TimedOut("it takes nothing that is written to it"))??;
                continue;
            }
            let Some(leave_by) = leave_by else {
                let woken = async {
                    tokio::select! {
                        () = self.shared.to_write.notified() => (),
                        () = stop.cancelled() => (),
                    }
                };
                if timer.within(PING_AFTER, woken).await.is_none() {
                    self.send(&Message::Ping(Echo { n: 0 }));
                }
                continue;
            };
            if self.state().has_reported_all() {
                return Err(Error::Closed);
            }
            timeout_at(leave_by, self.shared.to_write.notified())
                .await
                .map_err(|_| Error::TimedOut("it does not note what was undelivered"))?;
        }
    }

    /// Refuses flashes whose time is over; ends when the upstream has missed a deadline.
    async fn watch_deadlines(&self) -> Result<Infallible, Error> {
        loop {
            let due = self.state().arm_timer();
            let earlier = self.shared.due_earlier.notified();
            match due {
                Some(due) => tokio::select! {
                    () = sleep_until(due) => (),
                    () = earlier => continue,
                },
                None => earlier.await,
            }
            if self.state().expire(Instant::now()) {
                return Err(Error::TimedOut(NO_ANSWER));
            }
        }
    }

    fn send(&self, message: &Message) {
        self.state().send(message);
        self.shared.to_write.notify_one();
    }

    /// The upstream has answered, by that address.
    fn up(&self, way: usize, welcome: &Welcome) {
        let Options {
            upstream, clock, ..
        } = &self.shared.options;
        let mut state = self.state();
        if state.installation.is_none() {
            state.installation = welcome.installation;
        }
        state.up(welcome.time);
        drop(state);
        let (name, address) = (&welcome.name, self.address(way));
        match way {
            0 => info!("connected to the {upstream} '{name}' at {address}"),
            _ => info!(
                "connected to the {upstream} '{name}' at {address}, until {} has answered for long \
                 enough",
                self.address(0)
            ),
        }
        let ahead = clock.now().timestamp_millis().saturating_sub(welcome.time);
        if ahead.unsigned_abs() > CLOCK_TOLERANCE_MS {
            let direction = if ahead > 0 { "ahead of" } else { "behind" };
            let seconds = ahead.unsigned_abs() / 1000;
            warn!("this machine's clock is {seconds} s {direction} the {upstream}'s");
        }
        self.shared.status.send_replace(Status {
            phase: Phase::Up,
            why: String::new(),
        });
    }

    /// The upstream is lost, or could not be reached; said once, not at each retry.
    fn down(&self, Unreached { way, cause }: &Unreached) {
        let Options {
            upstream,
            addresses,
            ..
        } = &self.shared.options;
        let meanwhile = {
            let mut state = self.state();
            state.down();
            state.meanwhile()
        };
        let address = self.address(*way);
        let why = match cause.advice() {
            Some(advice) => format!("{cause}; {advice}"),
            None => cause.to_string(),
        };
        let verb = if cause.is_retryable() { "reach" } else { "use" };
        let said = match addresses.len() {
            1 => format!("cannot {verb} the {upstream} at {address}: {why}"),
            _ => format!("cannot {verb} the {upstream} at {addresses}; {address}: {why}"),
        };
        let status = Status {
            phase: Phase::Down,
            why: said.clone(),
        };
        let before = self.shared.status.send_replace(status);
        match before.phase {
            Phase::Down if before.why == said => debug!("still: {said}"),
            Phase::Up => {
                // That it is lost is not a matter for advice, unless only a person can mend it.
                let why = if cause.is_retryable() {
                    cause.to_string()
                } else {
                    why
                };
                warn!("lost the {upstream} at {address}: {why}; {meanwhile}")
            }
            _ if cause.is_retryable() => warn!("{said}"),
            _ => error!("{said}"),
        }
    }
}
