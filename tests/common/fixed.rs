//! A site at a fixed time and place, of which everything that commands print is the same each time.

use std::fmt::Write;

use insta::{Settings, assert_snapshot};

use super::{ASHA, Client, Ended, NOBODY, Proc, RAVI, SOON, Site, TestClock};

/// Noon of a Thursday.
pub const NOON: &str = "2024-02-15T12:00:00Z";

/// A site at a fixed time.
pub struct Fixed {
    pub site: Site,
    pub clock: TestClock,
}

impl Fixed {
    /// Nothing is there yet.
    pub fn empty() -> Self {
        let site = Site::new();
        let clock = TestClock::standing_at(site.folder.path(), NOON);
        Self { site, clock }
    }

    /// Three people, one of whom is suspended, and their flashes of three days.
    pub fn seeded() -> Self {
        let fixed = Self::empty();
        fixed.clock.stand_at("2024-01-31T10:00:00Z");
        fixed.run(&["central", "init"]);
        for (name, id) in [("Asha Rao", ASHA), ("Ravi", RAVI), ("Zoë Müller", 9)] {
            let id = id.to_string();
            fixed.run(&[
                "employee",
                "add",
                name,
                "--twinklet",
                &id,
                "--joined",
                "2024-02-01",
            ]);
        }
        let listen = format!("{}:0", fixed.site.host);
        let mut command = fixed.site.command(&["central", "--listen", &listen]);
        fixed.clock.give_to(&mut command);
        let mut central = Proc::server(&mut command);
        let mut door = Client::door(central.address(), "lab");
        for (time, badges) in [
            ("2024-02-12T08:01:00Z", [ASHA, RAVI]),
            ("2024-02-13T08:02:00Z", [ASHA, 9]),
            ("2024-02-15T08:03:00Z", [RAVI, NOBODY]),
        ] {
            fixed.clock.stand_at(time);
            if badges == [RAVI, NOBODY] {
                fixed.run(&["employee", "suspend", "Ravi"]);
            }
            for badge in badges {
                door.flash(badge);
            }
        }
        drop(door);
        central.signal("TERM");
        central.wait(SOON);
        fixed.clock.stand_at(NOON);
        fixed
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        let mut command = self.site.command(args);
        command.env("COLUMNS", "100").env("SUDO_USER", "clerk");
        self.clock.give_to(&mut command);
        super::ended(&mut command)
    }

    /// Compares what a command prints with the file of that name.
    pub fn shows(&self, name: &str, args: &[&str]) {
        let mut command = "$ twinkle".to_owned();
        for arg in args {
            match arg.contains([' ', '\'', '*']) || arg.is_empty() {
                true => write!(command, " '{arg}'").unwrap(),
                false => write!(command, " {arg}").unwrap(),
            }
        }
        let Ended {
            code,
            stdout,
            stderr,
        } = self.run(args);
        let code = code.unwrap();
        let text = format!(
            "{command}\nexit code {code}\n--- standard output\n{stdout}--- standard error\n{stderr}"
        );
        let folder = self.site.folder.path().to_str().unwrap();
        let text = text
            .replace(folder, "[FOLDER]")
            .replace(&self.site.host.to_string(), "[HOST]");
        let text = without_fingerprints(&text);
        let mut settings = Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
        settings.bind(|| assert_snapshot!(name, text));
    }
}

/// The text with every fingerprint as one and the same.
fn without_fingerprints(text: &str) -> String {
    text.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| {
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_one = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            // The largest badge is as long.
            match is_one && digits != "9007199254740991" {
                true => word.replace(digits, "[FINGERPRINT]"),
                false => word.to_owned(),
            }
        })
        .collect()
}
