//! Clients that speak to a server byte by byte, so that they can also speak wrongly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use twinkle::domain::door_event::Kind;
use twinkle::domain::ids::{EventId, TwinkletId};
use twinkle::wire::{Echo, Event, Flash, Happened, Hello, Message, Role, Welcome, codec};

use super::SOON;
use super::tls::TlsStream;

/// A framed connection.
pub struct Client<S = TcpStream> {
    pub stream: S,
    name: String,
    last_seq: u64,
}

/// What a client makes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub seq: u64,
    pub verdict: &'static str,
    pub name: Option<String>,
}

impl Client {
    /// Connects, and says nothing yet.
    pub fn connect(to: SocketAddr) -> Self {
        Self::over(TcpStream::connect(to).unwrap())
    }

    /// Connects as whoever says Hello in its own words.
    pub fn named(to: SocketAddr, name: &str) -> Self {
        let mut client = Self::connect(to);
        name.clone_into(&mut client.name);
        client
    }

    /// Speaks over a connection that is there already.
    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        Self {
            stream,
            name: String::new(),
            last_seq: 0,
        }
    }

    /// A door of that name that has been welcomed.
    pub fn door(to: SocketAddr, name: &str) -> Self {
        Self::welcomed(to, Role::Door, name)
    }

    /// A device that has been welcomed.
    pub fn welcomed(to: SocketAddr, role: Role, name: &str) -> Self {
        let mut client = Self::connect(to);
        match client.hello((1, 1), role, name) {
            Message::Welcome(Welcome { version: 1, .. }) => client,
            other => panic!("not welcomed: {other:?}"),
        }
    }

    /// Speaks inside TLS.
    pub fn inside(tls: TlsStream) -> Client<TlsStream> {
        Client {
            stream: tls,
            name: String::new(),
            last_seq: 0,
        }
    }
}

impl Client {
    /// Reports what happened; returns whether that is noted within a second. Who keeps no more says
    /// nothing, and a door tells it again.
    pub fn try_report(&mut self, happened: &Happened) -> bool {
        self.send(&Message::Happened(happened.clone()));
        let patience = Some(Duration::from_secs(1));
        self.stream.set_read_timeout(patience).unwrap();
        let answered = self.stream.peek(&mut [0]).is_ok();
        self.stream.set_read_timeout(Some(SOON)).unwrap();
        if answered {
            let event = happened.event;
            assert_eq!(self.receive(), Message::Noted(Event { event }));
        }
        answered
    }
}

impl<S: Read + Write> Client<S> {
    /// Says Hello, and returns the answer.
    pub fn hello(&mut self, versions: (u16, u16), role: Role, name: &str) -> Message {
        self.name = name.to_owned();
        self.send(&Message::Hello(Hello {
            versions,
            role,
            name: name.parse().unwrap(),
        }));
        self.receive()
    }

    /// A flash at this door, with a new event.
    pub fn new_flash(&mut self, twinklet: u64) -> Flash {
        self.last_seq += 1;
        Flash {
            seq: self.last_seq,
            event: EventId::generate(),
            door: self.name.parse().unwrap(),
            twinklet: TwinkletId::new(twinklet).unwrap(),
            code: None,
            at: 1_700_000_000_000,
            budget_ms: 10_000,
        }
    }

    /// Flashes a badge and waits for the verdict.
    pub fn flash(&mut self, twinklet: u64) -> Verdict {
        let flash = self.new_flash(twinklet);
        self.ask(&flash)
    }

    /// Sends a flash and waits for its verdict.
    pub fn ask(&mut self, flash: &Flash) -> Verdict {
        self.send(&Message::Flash(flash.clone()));
        let verdict = self.verdict();
        assert_eq!(verdict.seq, flash.seq);
        verdict
    }

    /// The next message, which must be a verdict. What a relay is told of its doors' identities may
    /// come at any time.
    pub fn verdict(&mut self) -> Verdict {
        loop {
            match self.receive() {
                Message::Verdict(answer) => {
                    return Verdict {
                        seq: answer.seq,
                        verdict: answer.verdict.code(),
                        name: answer.name,
                    };
                }
                Message::Roll(_) => (),
                other => panic!("no verdict: {other:?}"),
            }
        }
    }

    /// Reports an undelivered event, and waits until that is noted.
    pub fn undelivered(&mut self, event: EventId) {
        self.send(&Message::Undelivered(Event { event }));
        assert_eq!(self.receive(), Message::Noted(Event { event }));
    }

    /// Something that has just happened at this door.
    pub fn new_happened(&self, kind: &str) -> Happened {
        Happened {
            event: EventId::generate(),
            door: self.name.parse().unwrap(),
            kind: Kind::from_code(kind).unwrap(),
            at: 1_700_000_000_000,
            age: 0,
            about: None,
        }
    }

    /// Reports what happened, and waits until that is noted.
    pub fn report(&mut self, happened: &Happened) {
        self.send(&Message::Happened(happened.clone()));
        let event = happened.event;
        assert_eq!(self.receive(), Message::Noted(Event { event }));
    }

    /// Sends a ping and waits for the pong, by which time everything before it has been read.
    pub fn ping(&mut self, n: u64) {
        self.send(&Message::Ping(Echo { n }));
        assert_eq!(self.receive(), Message::Pong(Echo { n }));
    }

    pub fn send(&mut self, message: &Message) {
        self.stream.write_all(&frame(message)).unwrap();
    }

    /// The next message.
    pub fn receive(&mut self) -> Message {
        self.try_receive()
            .expect("the server closed the connection")
    }

    /// The next message; `None` if the server closes or resets the connection.
    pub fn try_receive(&mut self) -> Option<Message> {
        let mut length = [0; 4];
        self.read_exact(&mut length)?;
        let mut content = vec![0; u32::from_be_bytes(length) as usize];
        self.read_exact(&mut content)?;
        Some(codec::decode(&content).unwrap())
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> Option<()> {
        use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};
        match self.stream.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(end) if matches!(end.kind(), UnexpectedEof | ConnectionReset) => None,
            Err(other) => panic!("no answer: {other}"),
        }
    }
}

/// A message as it goes over the wire.
pub fn frame(message: &Message) -> Vec<u8> {
    let mut out = BytesMut::new();
    codec::encode(message, &mut out).unwrap();
    out.to_vec()
}

/// A client of the replaced system.
pub struct PlainClient {
    pub stream: TcpStream,
}

impl PlainClient {
    pub fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        Self { stream }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next bytes, as many as this text has, which they must be.
    pub fn expect(&mut self, text: &str) {
        let mut bytes = vec![0; text.len()];
        self.stream.read_exact(&mut bytes).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), text);
    }

    /// Fails if anything comes within this time.
    pub fn expect_silence(&mut self, time: Duration) {
        let began = Instant::now();
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        let read = self.stream.read(&mut byte);
        assert!(
            read.is_err() && began.elapsed() >= time,
            "not silent: {read:?} {byte:?}"
        );
        self.stream.set_read_timeout(Some(SOON)).unwrap();
    }

    /// Fails unless the server closes, with nothing more said.
    pub fn expect_close(&mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => assert_eq!(rest, b""),
            Err(reset) => assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
}
