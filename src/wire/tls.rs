//! TLS between devices that have an identity: version 1.3 only, both sides show a certificate of
//! the installation's own authority, and those certificates say who they are.
//!
//! No certificate depends on the clock: a machine without a battery for it comes up in 1970, and
//! people must get in then too. What ends an identity is the central's word, not a date.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use webpki::EndEntityCert;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{DeviceName, InstallationId};
use crate::wire::{Error, Role, refusal};

/// Something that a certificate says of its holder. It stands there as a URI; whoever checks one
/// compares it whole, and takes none apart.
#[derive(Debug, Clone, Copy)]
pub enum Claim<'a> {
    /// It is the central.
    Central,
    /// It is this device.
    Device(Role, &'a DeviceName),
    /// This relay may speak for it.
    Through(&'a DeviceName),
}

impl Claim<'_> {
    /// As it stands in a certificate of that installation.
    pub fn uri(&self, installation: InstallationId) -> String {
        match self {
            Claim::Central => format!("twinkle:{installation}/central"),
            Claim::Device(role, name) => format!("twinkle:{installation}/{role}/{}", escape(name)),
            Claim::Through(relay) => format!("twinkle:{installation}/through/{}", escape(relay)),
        }
    }
}

/// A name in the characters of a URI (RFC 3986, section 2.1).
fn escape(name: &DeviceName) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    name.as_str().bytes().map(escaped).collect()
}

/// The name that the certificate of whoever may serve has, and no door's: TLS checks it in place of
/// a host's name, which means nothing here.
pub fn server_name(installation: InstallationId) -> String {
    format!("{installation}.twinkle.internal")
}

/// What somebody shows to prove who it is.
pub struct Papers {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    /// The certificate of the authority that issued it.
    pub authority: CertificateDer<'static>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
}

impl std::fmt::Debug for Papers {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Papers({:.16})", self.fingerprint())
    }
}

impl Papers {
    /// The certificate's.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate)
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone())?;
        Ok(Arc::new(roots))
    }
}

/// A certificate's fingerprint.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    let mut bytes = [0; Fingerprint::BYTES];
    bytes.copy_from_slice(digest.as_ref());
    Fingerprint::from_bytes(bytes)
}

/// Certificates hold whatever the clock says, so none is asked.
#[derive(Debug)]
struct NoClock;

impl TimeProvider for NoClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(1)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn cannot(cause: impl std::fmt::Display) -> rustls::Error {
    rustls::Error::General(cause.to_string())
}

/// The server's side.
#[derive(Debug, Clone)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    installation: InstallationId,
    /// The relay that serves, for which only its own doors may come; `None`: the central.
    relay: Option<DeviceName>,
}

impl Acceptor {
    /// A side that shows these papers: a relay's, or the central's.
    ///
    /// # Errors
    /// If they are not whole.
    pub fn new(
        papers: &Papers,
        installation: InstallationId,
        relay: Option<DeviceName>,
    ) -> Result<Self, rustls::Error> {
        let verifier = WebPkiClientVerifier::builder_with_provider(papers.roots()?, provider())
            .clear_root_hint_subjects()
            .build()
            .map_err(cannot)?;
        let mut config = ServerConfig::builder_with_details(provider(), Arc::new(NoClock))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![papers.certificate.clone()], papers.key.clone_key())?;
        // Whoever resumes a session shows no certificate again, and so might a disowned device.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            config: Arc::new(config),
            installation,
            relay,
        })
    }

    /// Takes a client that shows a certificate of our authority.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<(server::TlsStream<S>, Proof<'_>), Error> {
        let accepted = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream);
        let stream = accepted.await.map_err(|cause| explain(cause.into()))?;
        let shown = stream.get_ref().1.peer_certificates();
        let certificate = shown
            .and_then(|chain| chain.first())
            .ok_or_else(|| Error::Untrusted("it shows no certificate".to_owned()))?
            .clone()
            .into_owned();
        let proof = Proof {
            server: self,
            certificate,
        };
        Ok((stream, proof))
    }
}

/// What a client has proved: that it holds a certificate of our authority.
#[derive(Debug)]
pub struct Proof<'a> {
    server: &'a Acceptor,
    certificate: CertificateDer<'static>,
}

