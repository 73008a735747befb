//! The key that seals what must not be read from a stolen database: a file of its own beside it,
//! readable by its owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::db::{Error, Result};
use crate::domain::otp::{SEED_LENGTH, Seed};

/// The length of a key, in bytes.
const KEY_LENGTH: usize = 32;

/// See the module.
#[derive(Debug)]
pub(super) struct SealingKey(LessSafeKey);

/// Where the key of a database lies, once it seals anything.
pub fn code_key(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".code-key");
    PathBuf::from(name)
}

fn cannot(file: &Path, why: &str) -> Error {
    Error::Seal(format!("{}: {why}", file.display()))
}

impl SealingKey {
    /// The key of a database.
    ///
    /// # Errors
    /// [`Error::Seal`], saying what to do.
    pub(super) fn read(database: &Path) -> Result<Self> {
        let file = code_key(database);
        let read = || {
            let mut bytes = Vec::new();
            File::open(&file)?
                .take(KEY_LENGTH as u64 + 1)
                .read_to_end(&mut bytes)?;
            io::Result::Ok(bytes)
        };
        let bytes = read().map_err(|cause| {
            let advice = match cause.kind() {
                ErrorKind::NotFound => {
                    "; it seals the seeds of one-time codes: put it back from a backup, or disable \
                     the codes and enable them anew"
                }
                ErrorKind::PermissionDenied => "; its owner alone may: sudo -u twinkle …",
                _ => "",
            };
            cannot(&file, &format!("{cause}{advice}"))
        })?;
        Self::of(&bytes).ok_or_else(|| cannot(&file, "it is no sealing key"))
    }

    /// The key of a database that seals nothing yet: made if it is not there.
    ///
    /// # Errors
    /// [`Error::Seal`].
    pub(super) fn read_or_make(database: &Path) -> Result<Self> {
        let file = code_key(database);
        if fs::exists(&file).is_ok_and(|there| there) {
            return Self::read(database);
        }
        let mut bytes = [0; KEY_LENGTH];
        random(&mut bytes)?;
        let make = || {
            let mut made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&file)?;
            if geteuid().is_root() {
                // The central has to read it, and need not run as root.
                let owner = fs::metadata(database)?;
                fchown(&made, Some(owner.uid()), Some(owner.gid()))?;
            }
            made.write_all(&bytes)?;
            made.sync_all()?;
            File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        make().map_err(|cause| cannot(&file, &format!("cannot be made: {cause}")))?;
        Self::of(&bytes).ok_or_else(|| cannot(&file, "it is no sealing key"))
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// A new random seed.
    ///
    /// # Errors
    /// [`Error::Seal`] if the system has no randomness.
    pub(super) fn new_seed() -> Result<Seed> {
        let mut seed = vec![0; SEED_LENGTH];
        random(&mut seed)?;
        Ok(Seed(seed))
    }

    /// Seals a seed: it is unsealed with the same context only.
    ///
    /// # Errors
    /// [`Error::Seal`].
    pub(super) fn seal(&self, seed: &Seed, context: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut sealed = seed.0.clone();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut sealed,
            )
            .map_err(|_| Error::Seal("a seed cannot be sealed".to_owned()))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The seed that was sealed with this key and context.
    ///
    /// # Errors
    /// [`Error::Seal`] if it was not.
    pub(super) fn unseal(&self, sealed: &[u8], context: &[u8]) -> Result<Seed> {
        let unsealed = sealed.split_first_chunk().and_then(|(nonce, sealed)| {
            let mut sealed = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let seed = self.0.open_in_place(nonce, Aad::from(context), &mut sealed);
            Some(Seed(seed.ok()?.to_vec()))
        });
        unsealed.ok_or_else(|| {
            Error::Seal("its seed was not sealed with the key beside the database".to_owned())
        })
    }
}

fn random(bytes: &mut [u8]) -> Result<()> {
    let filled = SystemRandom::new().fill(bytes);
    filled.map_err(|_| Error::Seal("the system gives no randomness".to_owned()))
}
