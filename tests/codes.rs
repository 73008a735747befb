//! One-time codes: who needs one, that each opens one door once, and what guessing comes to.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing step fails its test"
)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use common::{ASHA, Client, NOBODY, Proc, Site, TestClock};
use twinkle::domain::code::Code;
use twinkle::domain::otp::{Algorithm, Generator, Seed, step_at};

/// A site with a central, at noon by a clock that stands still.
struct Noon {
    site: Site,
    clock: TestClock,
    central: Proc,
}

const NOON: &str = "2026-11-25T12:00:00Z";
const NOON_MILLIS: i64 = 1_795_608_000_000;

impl Noon {
    fn new() -> Self {
        let site = Site::seeded();
        let clock = TestClock::standing_at(site.folder.path(), NOON);
        let central = Self::central(&site, &clock);
        Self {
            site,
            clock,
            central,
        }
    }

    fn central(site: &Site, clock: &TestClock) -> Proc {
        let listen = format!("{}:0", site.host);
        let mut command = site.command(&["central", "--listen", &listen]);
        clock.give_to(&mut command);
        Proc::server(&mut command)
    }

    fn door(&self, name: &str) -> Client {
        Client::door(self.central.address(), name)
    }

    /// Enables codes for Asha, and returns what shows them.
    fn enable(&self, args: &[&str]) -> Generator {
        let enable = ["employee", "code", "Asha Rao", "--enable"];
        generator(&self.site.ok(&[&enable[..], args].concat()))
    }
}

/// What an authenticator makes of the URI that was printed.
fn generator(printed: &str) -> Generator {
    let uri = printed
        .lines()
        .find(|line| line.starts_with("otpauth://totp/twinkle:Asha%20Rao?"))
        .unwrap();
    let field = |name: &str| {
        let mut fields = uri
            .split(['?', '&'])
            .filter_map(|field| field.split_once('='));
        fields
            .find(|(field, _)| *field == name)
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(field("period"), "30");
    Generator {
        seed: Seed(from_base32(&field("secret"))),
        algorithm: Algorithm::from_name(&field("algorithm")).unwrap(),
        digits: field("digits").parse().unwrap(),
    }
}

fn from_base32(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text
        .bytes()
        .map(|byte| {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
                .iter()
                .position(|d| *d == byte)
                .unwrap()
        })
        .flat_map(|value| (0..5).rev().map(move |bit| u8::from(value >> bit & 1 == 1)))
        .collect();
    bits.chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit))
        .collect()
}

/// Flashes Asha's badge with a code.
fn flash(door: &mut Client, code: &str) -> &'static str {
    let mut flash = door.new_flash(ASHA);
    flash.code = Some(Code::try_from(code.to_owned()).unwrap());
    door.ask(&flash).verdict
}

/// A code that is none of those which are right about then.
fn wrong(generator: &Generator, step: i64) -> String {
    let right: Vec<_> = (step - 2..=step + 10)
        .map(|s| generator.code_of(s))
        .collect();
    let mut codes = (0..).map(|n| format!("{n:06}"));
    codes.find(|code| !right.contains(code)).unwrap()
}

#[test]
fn a_code_opens_one_door_once() {
    let mut noon = Noon::new();
    let (mut lab, mut gate) = (noon.door("lab"), noon.door("gate"));
    // A badge that needs no code may show one.
    assert_eq!(flash(&mut lab, "123456"), "open");
    let generator = noon.enable(&[]);
    assert_eq!(
        (generator.algorithm, generator.digits),
        (Algorithm::Sha1, 6)
    );
    assert_eq!(generator.seed.0.len(), 20);
    let step = step_at(NOON_MILLIS);
    let code = |step| generator.code_of(step);
    assert_eq!(lab.flash(ASHA).verdict, "code-missing");
    assert_eq!(flash(&mut lab, &wrong(&generator, step)), "code-wrong");
    for stale in [step - 2, step + 2] {
        assert_eq!(flash(&mut lab, &code(stale)), "code-wrong");
        noon.site
            .sql()
            .execute("DELETE FROM code_lock", [])
            .unwrap();
    }
    // A clock that is half a minute behind; then one that is right, and one that is ahead.
    assert_eq!(flash(&mut lab, &code(step - 1)), "open");
    assert_eq!(flash(&mut gate, &code(step - 1)), "code-reused");
    assert_eq!(flash(&mut gate, &code(step)), "open");
    assert_eq!(flash(&mut lab, &code(step)), "code-reused");
    assert_eq!(flash(&mut lab, &code(step - 1)), "code-reused");

    // Used is used, whatever becomes of the central.
    noon.central.kill_9();
    noon.central = Noon::central(&noon.site, &noon.clock);
    let mut lab = noon.door("lab");
    assert_eq!(flash(&mut lab, &code(step)), "code-reused");
    assert_eq!(flash(&mut lab, &code(step + 1)), "open");
    noon.clock.stand_at("2026-11-25T12:01:00Z");
    assert_eq!(flash(&mut lab, &code(step + 1)), "code-reused");
    assert_eq!(flash(&mut lab, &code(step + 2)), "open");

    // A flash that is sent again is no second use.
    noon.clock.stand_at("2026-11-25T12:02:00Z");
    let mut again = lab.new_flash(ASHA);
    again.code = Some(Code::try_from(code(step + 4)).unwrap());
    assert_eq!(lab.ask(&again).verdict, "open");
    assert_eq!(lab.ask(&again).verdict, "open");

    let disabled = noon.site.ok(&["employee", "code", "Asha Rao", "--disable"]);
    assert_eq!(disabled, "1: Asha Rao needs no one-time code any more\n");
    assert_eq!(lab.flash(ASHA).verdict, "open");
}

