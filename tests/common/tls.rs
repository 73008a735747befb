//! A TLS client that shows what a test wants it to show.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use twinkle::wire::identity::Content;
use twinkle::wire::tls::server_name;

use super::SOON;

pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// What stands in an identity's file.
pub fn identity(file: &Path) -> Content {
    toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Connects to a server of the installation that `of` belongs to, and shows the certificate of
/// `shown`, or none.
pub fn connect(to: SocketAddr, of: &Content, shown: Option<&Content>) -> TlsStream {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(of.authority.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some(shown) => {
            let certificate = CertificateDer::from_pem_slice(shown.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
            config
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        }
    };
    let name = ServerName::try_from(server_name(of.installation)).unwrap();
    let stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, stream)
}
