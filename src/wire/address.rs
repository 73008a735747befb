//! Addresses to listen on and to connect to, and which of them need the user's word.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use tokio::net::lookup_host;

/// An address off this machine, to be used without protection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not a loopback address, and without identities whoever is on that network could open \
     doors: 'twinkle central enroll' makes them; or, if nobody unknown can be on it, say --insecure"
)]
pub struct Exposed(pub IpAddr);

/// Where a server listens: a host's name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostPort(String);

impl HostPort {
    /// A port of this machine, on its loopback address.
    pub fn here(port: u16) -> Self {
        Self(format!("127.0.0.1:{port}"))
    }
}

impl FromStr for HostPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const HELP: &str = "write HOST:PORT, such as 127.0.0.1:9999";
        let (host, port) = text.rsplit_once(':').ok_or(HELP)?;
        let bare_colon = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        let strange = host.contains(|c: char| c.is_whitespace() || c == '/' || c == '@');
        if host.is_empty() || bare_colon || strange || port.parse::<u16>().is_err() {
            return Err(HELP);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for HostPort {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a server listens: alternatives of the same installation, the preferred first. In a
/// configuration, one address or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    preferred: HostPort,
    others: Vec<HostPort>,
}

impl Addresses {
    /// These, if there are any; no address twice.
    pub fn of(addresses: Vec<HostPort>) -> Option<Self> {
        let mut left = addresses.into_iter();
        let preferred = left.next()?;
        let mut others = Vec::new();
        for address in left {
            if address != preferred && !others.contains(&address) {
                others.push(address);
            }
        }
        Some(Self { preferred, others })
    }

    /// How many there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &HostPort> {
        std::iter::once(&self.preferred).chain(&self.others)
    }

    /// The one in that place, else the preferred.
    pub fn get(&self, place: usize) -> &HostPort {
        self.iter().nth(place).unwrap_or(&self.preferred)
    }
}

impl From<HostPort> for Addresses {
    fn from(preferred: HostPort) -> Self {
        Self {
            preferred,
            others: Vec::new(),
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.preferred)?;
        self.others
            .iter()
            .try_for_each(|other| write!(f, " or {other}"))
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Addresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("HOST:PORT, or a list of such")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Addresses, E> {
                text.parse().map(HostPort::into).map_err(E::custom)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Addresses, A::Error> {
                let mut addresses = Vec::new();
                while let Some(address) = list.next_element()? {
                    addresses.push(address);
                }
                Addresses::of(addresses).ok_or_else(|| de::Error::invalid_length(0, &self))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

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

/// The socket addresses that a host's name and port stand for.
///
/// # Errors
/// Whatever the system's resolver says; also when it knows no address.
pub async fn resolve(address: &HostPort) -> std::io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = lookup_host(&address.0).await?.collect();
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

    #[test]
    fn alternatives_are_one_address_or_a_list() {
        #[derive(Debug, Deserialize)]
        struct Table {
            at: Addresses,
        }
        let read = |text: &str| toml::from_str::<Table>(text).map(|table| table.at.to_string());
        assert_eq!(read("at = 'hub:1'").unwrap(), "hub:1");
        let several = read("at = ['hub:1', 'spare:2', 'hub:1']").unwrap();
        assert_eq!(several, "hub:1 or spare:2");
        for (text, said) in [
            ("at = []", "HOST:PORT, or a list of such"),
            ("at = 7", "HOST:PORT, or a list of such"),
            ("at = 'hub'", "write HOST:PORT"),
            ("at = ['hub:1', 'spare']", "write HOST:PORT"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for good in [
            "127.0.0.1:9999",
            "localhost:0",
            "[::1]:9998",
            "hub.example:65535",
        ] {
            assert_eq!(good.parse::<HostPort>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "127.0.0.1",
            ":9999",
            "hub:",
            "hub:99999",
            "::1:9998",
            "http://hub:9999",
            "9999",
        ] {
            assert!(bad.parse::<HostPort>().is_err(), "{bad:?}");
        }
    }
}
