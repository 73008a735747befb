//! What goes wrong between two programs, and what to do about it.

use crate::domain::ids::{DeviceName, InstallationId};
use crate::wire::{Role, VERSIONS, address, refusal};

/// Why a connection ended or could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The peer closed the connection.
    #[error("the other side closed the connection")]
    Closed,
    /// The peer, or the network, broke off in the middle of a frame.
    #[error("the stream ended within a frame")]
    CutOff,
    /// Something did not happen within its time; says what.
    #[error("{0}")]
    TimedOut(&'static str),
    /// A frame is longer than allowed.
    #[error("a frame is longer than {0} bytes")]
    TooLong(usize),
    /// Bytes that are no message, or a message out of place; says which.
    #[error("{0}")]
    Malformed(String),
    /// The peer speaks none of our versions.
    #[error(
        "{who} speaks {} of the protocol, the twinkle here {}; {}",
        versions(*theirs), versions(VERSIONS), upgrade(*theirs)
    )]
    VersionMismatch {
        /// What it calls itself, or `it`.
        who: String,
        /// The lowest and the highest that it speaks.
        theirs: (u16, u16),
    },
    /// The server refused us, with this code.
    #[error("it refuses us: {0}")]
    Refused(String),
    /// We did not take a client, with this code.
    #[error("{role} '{name}' is not taken: {code}")]
    NotTaken {
        /// What it is.
        role: Role,
        /// Its name.
        name: DeviceName,
        /// The code it was told.
        code: &'static str,
    },
    /// Another organisation's central answers at this address.
    #[error("it belongs to installation {found}, not to ours, {ours}")]
    OtherInstallation {
        /// The one we know.
        ours: InstallationId,
        /// The one that answered.
        found: InstallationId,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}{}", listen_advice(cause))]
    Listen {
        /// The address.
        address: address::HostPort,
        /// The system's word.
        cause: std::io::Error,
    },
    /// The peer is not who it should be, or does not prove it; says how.
    #[error("{0}")]
    Untrusted(String),
    /// The address leads off this machine, where an unprotected connection needs `--insecure`.
    #[error(transparent)]
    Exposed(#[from] address::Exposed),
    /// The system's error.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Versions of the protocol, for people.
fn versions((low, high): (u16, u16)) -> String {
    match low == high {
        true => format!("version {low}"),
        false => format!("versions {low} to {high}"),
    }
}

/// Which of the two programs is to be upgraded for them to understand each other.
fn upgrade((low, high): (u16, u16)) -> &'static str {
    match (low, high) {
        _ if low > high => "there are no such",
        _ if low > VERSIONS.1 => "upgrade the one here",
        _ => "upgrade the other",
    }
}

/// What to do about an address that cannot be listened on.
fn listen_advice(cause: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    match cause.kind() {
        AddrInUse => "; does another one run? Stop it, or choose another port with --listen",
        AddrNotAvailable => "; this machine has no such address",
        PermissionDenied => "; choose a port above 1023",
        _ => "",
    }
}

impl Error {
    /// What somebody may look into who wonders why a connection to a server cannot be had.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Error::Closed | Error::CutOff | Error::TimedOut(_) | Error::Io(_) => {
                Some("is it running, and is its address right?")
            }
            Error::Refused(code) => match code.as_str() {
                refusal::VERSION => Some("upgrade the older of the two programs"),
                refusal::ROLE => Some("it is a relay, and a relay needs a central"),
                refusal::STORAGE => Some("it cannot write to its database; its log says why"),
                refusal::NO_IDENTITY => {
                    Some("'twinkle central enroll' makes an identity; start with --identity FILE")
                }
                refusal::NOT_YOURS => Some("the identity is another device's"),
                refusal::NOT_THIS_RELAY => {
                    Some("enrol the door with --relay and this relay's name")
                }
                refusal::DISOWNED => Some(
                    "this identity was ended; 'twinkle central enroll' or 'rotate' makes another",
                ),
                _ => None,
            },
            Error::OtherInstallation { .. } => Some(
                "if its database was replaced on purpose, restart this program; a relay, after \
                 its spool file was moved away",
            ),
            Error::Malformed(_) | Error::TooLong(_) => Some("is it a twinkle?"),
            Error::Untrusted(_) => {
                Some("are both this installation's, and was each enrolled by its central?")
            }
            Error::VersionMismatch { .. }
            | Error::NotTaken { .. }
            | Error::Listen { .. }
            | Error::Exposed(_) => None,
        }
    }

    /// Whether trying again may help without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Closed | Error::CutOff | Error::TimedOut(_) | Error::Io(_) => true,
            Error::Refused(code) => code == refusal::STORAGE,
            Error::TooLong(_)
            | Error::Malformed(_)
            | Error::VersionMismatch { .. }
            | Error::NotTaken { .. }
            | Error::Listen { .. }
            | Error::OtherInstallation { .. }
            | Error::Untrusted(_)
            | Error::Exposed(_) => false,
        }
    }
}
