//! One-time codes by time (RFC 6238): which code a seed shows in which half minute, whether one
//! that came is right, and for how long a badge is locked after wrong ones.

use std::fmt;

use chrono::TimeDelta;
use totp_rs::Secret;

use crate::domain::code::Code;

/// The length of a step, in seconds.
const STEP: i64 = 30;
/// A clock may be off by so many steps either way.
const WINDOW: i64 = 1;
/// The length of a new seed, in bytes: as long as SHA-1's result, as RFC 4226 recommends.
pub const SEED_LENGTH: usize = 20;
/// After so many wrong codes a badge is locked; typing wrongly once or twice is human.
const FREE_ATTEMPTS: u32 = 2;
/// For how many seconds it is locked first; each further wrong code doubles that, up to
/// [`LONGEST_LOCK`].
const FIRST_LOCK: i64 = 30;
/// In seconds. At this rate the right one of a million codes is found in some ten years.
const LONGEST_LOCK: i64 = 15 * 60;

/// How codes are computed from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// What every authenticator knows.
    #[default]
    Sha1,
    /// What some know.
    Sha256,
}

impl Algorithm {
    /// Its name in an `otpauth` URI and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Algorithm::Sha1, Algorithm::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

/// The secret from which an employee's codes come.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(pub Vec<u8>);

impl fmt::Debug for Seed {
    /// A mask.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(***)")
    }
}

/// What shows the codes of one employee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generator {
    /// The secret.
    pub seed: Seed,
    /// How it is used.
    pub algorithm: Algorithm,
    /// The length of a code: 6 to 8.
    pub digits: u8,
}

/// What a code that came is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It is right, and that of this step, which is used now.
    Right(i64),
    /// It was right, for a step that is used already.
    Reused,
    /// It is not right.
    Wrong,
}

impl Generator {
    /// The code of a step.
    pub fn code_of(&self, step: i64) -> String {
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
            Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
        };
        let totp = totp_rs::Builder::new()
            .with_algorithm(algorithm)
            .with_digits(self.digits)
            .with_step_duration(STEP.unsigned_abs())
            .with_secret(self.secret())
            .build_noncompliant();
        totp.generate((step * STEP).unsigned_abs()).to_string()
    }

    fn secret(&self) -> Secret {
        Secret::new(self.seed.0.clone().into_boxed_slice())
    }

    /// Judges a code that came at that time, UTC milliseconds, when the steps up to `used` are used.
    pub fn judge(&self, code: &Code, millis: i64, used: i64) -> Finding {
        let now = step_at(millis);
        let steps = (now - WINDOW..=now + WINDOW).filter(|step| *step >= 0);
        let right: Vec<_> = steps
            .filter(|step| self.code_of(*step) == code.as_str())
            .collect();
        match right.iter().find(|step| **step > used) {
            Some(step) => Finding::Right(*step),
            None if right.is_empty() => Finding::Wrong,
            None => Finding::Reused,
        }
    }

    /// The URI that an authenticator takes this from, for an account of that name.
    pub fn uri(&self, account: &str) -> String {
        let (secret, algorithm) = (self.secret().to_base32(), self.algorithm.name());
        format!(
            "otpauth://totp/twinkle:{}?secret={secret}&issuer=twinkle&algorithm={algorithm}\
             &digits={}&period={STEP}",
            percent_encode(account),
            self.digits
        )
    }
}

/// The step of a time, UTC milliseconds.
pub fn step_at(millis: i64) -> i64 {
    millis.div_euclid(STEP * 1000)
}

/// For how long a badge is locked after so many wrong codes in a row.
pub fn lock_after(wrong: u32) -> TimeDelta {
    let doublings = match wrong.checked_sub(FREE_ATTEMPTS + 1) {
        Some(doublings) => doublings.min(16),
        None => return TimeDelta::zero(),
    };
    TimeDelta::seconds((FIRST_LOCK << doublings).min(LONGEST_LOCK))
}

/// A text as a part of a URI's path: all but letters, digits and `-._~` by their bytes (RFC 3986).
fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(algorithm: Algorithm) -> Generator {
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        };
        let seed = b"1234567890".iter().copied().cycle().take(length);
        Generator {
            seed: Seed(seed.collect()),
            algorithm,
            digits: 8,
        }
    }

    fn code(text: &str) -> Code {
        Code::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        for (seconds, sha1, sha256) in [
            (59, "94287082", "46119246"),
            (1_111_111_109, "07081804", "68084774"),
            (1_111_111_111, "14050471", "67062674"),
            (1_234_567_890, "89005924", "91819424"),
            (2_000_000_000, "69279037", "90698825"),
            (20_000_000_000_i64, "65353130", "77737706"),
        ] {
            let step = step_at(seconds * 1000);
            assert_eq!(generator(Algorithm::Sha1).code_of(step), sha1);
            assert_eq!(generator(Algorithm::Sha256).code_of(step), sha256);
        }
    }

    #[test]
    fn a_code_is_right_for_a_step_either_side_and_once() {
        let generator = generator(Algorithm::Sha1);
        let (step, millis) = (41_152_263, 1_234_567_890_000);
        assert_eq!(step_at(millis), step);
        let judge = |of: i64, used| generator.judge(&code(&generator.code_of(of)), millis, used);
        for right in [step - 1, step, step + 1] {
            assert_eq!(judge(right, 0), Finding::Right(right));
            assert_eq!(judge(right, right), Finding::Reused);
            assert_eq!(judge(right, right - 1), Finding::Right(right));
        }
        for wrong in [step - 2, step + 2] {
            assert_eq!(judge(wrong, 0), Finding::Wrong);
        }
        // The same number without its leading zero is another code.
        let (millis, zero) = (1_111_111_109_000, "07081804");
        assert!(matches!(
            generator.judge(&code(zero), millis, 0),
            Finding::Right(_)
        ));
        assert_eq!(generator.judge(&code("7081804"), millis, 0), Finding::Wrong);
    }

    #[test]
    fn locks_grow_to_a_quarter_of_an_hour() {
        let locks = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1000].map(|wrong| lock_after(wrong).num_seconds());
        assert_eq!(locks, [0, 0, 0, 30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn an_authenticator_gets_a_uri_without_strange_characters() {
        let uri = generator(Algorithm::Sha256).uri("Zoë O'Brien: 李");
        assert_eq!(
            uri,
            "otpauth://totp/twinkle:Zo%C3%AB%20O%27Brien%3A%20%E6%9D%8E\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA\
             &issuer=twinkle&algorithm=SHA256&digits=8&period=30"
        );
    }

    #[test]
    fn a_seed_is_never_printed() {
        let shown = format!("{:?}", generator(Algorithm::Sha1));
        assert!(shown.contains("Seed(***)"), "{shown}");
    }
}