#[test]
fn of_many_doors_at_the_same_moment_one_opens() {
    let noon = Noon::new();
    let generator = noon.enable(&["--digits", "8", "--sha256"]);
    assert_eq!(
        (generator.algorithm, generator.digits),
        (Algorithm::Sha256, 8)
    );
    let mut doors: Vec<_> = (0..8).map(|n| noon.door(&format!("door {n}"))).collect();
    for step in 0..3 {
        let code = &generator.code_of(step_at(NOON_MILLIS) - 1 + step);
        let verdicts: Vec<_> = thread::scope(|scope| {
            let asking: Vec<_> = doors
                .iter_mut()
                .map(|door| scope.spawn(move || flash(door, code)))
                .collect();
            asking
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .collect()
        });
        let opens = verdicts
            .iter()
            .filter(|verdict| **verdict == "open")
            .count();
        assert_eq!(opens, 1, "{verdicts:?}");
        assert!(verdicts.iter().all(|v| ["open", "code-reused"].contains(v)));
    }
}

#[test]
fn wrong_codes_lock_their_badge_for_longer_and_longer() {
    let noon = Noon::new();
    let generator = noon.enable(&[]);
    let mut lab = noon.door("lab");
    let bad = wrong(&generator, step_at(NOON_MILLIS));
    for _ in 0..3 {
        assert_eq!(flash(&mut lab, &bad), "code-wrong");
    }
    let right = |time: &str| {
        noon.clock.stand_at(time);
        let millis = time
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
            .timestamp_millis();
        generator.code_of(step_at(millis))
    };
    let code = right("2026-11-25T12:00:29Z");
    assert_eq!(flash(&mut lab, &code), "too-many-guesses");
    assert_eq!(lab.flash(NOBODY).verdict, "unknown-twinklet");
    let code = right("2026-11-25T12:00:30Z");
    assert_eq!(flash(&mut lab, &bad), "code-wrong");
    // Twice as long now.
    assert_eq!(flash(&mut lab, &code), "too-many-guesses");
    let code = right("2026-11-25T12:01:29Z");
    assert_eq!(flash(&mut lab, &code), "too-many-guesses");
    let code = right("2026-11-25T12:01:30Z");
    assert_eq!(flash(&mut lab, &code), "open");
    // The right one ends it.
    assert_eq!(flash(&mut lab, &bad), "code-wrong");
    let code = right("2026-11-25T12:02:00Z");
    assert_eq!(flash(&mut lab, &code), "open");
}

#[test]
fn a_central_whose_clock_is_unset_refuses_codes_and_no_plain_badges() {
    let mut noon = Noon::new();
    let generator = noon.enable(&[]);
    noon.site.ok(&["employee", "resume", "Ravi"]);
    // Ravi's badge is plain.
    noon.site
        .sql()
        .execute_batch("UPDATE employee SET joined = '1970-01-01'; UPDATE assignment SET from_day = '1970-01-01'")
        .unwrap();
    noon.clock.stand_at("1970-01-01T00:05:00Z");
    let mut lab = noon.door("lab");
    assert_eq!(flash(&mut lab, &generator.code_of(10)), "clock-unset");
    assert_eq!(lab.flash(common::RAVI).verdict, "open");
    // One that started so goes on from the newest that is stored, which is no time to judge codes by.
    noon.clock.stand_at(NOON);
    assert_eq!(lab.flash(common::RAVI).verdict, "open");
    noon.central.kill_9();
    noon.clock.stand_at("1970-01-01T00:05:00Z");
    noon.central = Noon::central(&noon.site, &noon.clock);
    let mut lab = noon.door("lab");
    let code = generator.code_of(step_at(NOON_MILLIS));
    assert_eq!(flash(&mut lab, &code), "clock-unset");
    assert_eq!(lab.flash(common::RAVI).verdict, "open");
}

