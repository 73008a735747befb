//! What twinkle's programs say to each other, and how: [`Message`]s in frames ([`codec`]), the
//! [`server`] side that relay and central share, the client side ([`link`]) that door and relay
//! share, and the replaced system's plain text ([`plain`]). docs/protocol.md describes it for
//! programs in other languages.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::access::Verdict;
use crate::domain::code::Code;
use crate::domain::door_event::Kind;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{DeviceName, EventId, InstallationId, TwinkletId};

pub mod address;
pub mod answers;
pub mod codec;
pub mod delays;
mod error;
pub mod frames;
pub mod guard;
pub mod hold;
pub mod identity;
pub mod link;
pub mod plain;
mod present;
mod probed;
pub mod roster;
pub mod server;
pub mod spool;
mod timer;
pub mod tls;

use delays::Delays;
pub use error::Error;
use roster::{Badges, Current, Roster, Taken};
use spool::{Entries, Spool, Stored};

pub use probed::Probed;

/// The versions of the protocol that this program speaks, lowest and highest.
pub const VERSIONS: (u16, u16) = (1, 1);
/// The longest frame, in bytes without its length prefix.
pub const MAX_FRAME: usize = 64 * 1024;
/// The longest frame before the greeting is over: a stranger gets no more memory than this.
pub const MAX_GREETING: usize = 1024;
/// How long a client may take to say what it is.
pub const GREETING_WITHIN: Duration = Duration::from_secs(5);
/// A client that has sent nothing for this long pings.
pub const PING_AFTER: Duration = Duration::from_secs(10);
/// A peer from which nothing came for this long is gone.
pub const SILENT_AFTER: Duration = Duration::from_secs(30);
/// A peer that does not take what is written to it within this time is gone.
pub const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Said once of a connection whose peer sends what only a newer program knows.
const PASSED_OVER: &str = "and what else is not known here, is passed over";
/// How long answers that are still owed may take once a connection is ending.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(1);

/// One frame's content: a map with one entry, the message's name and a map of its fields. A reader
/// passes over fields and, once greeted, whole messages that it does not know: what a newer program
/// needs an answer to needs a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Message {
    /// A client's first message.
    Hello(Hello),
    /// The server takes the client.
    Welcome(Welcome),
    /// The server does not take the client, or takes it no longer, and closes.
    Refused(Refused),
    /// A relay's word that a door has said Hello to it.
    Door(Door),
    /// A relay's word that a door's last connection to it has ended.
    Gone(Gone),
    /// The central's word to a relay, whose identities it may take as its doors'.
    Roll(Roll),
    /// A request to enter.
    Flash(Flash),
    /// The answer to a flash.
    Verdict(Answer),
    /// An `Open` for this event did not reach its door in time: the event counts for nothing.
    Undelivered(Event),
    /// Something else happened at a door.
    Happened(Happened),
    /// The undelivered event is stored as such, or what happened is stored.
    Noted(Event),
    /// A relay's question which of the entries that it kept are stored; answered by
    /// [`Message::Resume`].
    Spool(Spool),
    /// The entries up to there are stored: the relay sends those that follow.
    Resume(Stored),
    /// Some of what a relay kept, in order; answered by [`Message::Stored`].
    Entries(Entries),
    /// The entries up to there are stored now.
    Stored(Stored),
    /// A relay's wish to be told of badges, now and whenever they change; answered by
    /// [`Message::Badges`] and [`Message::Current`].
    Roster(Roster),
    /// Some badges; answered by [`Message::Taken`].
    Badges(Badges),
    /// The relay has stored them.
    Taken(Taken),
    /// What the badges come to that the relay was told of until now.
    Current(Current),
    /// A relay's word on how long the last flashes took; there is no answer to it.
    Delays(Delays),
    /// Asks for a [`Message::Pong`] with the same number.
    Ping(Echo),
    /// The reply to a [`Message::Ping`].
    Pong(Echo),
    /// Asks how long it takes to the central and back.
    Probe(Echo),
    /// The reply to a [`Message::Probe`].
    Probed(Probed),
    /// One that only a newer program knows, of this name. It is read, and never written.
    #[serde(skip)]
    Unknown(String),
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A door.
    Door,
    /// A site's relay.
    Relay,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Role::Door => "door",
            Role::Relay => "relay",
        })
    }
}

impl std::str::FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "door" => Ok(Role::Door),
            "relay" => Ok(Role::Relay),
            _ => Err("say door or relay"),
        }
    }
}

