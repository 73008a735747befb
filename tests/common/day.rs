//! A day at an office: what an administrator changes, and what the door makes of it.

use super::{Client, Ended, Proc, Site, TestClock, ended};

/// A seeded site at noon of a Wednesday that stays, with a central and the door "lab".
pub struct Day {
    pub site: Site,
    pub clock: TestClock,
    pub central: Proc,
    pub door: Client,
}

impl Day {
    pub fn new() -> Self {
        let site = Site::seeded();
        let clock = TestClock::standing_at(site.folder.path(), "2024-02-28T12:00:00Z");
        let mut command = site.command(&["central", "--listen", "127.0.0.1:0"]);
        clock.give_to(&mut command);
        let central = Proc::server(&mut command);
        let door = Client::door(central.address(), "lab");
        Self {
            site,
            clock,
            central,
            door,
        }
    }

    /// Runs `twinkle employee`.
    pub fn run(&self, args: &[&str]) -> Ended {
        let mut command = self.site.command(&[&["employee"], args].concat());
        self.clock.give_to(&mut command);
        ended(&mut command)
    }

    /// Runs `twinkle employee`, which must succeed.
    pub fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended.stdout
    }

    /// What a badge gets at the door, and whose it is.
    pub fn flash(&mut self, badge: u64) -> (String, String) {
        let answer = self.door.flash(badge);
        (answer.verdict.to_owned(), answer.name.unwrap_or_default())
    }

    pub fn opens_for(&mut self, badge: u64, name: &str) {
        assert_eq!(self.flash(badge), ("open".to_owned(), name.to_owned()));
    }

    pub fn opens_not(&mut self, badge: u64, reason: &str) {
        assert_eq!(self.flash(badge), (reason.to_owned(), String::new()));
    }
}
