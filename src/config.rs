//! The configuration: what `twinkle.toml` says, and the defaults where nothing says anything.
//! Command-line flags and `TWINKLE_*` variables come first; see `cli`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{env, fs};

use chrono_tz::{TZ_VARIANTS, Tz};
use nix::unistd::gethostname;
use serde::Deserialize;

use crate::domain::attendance::sheet::Sheet;
use crate::domain::ids::DeviceName;
use crate::domain::near::nearest;
use crate::wire::address::{Addresses, HostPort};
use crate::wire::plain::PlainRule;

mod calendar;
mod door;
mod limits;
mod retention;
mod span;

pub use calendar::{CalendarSettings, DepartmentSettings, HolidayList, TimeOfDay, WeekdayList};
pub use door::{DoorSettings, InputSettings, OutputSettings};
pub use limits::LimitSettings;
pub use retention::Retention;
pub use span::{Period, Span};

/// Where the configuration is if nobody says otherwise.
const DEFAULT_FILE: &str = "/etc/twinkle/twinkle.toml";

/// What is wrong with the configuration; says where.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        cause: std::io::Error,
    },
    /// The file is not as it should be.
    #[error("in the configuration {}: {cause}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, with line and column.
        cause: Box<toml::de::Error>,
    },
    /// There is no place for a database.
    #[error("no place for the database: neither HOME nor XDG_DATA_HOME is set; say --db FILE")]
    NoHome,
    /// The machine's name cannot name a device.
    #[error("this machine's name cannot name a {0}; give it a name")]
    NoName(&'static str),
}

/// `twinkle.toml`. Every key may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The database's file.
    pub db: Option<PathBuf>,
    /// When days begin, and on which nobody is expected.
    pub calendar: Option<CalendarSettings>,
    /// What is written around the register.
    pub register: Sheet,
    /// For `twinkle central`.
    pub central: CentralSettings,
    /// For `twinkle relay`.
    pub relay: RelaySettings,
    /// For `twinkle door`.
    pub door: DoorSettings,
    /// For both servers.
    pub limits: LimitSettings,
}

/// The table `[central]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CentralSettings {
    /// Where to listen, `HOST:PORT`.
    pub listen: Option<HostPort>,
    /// Whose plain-text packets to accept.
    pub accept_plain: Option<Vec<PlainRule>>,
    /// How long events are kept before `central archive` takes them.
    pub retain_events: Option<Retention>,
    /// Where to serve figures and health, `HOST:PORT`.
    pub metrics: Option<HostPort>,
    /// Whether addresses off this machine are used without protection.
    pub insecure: Option<bool>,
    /// From which unknown badge in a minute at a door on they are guesses.
    pub guesses_from: Option<NonZeroU32>,
    /// In less, nobody goes from one door to another.
    pub travel_time: Option<Span>,
}

/// The table `[relay]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelaySettings {
    /// The relay's name.
    pub name: Option<DeviceName>,
    /// Where the central listens, `HOST:PORT`; alternatives, the preferred first.
    pub central: Option<Addresses>,
    /// Where to listen, `HOST:PORT`.
    pub listen: Option<HostPort>,
    /// Whose plain-text packets to accept.
    pub accept_plain: Option<Vec<PlainRule>>,
    /// How long the central may take to answer.
    pub deadline: Option<Span>,
    /// The identity's file.
    pub identity: Option<PathBuf>,
    /// For how long the relay decides by itself when the central is away.
    pub offline_for: Option<Period>,
    /// The file for what waits for the central.
    pub spool: Option<PathBuf>,
    /// The most events that may wait for it.
    pub spool_limit: Option<u64>,
    /// Where to serve figures and health, `HOST:PORT`.
    pub metrics: Option<HostPort>,
    /// Whether addresses off this machine are used without protection.
    pub insecure: Option<bool>,
}

impl Settings {
    /// The file named, or else `/etc/twinkle/twinkle.toml`, which need not exist.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn file(named: Option<&Path>) -> Result<Option<File>, Error> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(File {
                path: path.to_owned(),
                text,
            })),
            Err(cause) if named.is_none() && cause.kind() == std::io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(cause) => Err(Error::Unreadable {
                path: path.to_owned(),
                cause,
            }),
        }
    }

    /// What that file says.
    ///
    /// # Errors
    /// [`Error::Wrong`].
    pub fn read(file: Option<&File>) -> Result<Self, Error> {
        let Some(File { path, text }) = file else {
            return Ok(Self::default());
        };
        let mut settings: Self = toml::from_str(text).map_err(|cause| Error::Wrong {
            path: path.clone(),
            cause: Box::new(cause),
        })?;
        if let (Some(calendar), Some(folder)) = (&mut settings.calendar, path.parent()) {
            calendar.find_files_beside(folder);
        }
        Ok(settings)
    }
}

/// The configuration's file.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
}

