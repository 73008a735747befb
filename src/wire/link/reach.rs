//! Making a connection by whichever of the upstream's addresses works, and finding out when a
//! better one does again.

use std::future::pending;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use crate::wire::address::{self, HostPort};
use crate::wire::link::Link;
use crate::wire::link::greeting::{Connected, open};
use crate::wire::link::ways::Ways;
use crate::wire::{Error, GREETING_WITHIN};

/// Why an upstream counts as down that says nothing in time.
pub(super) const NO_ANSWER: &str = "no answer within the deadline";
/// How long an address may be silent before the next is tried beside it.
const BESIDE_AFTER: Duration = Duration::from_millis(250);
/// How often it is looked whether a better address answers again, and how long it may take to.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long to wait for a moment in which nobody waits for an answer.
const LULL_WITHIN: Duration = Duration::from_secs(5);

/// A connection whose upstream has said Welcome, and by which of its addresses.
pub(super) struct Reached {
    pub(super) way: usize,
    pub(super) connected: Connected,
}

/// Why none could be made, and by which address not.
pub(super) struct Unreached {
    pub(super) way: usize,
    pub(super) cause: Error,
}

impl Link {
    /// Tries the upstream's addresses in that order, each beside those that are silent, until one
    /// of them welcomes us.
    pub(super) async fn reach(&self, order: &[usize]) -> Result<Reached, Unreached> {
        let mut attempts = JoinSet::new();
        let mut left = order.iter().copied();
        let mut failure: Option<Unreached> = None;
        loop {
            let next = left.next();
            if let Some(way) = next {
                let link = self.clone();
                attempts.spawn(async move { (way, link.attempt(way).await) });
            }
            tokio::select! {
                Some(ended) = attempts.join_next() => match ended {
                    Ok((way, Ok(connected))) => {
                        self.say_unusable(failure.as_ref());
                        return Ok(Reached { way, connected });
                    }
                    Ok((way, Err(cause))) => {
                        // What only a person can mend is what that person should read.
                        if failure.as_ref().is_none_or(|first| {
                            first.cause.is_retryable() && !cause.is_retryable()
                        }) {
                            failure = Some(Unreached { way, cause });
                        }
                    }
                    Err(_aborted) => (),
                },
                () = sleep(BESIDE_AFTER), if next.is_some() => (),
                else => {
                    let none = || Unreached { way: 0, cause: Error::Closed };
                    return Err(failure.unwrap_or_else(none));
                }
            }
        }
    }

    /// Says of another address than the one that works what only a person can mend.
    fn say_unusable(&self, failure: Option<&Unreached>) {
        if let Some(Unreached { way, cause }) = failure.filter(|f| !f.cause.is_retryable()) {
            let (upstream, address) = (self.shared.options.upstream, self.address(*way));
            warn!("cannot use the {upstream} at {address}: {cause}");
        }
    }

    /// Makes a connection to one of the addresses, by each of the host's own in turn.
    async fn attempt(&self, way: usize) -> Result<Connected, Error> {
        let options = &self.shared.options;
        // Dead means no answer within the deadline, not only a closed socket.
        let patience = options.patience.deadline.min(GREETING_WITHIN);
        let began = Instant::now();
        let addresses = timeout(patience, address::resolve(self.address(way)))
            .await
            .map_err(|_| Error::TimedOut("its name is not resolved within the deadline"))??;
        let each = patience.saturating_sub(began.elapsed())
            / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let mut failure = Error::Closed;
        for address in addresses {
            options.check(address.ip())?;
            // One that takes no packets must not use up the time of the others.
            match open(address, options, each).await {
                Ok(connected) => {
                    self.check_installation(&connected)?;
                    return Ok(connected);
                }
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    fn check_installation(&self, connected: &Connected) -> Result<(), Error> {
        match (self.installation(), connected.welcome().installation) {
            (Some(ours), Some(found)) if ours != found => {
                Err(Error::OtherInstallation { ours, found })
            }
            _ => Ok(()),
        }
    }

    /// Waits until a better address than the one in use has answered for long enough, and nobody
    /// waits for an answer over that one.
    pub(super) async fn better(&self, ways: &Ways) -> Reached {
        let mut answers_since = vec![None; ways.better()];
        if answers_since.is_empty() {
            return pending().await;
        }
        loop {
            sleep(LOOK_EVERY).await;
            for (way, since) in answers_since.iter_mut().enumerate() {
                if !self.is_there(way).await {
                    *since = None;
                } else if since.get_or_insert_with(Instant::now).elapsed() >= ways.hold() {
                    // A socket that takes connections says little; what counts is a Welcome.
                    *since = None;
                    if let Ok(connected) = self.attempt(way).await
                        && timeout(LULL_WITHIN, self.lull()).await.is_ok()
                    {
                        return Reached { way, connected };
                    }
                }
            }
        }
    }

    /// Whether anything takes connections there.
    async fn is_there(&self, way: usize) -> bool {
        let look = async {
            for address in address::resolve(self.address(way)).await? {
                if self.shared.options.check(address.ip()).is_ok() {
                    TcpStream::connect(address).await?;
                    return Ok(());
                }
            }
            Err(std::io::Error::from(std::io::ErrorKind::NotFound))
        };
        matches!(timeout(LOOK_EVERY, look).await, Ok(Ok(())))
    }

    /// Waits for a moment in which nobody waits for an answer.
    async fn lull(&self) {
        while !self.state().is_idle() {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// One of the upstream's addresses.
    pub(super) fn address(&self, way: usize) -> &HostPort {
        self.shared.options.addresses.get(way)
    }
}