/// See [`Message::Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The lowest and the highest version that the client speaks.
    #[serde(rename = "v")]
    pub versions: (u16, u16),
    /// What the client is.
    pub role: Role,
    /// Its name.
    pub name: DeviceName,
}

/// See [`Message::Welcome`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version to speak from now on.
    #[serde(rename = "v")]
    pub version: u16,
    /// The server's name.
    pub name: DeviceName,
    /// The central's id; absent from a relay that has not met its central yet.
    #[serde(rename = "inst", default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationId>,
    /// The server's clock, UTC milliseconds since 1970.
    pub time: i64,
}

/// See [`Message::Refused`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// A stable code: one of [`refusal`].
    #[serde(rename = "why")]
    pub reason: String,
    /// With [`refusal::VERSION`]: the lowest and the highest version that the server speaks.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<(u16, u16)>,
}

impl Refused {
    /// A refusal with this code.
    pub fn with(code: &str) -> Self {
        Self {
            reason: code.to_owned(),
            versions: (code == refusal::VERSION).then_some(VERSIONS),
        }
    }
}

/// The codes of [`Refused`].
pub mod refusal {
    /// No version is spoken by both.
    pub const VERSION: &str = "version";
    /// The server takes no clients of this role.
    pub const ROLE: &str = "role";
    /// The server cannot write down that the client is here; to be tried again.
    pub const STORAGE: &str = "storage-failed";
    /// The server takes only clients that have an identity.
    pub const NO_IDENTITY: &str = "no-identity";
    /// The client's identity is not that of the role and name that it gives.
    pub const NOT_YOURS: &str = "not-yours";
    /// The client's identity says nothing of this relay.
    pub const NOT_THIS_RELAY: &str = "not-this-relay";
    /// The client's identity was ended, or the central knows nothing of it.
    pub const DISOWNED: &str = "disowned";
}

/// See [`Message::Door`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Door {
    /// The door's name.
    pub name: DeviceName,
    /// Whether it is one for plain text: it says no Hello, and is heard of by its flashes only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// The identity that it has shown, if it has one.
    #[serde(rename = "fp", default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Fingerprint>,
}

/// See [`Message::Gone`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The door's name.
    pub name: DeviceName,
}

/// See [`Message::Roll`]. A long roll comes in several parts, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// The identities.
    #[serde(rename = "fps")]
    pub identities: Vec<Fingerprint>,
    /// Whether another part follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// See [`Message::Flash`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The client's number for this request, repeated in the answer; unique among those of its
    /// connection that wait for one.
    pub seq: u64,
    /// The event's id.
    #[serde(rename = "ev")]
    pub event: EventId,
    /// The door at which it was read.
    pub door: DeviceName,
    /// The badge.
    #[serde(rename = "id")]
    pub twinklet: TwinkletId,
    /// A one-time code that the badge showed with its id: 1 to 8 digits as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// When the device read it, by its own clock: UTC milliseconds since 1970.
    pub at: i64,
    /// How many milliseconds from its sending the answer is of use.
    #[serde(rename = "ms")]
    pub budget_ms: u32,
}

impl Flash {
    /// The time left for an answer, counted from now.
    pub fn budget(&self) -> Duration {
        Duration::from_millis(self.budget_ms.into())
    }
}

/// See [`Message::Verdict`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The number of the flash.
    pub seq: u64,
    /// `open`, or the code of a reason.
    #[serde(rename = "v", with = "crate::domain::access::verdict_code")]
    pub verdict: Verdict,
    /// The employee's name, with an `Open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// See [`Message::Happened`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// The event's id.
    #[serde(rename = "ev")]
    pub event: EventId,
    /// The door at which it happened.
    pub door: DeviceName,
    /// What happened.
    pub kind: Kind,
    /// When it happened, by the door's own clock: UTC milliseconds since 1970.
    pub at: i64,
    /// How many milliseconds passed since, by clocks that nobody sets: counted by each sender up to
    /// its sending, so that the receiver can place it in its own time.
    pub age: u64,
    /// The event that it followed: whose `Open`, or whose exit button, the door was opened with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<EventId>,
}

/// See [`Message::Undelivered`] and [`Message::Noted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The event's id.
    #[serde(rename = "ev")]
    pub event: EventId,
}

/// See [`Message::Ping`], [`Message::Pong`] and [`Message::Probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// Any number.
    pub n: u64,
}