#[test]
fn seeds_are_sealed_with_a_key_outside_the_database() {
    let noon = Noon::new();
    let generator = noon.enable(&[]);
    let folder = noon.site.folder.path();
    let key = folder.join("twinkle.db.code-key");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let seed = &generator.seed.0;
    for file in ["twinkle.db", "twinkle.db-wal", "twinkle.db.code-key"] {
        let bytes = fs::read(folder.join(file)).unwrap();
        assert!(
            !bytes.windows(seed.len()).any(|window| window == seed),
            "{file}"
        );
    }
    // A stolen seed is of no use to somebody else.
    noon.site.ok(&["employee", "resume", "Ravi"]);
    noon.site.ok(&["employee", "code", "Ravi", "--enable"]);
    noon.site
        .sql()
        .execute(
            "UPDATE code SET sealed = (SELECT sealed FROM code WHERE employee = 1)",
            [],
        )
        .unwrap();
    let mut lab = noon.door("lab");
    let code = generator.code_of(step_at(NOON_MILLIS));
    let mut ravis = lab.new_flash(common::RAVI);
    ravis.code = Some(Code::try_from(code.clone()).unwrap());
    assert_eq!(lab.ask(&ravis).verdict, "storage-failed");
    noon.central
        .stderr
        .wait_for("codes of employee 2 cannot be checked");

    fs::rename(&key, folder.join("elsewhere")).unwrap();
    assert_eq!(flash(&mut lab, &code), "storage-failed");
    noon.central.stderr.wait_for("put it back from a backup");
    let enable = noon.site.run(&["employee", "code", "Asha Rao", "--enable"]);
    assert_eq!(enable.code, Some(4), "{enable:?}");
    assert!(enable.stderr.contains("twinkle.db.code-key"), "{enable:?}");
    fs::rename(folder.join("elsewhere"), &key).unwrap();
    assert_eq!(flash(&mut lab, &code), "open");

    let log = noon.central.stderr.all().join("\n");
    assert!(!log.contains(&code), "{log}");
}

#[test]
fn codes_open_doors_after_a_move_with_the_keys() {
    let mut noon = Noon::new();
    let generator = noon.enable(&[]);
    let code = |later| generator.code_of(step_at(NOON_MILLIS) + later);
    assert_eq!(flash(&mut noon.door("lab"), &code(-1)), "open");
    let backup = |file, keys: &[&str]| {
        noon.site.ok(&[&["central", "backup", file], keys].concat());
    };
    backup("with.db", &["--with-keys"]);
    backup("without.db", &[]);
    noon.central.kill_9();
    let folder = noon.site.folder.path().to_owned();
    for (from, verdict) in [("without.db", "storage-failed"), ("with.db", "open")] {
        for beside in ["", "-wal", "-shm", ".code-key"] {
            let _none = fs::remove_file(folder.join(format!("twinkle.db{beside}")));
        }
        let said = noon.site.ok(&["central", "restore", from]);
        assert_eq!(
            said.contains("codes is not there"),
            verdict != "open",
            "{said}"
        );
        noon.central = Noon::central(&noon.site, &noon.clock);
        let mut lab = noon.door("lab");
        assert_eq!(flash(&mut lab, &code(0)), verdict, "{from}");
        noon.central.kill_9();
    }
}

#[test]
fn a_door_may_need_codes_of_everybody() {
    let noon = Noon::new();
    let mut vault = noon.door("vault");
    assert_eq!(vault.flash(ASHA).verdict, "open");
    let unknown = noon
        .site
        .run(&["central", "door", "valt", "--require-code"]);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
    let said = noon
        .site
        .ok(&["central", "door", "vault", "--require-code"]);
    assert_eq!(said, "door 'vault' opens with one-time codes only\n");
    assert_eq!(vault.flash(ASHA).verdict, "code-missing");
    assert_eq!(flash(&mut vault, "123456"), "code-missing");
    let generator = noon.enable(&[]);
    let code = generator.code_of(step_at(NOON_MILLIS));
    assert_eq!(flash(&mut vault, &code), "open");
    noon.site
        .ok(&["central", "door", "vault", "--no-require-code"]);
    noon.site.ok(&["employee", "code", "Asha Rao", "--disable"]);
    assert_eq!(vault.flash(ASHA).verdict, "open");
}

#[test]
fn a_code_may_be_typed_at_a_door() {
    let noon = Noon::new();
    let generator = noon.enable(&[]);
    let central = noon.central.address().to_string();
    let typed = format!("{ASHA}:{}", generator.code_of(step_at(NOON_MILLIS)));
    let once = ["door", "lab", "--relay", &central, "--flash"];
    let opened = noon.site.run(&[&once[..], &[&typed]].concat());
    assert_eq!(opened.code, Some(0), "{opened:?}");
    assert!(!opened.stdout.contains(&typed) && !opened.stderr.contains(&typed));
    let again = noon.site.run(&[&once[..], &[&typed]].concat());
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stdout.contains("code-reused"), "{again:?}");
}
