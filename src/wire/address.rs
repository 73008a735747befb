//! Addresses to listen on and to connect to, and which of them need the user's word.

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

/// An address off this machine, to be used without protection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not a loopback address, and without identities whoever is on that network could open \
     doors; if nobody unknown can be on it, say --insecure"
)]
pub struct Exposed(pub IpAddr);

/// Takes a loopback address, and any other only if the user said so.
///
/// # Errors
/// [`Exposed`] for another address without that word.
pub fn check(address: IpAddr, insecure: bool) -> Result<(), Exposed> {
    if insecure || address.to_canonical().is_loopback() {
        Ok(())
    } else {
        Err(Exposed(address))
    }
}

/// The socket addresses that `HOST:PORT` stands for.
///
/// # Errors
/// Whatever the system's resolver says; also when it knows no address.
pub async fn resolve(address: &str) -> std::io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = lookup_host(address).await?.collect();
    if found.is_empty() {
        return Err(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "no such host",
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_needs_no_word() {
        for ours in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(check(ours.parse().unwrap(), false).is_ok(), "{ours}");
        }
        for other in [
            "0.0.0.0",
            "::",
            "192.168.1.5",
            "::ffff:192.168.1.5",
            "fe80::1",
        ] {
            let other = other.parse().unwrap();
            assert_eq!(check(other, false), Err(Exposed(other)));
            assert!(check(other, true).is_ok());
        }
    }
}
