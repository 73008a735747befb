//! An identity: the one file that makes a device known to its upstream, and a relay to its doors.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{DeviceName, InstallationId};
use crate::wire::Role;
use crate::wire::tls::{Acceptor, Connector, Papers};

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the identity {}: {what}", path.display())]
pub struct Error {
    path: PathBuf,
    what: String,
}

/// What stands in an identity's file, as TOML.
#[derive(Serialize, Deserialize)]
pub struct Content {
    /// What the device is.
    pub role: Role,
    /// What it is called.
    pub name: DeviceName,
    /// The installation it belongs to.
    pub installation: InstallationId,
    /// The relays through which it may come, if it is a door.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relays: Vec<DeviceName>,
    /// Its certificate, PEM.
    pub certificate: String,
    /// The certificate of the authority that issued that, PEM.
    pub authority: String,
    /// Its private key, PEM.
    pub key: String,
}

impl std::fmt::Debug for Content {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} '{}')", self.role, self.name)
    }
}

/// A certificate, the authority's, and the key, each from PEM.
///
/// # Errors
/// If one of them is none.
pub fn papers(certificate: &str, authority: &str, key: &str) -> Result<Papers, pem::Error> {
    Ok(Papers {
        certificate: CertificateDer::from_pem_slice(certificate.as_bytes())?,
        authority: CertificateDer::from_pem_slice(authority.as_bytes())?,
        key: PrivateKeyDer::from_pem_slice(key.as_bytes())?,
    })
}

/// Why an identity's file cannot be read, and what to do.
fn unread(cause: &io::Error) -> String {
    match cause.kind() {
        ErrorKind::NotFound => {
            "there is no such file; 'twinkle central enroll' makes it, at the central".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "it is another user's; chown it to the one that runs this".to_owned()
        }
        ErrorKind::InvalidData => "it is none: it is no text".to_owned(),
        _ => cause.to_string(),
    }
}

/// `--insecure` beside an identity.
#[derive(Debug, thiserror::Error)]
#[error("--insecure contradicts an identity, with which any address may be used: leave one out")]
pub struct Contradiction;

/// Whether `--insecure` may be said.
///
/// # Errors
/// [`Contradiction`] if there is an identity.
pub fn check(identity: Option<&Identity>, insecure: bool) -> Result<(), Contradiction> {
    match identity {
        Some(_) if insecure => Err(Contradiction),
        _ => Ok(()),
    }
}

/// A device's identity, ready to be used.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The device's name.
    pub name: DeviceName,
    /// The installation it belongs to.
    pub installation: InstallationId,
    /// By what the central knows it.
    pub fingerprint: Fingerprint,
    /// To connect to its upstream.
    pub connector: Connector,
    /// To take doors, if it is a relay.
    pub acceptor: Option<Acceptor>,
}

impl Identity {
    /// Reads the identity of a device of that role and, if one was given, that name.
    ///
    /// # Errors
    /// If the file cannot be read, is no identity, or is another device's.
    pub fn load(path: &Path, role: Role, name: Option<&DeviceName>) -> Result<Self, Error> {
        let wrong = |what: String| Error {
            path: path.to_owned(),
            what,
        };
        let text = fs::read_to_string(path).map_err(|cause| wrong(unread(&cause)))?;
        let content: Content = toml::from_str(&text)
            .map_err(|cause| wrong(format!("it is none: {}", cause.message())))?;
        if content.role != role {
            let what = format!("it is a {}'s, and this is a {role}", content.role);
            return Err(wrong(what));
        }
        if let Some(name) = name.filter(|&name| *name != content.name) {
            let what = format!("it is that of {role} '{}', not of '{name}'", content.name);
            return Err(wrong(what));
        }
        if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
            let shown = path.display();
            warn!("others on this machine can read the identity {shown}: chmod 600 {shown}");
        }
        Self::of(content).map_err(|cause| wrong(format!("it does not hold: {cause}")))
    }

    fn of(content: Content) -> Result<Self, Box<dyn std::error::Error>> {
        let Content {
            role,
            name,
            installation,
            relays,
            ..
        } = content;
        let papers = papers(&content.certificate, &content.authority, &content.key)?;
        let acceptor = match role {
            Role::Relay => Some(Acceptor::new(&papers, installation, Some(name.clone()))?),
            Role::Door => None,
        };
        Ok(Self {
            fingerprint: papers.fingerprint(),
            connector: Connector::new(&papers, installation, &relays)?,
            acceptor,
            name,
            installation,
        })
    }
}

impl std::fmt::Display for Identity {
    /// As in `identity of 'lab', a7a7a7a7a7a7a7a7`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "identity of '{}', {:.16}", self.name, self.fingerprint)
    }
}