/// A timezone of the IANA database, by its name in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub Tz);

impl Zone {
    /// The machine's: what `TZ` says, if it names one, else what the system is set to.
    pub fn of_machine() -> Option<Self> {
        let said = env::var("TZ").ok();
        let said = said.as_deref().map(|name| name.trim_start_matches(':'));
        let set = || iana_time_zone::get_timezone().ok()?.parse().ok();
        said.and_then(|name| name.parse().ok()).or_else(set)
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let known = TZ_VARIANTS
            .iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(text));
        known.copied().map(Self).ok_or_else(|| {
            let names = TZ_VARIANTS.iter().map(|zone| zone.name());
            match nearest(text, names).first() {
                Some(near) => format!("no timezone has that name; did you mean {near}?"),
                None => "write a timezone as Asia/Kolkata or UTC".to_owned(),
            }
        })
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The name given, else the machine's.
///
/// # Errors
/// [`Error::NoName`] if that cannot name a device.
pub fn device_name(given: Option<DeviceName>, role: &'static str) -> Result<DeviceName, Error> {
    let machine = || gethostname().ok()?.into_string().ok()?.parse().ok();
    given.or_else(machine).ok_or(Error::NoName(role))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn wrong(text: &str) -> String {
        toml::from_str::<Settings>(text).unwrap_err().to_string()
    }

    #[test]
    fn every_key_is_read_and_may_be_left_out() {
        let all = r#"
            db = "/var/lib/twinkle/twinkle.db"
            [calendar]
            timezone = "Asia/Kolkata"
            weekly_off = ["saturday", "Sun"]
            [central]
            listen = "127.0.0.1:9999"
            accept_plain = ["lab@10.0.0.0/8"]
            insecure = true
            guesses_from = 5
            travel_time = "30s"
            [relay]
            name = "site"
            central = "hub:9999"
            listen = "127.0.0.1:9998"
            accept_plain = ["lab"]
            deadline = "1.5s"
            identity = "/etc/twinkle/site.identity"
            insecure = false
            [door]
            name = "front door"
            relay = "127.0.0.1:9998"
            from = "stdin"
            lock = "sim"
            open_for = "5s"
            active_low = true
            fail_safe = true
            deadline = "3s"
            identity = "/etc/twinkle/lab.identity"
            insecure = false
            [door.inputs]
            contact = "gpiochip0:23"
            exit_button = "GPIO24,active-low"
            fire = "GPIO25"
            tamper = "GPIO26"
            held_after = "30s"
            [door.outputs]
            green = "GPIO5"
            red = "GPIO6"
            buzzer = "GPIO13"
            [limits]
            connections = 20000
        "#;
        let settings: Settings = toml::from_str(all).unwrap();
        let calendar = settings.calendar.unwrap();
        assert_eq!(calendar.timezone, Some(Zone(Tz::Asia__Kolkata)));
        assert_eq!(calendar.weekly_off, Some("sat,sun".parse().unwrap()));
        assert_eq!(
            settings.relay.deadline,
            Some(Span(Duration::from_millis(1500)))
        );
        assert_eq!(settings.door.name.unwrap().as_str(), "front door");
        assert!(toml::from_str::<Settings>("").unwrap().db.is_none());
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, says) in [
            ("db = 'y'\ndatabase = 'x'", "line 2"),
            ("[calendar]\ntimezone = 'Mars/Olympus'", "line 2"),
            ("calendar.weekly_off = ['sonntag']", "write weekdays as"),
            ("[door]\nopen_for = 5", "line 2"),
            ("[door]\nopen_for = '5'", "write a time as"),
            ("[relay]\naccept_plain = ['lab@here']", "write 192.168.1.20"),
        ] {
            assert!(wrong(text).contains(says), "{text}: {}", wrong(text));
        }
    }

    #[test]
    fn timezones_have_names_in_any_case_and_near_ones_are_offered() {
        assert_eq!("asia/kolkata".parse(), Ok(Zone(Tz::Asia__Kolkata)));
        assert_eq!("utc".parse(), Ok(Zone(Tz::UTC)));
        let wrong = |text: &str| text.parse::<Zone>().unwrap_err();
        assert!(wrong("Asia/Kolkatta").contains("did you mean Asia/Kolkata?"));
        assert!(wrong("+05:30").contains("write a timezone as Asia/Kolkata or UTC"));
    }

    #[test]
    fn spans_have_a_unit_and_bounds() {
        for (text, millis, shown) in [
            ("5s", 5000, "5 s"),
            ("1.5s", 1500, "1.5 s"),
            ("500ms", 500, "500 ms"),
            ("2m", 120_000, "120 s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(
                (span.0.as_millis(), span.to_string().as_str()),
                (millis, shown)
            );
        }
        for bad in [
            "", "5", "s", "-5s", "0s", "2h", "5 apples", "1e999s", "NaNs",
        ] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?}");
        }
    }
}