impl Proof<'_> {
    /// The certificate's.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate)
    }

    /// Whether the client is who it says it is, and may come here; else the code to refuse it with.
    ///
    /// # Errors
    /// [`refusal::NOT_YOURS`], [`refusal::NOT_THIS_RELAY`].
    pub fn check(&self, role: Role, name: &DeviceName) -> Result<(), &'static str> {
        let says = |claim: Claim<'_>| says(&self.certificate, &claim.uri(self.server.installation));
        if !says(Claim::Device(role, name)) {
            return Err(refusal::NOT_YOURS);
        }
        match &self.server.relay {
            Some(relay) if role == Role::Door && !says(Claim::Through(relay)) => {
                Err(refusal::NOT_THIS_RELAY)
            }
            _ => Ok(()),
        }
    }
}

/// Whether a certificate says this of its holder.
fn says(certificate: &CertificateDer<'_>, uri: &str) -> bool {
    EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.valid_uri_names().any(|said| said == uri))
}

/// The client's side.
#[derive(Debug, Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    /// One of these the server has to be.
    servers: Vec<String>,
}

impl Connector {
    /// A side that shows these papers and takes the central, or one of these relays.
    ///
    /// # Errors
    /// If they are not whole.
    pub fn new(
        papers: &Papers,
        installation: InstallationId,
        relays: &[DeviceName],
    ) -> Result<Self, rustls::Error> {
        let verifier = WebPkiServerVerifier::builder_with_provider(papers.roots()?, provider())
            .build()
            .map_err(cannot)?;
        let mut config = ClientConfig::builder_with_details(provider(), Arc::new(NoClock))
            .with_protocol_versions(&[&TLS13])?
            .with_webpki_verifier(verifier)
            .with_client_auth_cert(vec![papers.certificate.clone()], papers.key.clone_key())?;
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        let relays = relays
            .iter()
            .map(|relay| Claim::Device(Role::Relay, relay).uri(installation));
        Ok(Self {
            config: Arc::new(config),
            name: ServerName::try_from(server_name(installation)).map_err(cannot)?,
            servers: std::iter::once(Claim::Central.uri(installation))
                .chain(relays)
                .collect(),
        })
    }

    /// Shows our papers to a server, and takes it if it is one of ours.
    ///
    /// # Errors
    /// [`Error::Untrusted`] if it is not, or if TLS fails; [`Error::Io`] if the connection does.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<client::TlsStream<S>, Error> {
        let connecting = TlsConnector::from(Arc::clone(&self.config));
        let connected = connecting.connect(self.name.clone(), stream).await;
        let stream = connected.map_err(|cause| explain(cause.into()))?;
        let shown = stream.get_ref().1.peer_certificates();
        let is_ours = shown.and_then(|chain| chain.first()).is_some_and(|shown| {
            let mut servers = self.servers.iter();
            servers.any(|server| says(shown, server))
        });
        match is_ours {
            true => Ok(stream),
            false => Err(Error::Untrusted(
                "it is neither the central nor a relay that this identity names".to_owned(),
            )),
        }
    }
}

/// What went wrong in TLS, in words that help; any other error as it is.
pub(super) fn explain(error: Error) -> Error {
    use rustls::Error::{
        AlertReceived, InvalidCertificate, InvalidMessage, NoCertificatesPresented,
        PeerIncompatible,
    };
    let Error::Io(cause) = &error else {
        return error;
    };
    let inner = cause.get_ref().and_then(|inner| inner.downcast_ref());
    Error::Untrusted(match inner {
        None => return error,
        Some(NoCertificatesPresented) => "it shows no certificate".to_owned(),
        Some(InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            "its certificate is of another installation's authority".to_owned()
        }
        Some(InvalidCertificate(why)) => format!("its certificate does not hold: {why:?}"),
        Some(PeerIncompatible(_)) => "it does not speak TLS 1.3".to_owned(),
        Some(InvalidMessage(_)) => "it does not speak TLS as it should".to_owned(),
        Some(AlertReceived(alert)) => format!("it does not take our certificate ({alert:?})"),
        Some(other) => format!("TLS: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_different_names_never_look_alike() {
        let here = InstallationId::from_bytes([7; 16]);
        let uri = |role, name: &str| Claim::Device(role, &name.parse().unwrap()).uri(here);
        let ours = "twinkle:07070707-0707-0707-0707-070707070707";
        assert_eq!(
            uri(Role::Door, "front door/2"),
            format!("{ours}/door/front%20door%2F2")
        );
        assert_eq!(uri(Role::Relay, "Zoë"), format!("{ours}/relay/Zo%C3%AB"));
        assert_ne!(uri(Role::Door, "a%20b"), uri(Role::Door, "a b"));
    }
}
