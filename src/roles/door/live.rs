//! How a running door stands, for `door --check` in another process: told over a local socket
//! whose name has no place in the file system, so that none is left behind. Whoever is on this
//! machine may ask; nothing in it is secret.

use std::collections::BTreeMap;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a door may take to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// More than a door has to say, in bytes.
const MAX_ANSWER: u64 = 16 * 1024;

/// How a door stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Live {
    /// The door's name.
    pub(super) door: String,
    /// Whether the lock was told to unlock.
    pub(super) unlocked: bool,
    /// Whether each sensor is active, by its name; `None` for one that is lost.
    pub(super) sensors: BTreeMap<String, Option<bool>>,
    /// Whether the relay can be asked.
    pub(super) relay: bool,
}

fn name(process: u32) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("twinkle-door-{process}"))
}

/// Tells whoever asks, for as long as this runs. That it cannot be told is no reason for a door not
/// to work.
pub(super) async fn tell(live: watch::Receiver<Live>) -> io::Result<()> {
    let listener = UnixListener::bind_addr(&name(std::process::id())?)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    loop {
        let (mut asker, _) = listener.accept().await?;
        let answer = serde_json::to_vec(&*live.borrow())?;
        // Small enough for the socket's own buffer: nobody can hold us up by not reading.
        let _gone = timeout(ANSWERED_WITHIN, asker.write_all(&answer)).await;
    }
}

/// How the door stands that runs as that process.
///
/// # Errors
/// If it does not answer.
pub(super) async fn ask(process: u32) -> io::Result<Live> {
    let stream = UnixStream::connect_addr(&name(process)?)?;
    stream.set_nonblocking(true)?;
    let stream = tokio::net::UnixStream::from_std(stream)?;
    let mut answer = Vec::new();
    timeout(
        ANSWERED_WITHIN,
        stream.take(MAX_ANSWER).read_to_end(&mut answer),
    )
    .await??;
    Ok(serde_json::from_slice(&answer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_is_told_how_the_door_stands() {
        let (set, live) = watch::channel(Live::default());
        let telling = tokio::spawn(tell(live));
        set.send_modify(|live| {
            live.door = "lab".to_owned();
            live.sensors.insert("contact".to_owned(), None);
        });
        let ours = std::process::id();
        let answer = loop {
            // It may not listen yet.
            if let Ok(answer) = ask(ours).await {
                break answer;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(answer, *set.borrow());
        telling.abort();
        let _aborted = telling.await;
        assert!(ask(ours).await.is_err());
    }
}
