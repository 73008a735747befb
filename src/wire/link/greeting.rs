//! Making one connection: reaching the upstream, showing our identity, saying Hello.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::wire::codec::{self, FrameReader};
use crate::wire::link::Options;
use crate::wire::link::reach::NO_ANSWER;
use crate::wire::{Error, Hello, Message, VERSIONS, Welcome, refusal, tls};

/// A connection whose upstream has said Welcome.
pub(super) struct Connection<R, W> {
    pub(super) reader: FrameReader<R>,
    pub(super) writer: W,
    pub(super) welcome: Welcome,
}

/// One without, and one with an identity.
pub(super) enum Connected {
    Clear(Connection<OwnedReadHalf, OwnedWriteHalf>),
    Protected(Box<Connection<ReadHalf<Protected>, WriteHalf<Protected>>>),
}

impl Connected {
    /// What the upstream has said of itself.
    pub(super) fn welcome(&self) -> &Welcome {
        match self {
            Connected::Clear(connection) => &connection.welcome,
            Connected::Protected(connection) => &connection.welcome,
        }
    }
}

pub(super) type Protected = TlsStream<TcpStream>;

/// Connects, shows our identity if we have one, and greets. Each answer may take that long: one that
/// has many doors to take after a restart is slow, but not dead.
pub(super) async fn open(
    address: SocketAddr,
    options: &Options,
    patience: Duration,
) -> Result<Connected, Error> {
    let stream = answer(patience, async { Ok(TcpStream::connect(address).await?) }).await?;
    // A flash is one small write: it must not wait for more to come.
    stream.set_nodelay(true)?;
    let Some(identity) = &options.identity else {
        let (read, write) = stream.into_split();
        let connection = answer(patience, greet(read, write, options)).await?;
        return Ok(Connected::Clear(connection));
    };
    let stream = answer(patience, identity.connector.connect(stream)).await?;
    let (read, write) = tokio::io::split(stream);
    // Whether the server takes our identity shows only when it answers.
    let greeted = answer(patience, greet(read, write, options)).await;
    let connection = greeted.map_err(tls::explain)?;
    Ok(Connected::Protected(Box::new(connection)))
}

/// What the upstream answers, if it does within that time.
async fn answer<T>(
    within: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let answered = timeout(within, answer).await;
    answered.unwrap_or(Err(Error::TimedOut(NO_ANSWER)))
}

/// Says Hello and waits for the answer.
async fn greet<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    read: R,
    mut writer: W,
    options: &Options,
) -> Result<Connection<R, W>, Error> {
    let hello = Hello {
        versions: VERSIONS,
        role: options.role,
        name: options.name.clone(),
    };
    let mut bytes = BytesMut::new();
    codec::encode(&Message::Hello(hello), &mut bytes)?;
    writer.write_all(&bytes).await?;
    writer.flush().await?;
    let mut reader = FrameReader::new(read);
    match reader.next().await? {
        Message::Welcome(welcome) if (VERSIONS.0..=VERSIONS.1).contains(&welcome.version) => {
            reader.greeting_is_over();
            Ok(Connection {
                reader,
                writer,
                welcome,
            })
        }
        Message::Welcome(welcome) => Err(other_versions((welcome.version, welcome.version))),
        Message::Refused(refused) => Err(match refused.versions {
            Some(theirs) if refused.reason == refusal::VERSION => other_versions(theirs),
            _ => Error::Refused(refused.reason),
        }),
        _ => Err(Error::Malformed(
            "it answered our Hello with something else".to_owned(),
        )),
    }
}

/// The upstream speaks none of our versions.
fn other_versions(theirs: (u16, u16)) -> Error {
    let who = "it".to_owned();
    Error::VersionMismatch { who, theirs }
}
