//! The central's own authority: what makes the identities of its installation. Its key lies beside
//! the database, in a file of its own, and leaves this machine in no identity.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use nix::unistd::Uid;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{DeviceName, InstallationId};
use crate::exit::Unusable;
use crate::wire::Role;
use crate::wire::identity::{self, Content};
use crate::wire::tls::{Acceptor, Claim, Papers, server_name};

/// What stands in the authority's file, as TOML.
#[derive(Serialize, Deserialize)]
struct Stored {
    installation: InstallationId,
    certificate: String,
    key: String,
}

/// See the module.
pub(super) struct Authority {
    installation: InstallationId,
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The authority's file for a database.
pub(super) fn place(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".authority");
    PathBuf::from(name)
}

impl Authority {
    /// The authority of a database, if it has one.
    ///
    /// # Errors
    /// If its file cannot be read, is none, or belongs to another installation.
    pub(super) fn load(
        database: &Path,
        installation: InstallationId,
    ) -> anyhow::Result<Option<Self>> {
        let path = place(database);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => {
                let shown = path.display();
                let why = format!("cannot read the authority {shown}: {cause}; its owner can");
                return Err(Unusable(why).into());
            }
        };
        let stored: Stored = toml::from_str(&text)
            .map_err(|cause| Unusable(format!("{}: {}", path.display(), cause.message())))?;
        if stored.installation != installation {
            let why = "is the authority of another database: put this one's back";
            return Err(Unusable(format!("{} {why}", path.display())).into());
        }
        let key = KeyPair::from_pem(&stored.key)
            .map_err(|cause| Unusable(format!("the key in {}: {cause}", path.display())))?;
        Ok(Some(Self {
            installation,
            certificate: stored.certificate,
            issuer: Issuer::new(of_authority(installation), key),
        }))
    }

    /// Makes the authority of a database that has none, in a file that only its owner can read.
    ///
    /// # Errors
    /// If the file cannot be made; also if there is one.
    pub(super) fn make(database: &Path, installation: InstallationId) -> anyhow::Result<Self> {
        let params = of_authority(installation);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        let stored = Stored {
            installation,
            certificate: certificate.clone(),
            key: key.serialize_pem(),
        };
        let path = place(database);
        let text = format!(
            "# The authority of a twinkle central. Whoever has this file can make identities for\n\
             # any door and relay: keep it where it is, and a copy of it in a safe place.\n{}",
            toml::to_string(&stored)?
        );
        let file = write_secret(&path, &text)
            .with_context(|| format!("cannot make the authority {}", path.display()))?;
        // Made by an administrator as root, it has to be read by the central, which is not.
        if Uid::effective().is_root() {
            let database = fs::metadata(database)?;
            chown(&path, Some(database.uid()), Some(database.gid()))?;
        }
        file.sync_all()?;
        Ok(Self {
            installation,
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// Makes an identity for a device.
    ///
    /// # Errors
    /// If the system gives us no randomness.
    pub(super) fn issue(
        &self,
        role: Role,
        name: &DeviceName,
        relays: impl Iterator<Item = DeviceName>,
    ) -> anyhow::Result<(Content, Papers)> {
        let relays: Vec<_> = relays.collect();
        let mut claims = vec![Claim::Device(role, name)];
        claims.extend(relays.iter().map(Claim::Through));
        let serves = role == Role::Relay;
        let (certificate, key) = self.certify(name.as_str(), &claims, serves, true)?;
        let content = Content {
            role,
            name: name.clone(),
            installation: self.installation,
            certificate: certificate.pem(),
            authority: self.certificate.clone(),
            key: key.serialize_pem(),
            relays,
        };
        let papers = identity::papers(&content.certificate, &content.authority, &content.key)?;
        Ok((content, papers))
    }

    /// What the central itself shows to its clients. Nobody has to know it from one start to the
    /// next: they know the authority.
    ///
    /// # Errors
    /// If the system gives us no randomness.
    pub(super) fn acceptor(&self) -> anyhow::Result<Acceptor> {
        let (certificate, key) = self.certify("central", &[Claim::Central], true, false)?;
        let papers = identity::papers(&certificate.pem(), &self.certificate, &key.serialize_pem())?;
        Ok(Acceptor::new(&papers, self.installation, None)?)
    }

    fn certify(
        &self,
        name: &str,
        claims: &[Claim<'_>],
        serves: bool,
        asks: bool,
    ) -> anyhow::Result<(Certificate, KeyPair)> {
        let mut params = for_ever(name);
        for claim in claims {
            let uri = claim.uri(self.installation);
            params
                .subject_alt_names
                .push(SanType::URI(uri.as_str().try_into()?));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if serves {
            let server = server_name(self.installation);
            let server = SanType::DnsName(server.as_str().try_into()?);
            params.subject_alt_names.push(server);
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        if asks {
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::ClientAuth);
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate, key))
    }
}

/// The authority's own certificate, before it is signed.
fn of_authority(installation: InstallationId) -> CertificateParams {
    let mut params = for_ever(&format!("twinkle {installation}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// A certificate that begins when computers' time does and has no end (RFC 5280, section 4.1.2.5):
/// a clock that is wrong must not shut a door, and what ends an identity is to disown it.
fn for_ever(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1970, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31) + Duration::from_secs(24 * 60 * 60 - 1);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Writes a new file that nobody but its owner can read.
///
/// # Errors
/// If it cannot be written, or is there already.
pub(super) fn write_secret(path: &Path, content: impl AsRef<[u8]>) -> std::io::Result<File> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file
        .write_all(content.as_ref())
        .and_then(|()| file.sync_all());
    if let Err(cause) = written {
        // Half a key is none.
        let _removed = fs::remove_file(path);
        return Err(cause);
    }
    Ok(file)
}
