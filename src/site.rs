//! What every role needs that opens the database: which file it is, and what its days are.

use std::path::{Path, PathBuf};
use std::{env, fs};

use chrono_tz::Tz;
use tracing::{info, warn};

use crate::author;
use crate::cli::SiteArgs;
use crate::clock::{self, Clock, SystemClock};
use crate::config::{CalendarSettings, Error, Settings, WeekdayList, Zone};
use crate::db::{self, Author, Opened, Store};
use crate::domain::calendar::Days;
use crate::domain::ids::DeviceName;

mod calendar;

pub use calendar::Unusable;

/// A site's database, as the command line, the configuration and the defaults have it.
#[derive(Debug)]
pub struct Site {
    /// The database's file.
    database: PathBuf,
    /// Who named it.
    named_by: NamedBy,
    /// Where days begin and end, if the command line says so. The database knows otherwise: a flash
    /// and a report must not disagree about what day it was.
    timezone: Option<Zone>,
    /// The weekly offs, if the command line says so.
    weekly_off: Option<WeekdayList>,
    /// The calendar of the configuration, if it has one.
    calendar: Option<CalendarSettings>,
}

/// Who said which database to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    /// `--db`, or `TWINKLE_DB`.
    Flag,
    /// `twinkle.toml`.
    Configuration,
    /// Nobody: `$XDG_DATA_HOME/twinkle/twinkle.db`, the same for all roles.
    Default,
}

impl Site {
    /// Finds out which site is meant.
    ///
    /// # Errors
    /// [`Error::NoHome`] if there is not even a default place for the database.
    pub fn choose(args: SiteArgs, settings: &Settings) -> Result<Self, Error> {
        let (database, named_by) = match (args.db, settings.db.clone()) {
            (Some(path), _) => (path, NamedBy::Flag),
            (None, Some(path)) => (path, NamedBy::Configuration),
            (None, None) => (default_place()?, NamedBy::Default),
        };
        Ok(Self {
            database,
            named_by,
            timezone: args.timezone,
            weekly_off: None,
            calendar: settings.calendar.clone(),
        })
    }

    /// The same site, with the weekly offs that a command line says.
    #[must_use]
    pub fn with_weekly_off(self, weekly_off: Option<WeekdayList>) -> Self {
        Self { weekly_off, ..self }
    }

    /// The database's file, whether it is there or not.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Opens the database for the central, and makes it if there is none; its calendar is what the
    /// configuration and the command line say from now on. Where they say nothing, it stays.
    ///
    /// # Errors
    /// Those of [`Store::open_as_central`].
    pub fn open_as_central(&self) -> db::Result<Opened<db::Central>> {
        // Elsewhere, a folder that is not there is more likely a slip of the pen.
        if self.named_by == NamedBy::Default
            && let Some(folder) = self.database.parent()
        {
            // Where this fails, opening does too, and says why.
            let _made = fs::create_dir_all(folder);
        }
        let named = self.timezone.or_else(|| self.calendar.as_ref()?.timezone);
        let initially = named
            .or_else(Zone::of_machine)
            .map_or(Tz::UTC, |zone| zone.0);
        let opened = Store::open_as_central(&self.database, initially);
        let mut opened = opened.map_err(|error| self.say_who_named_it(error))?;
        let before = opened.store.calendar()?;
        match self.calendar(&before) {
            Ok(calendar) => {
                let author = Author {
                    who: author::who(None),
                    at: SystemClock.now(),
                };
                for change in opened.store.set_calendar(&calendar, &author)? {
                    info!("calendar: {change}");
                }
            }
            // No door stays shut for a holiday.
            Err(wrong) => warn!("{wrong}; the calendar stays as it was"),
        }
        Ok(opened)
    }

    /// Opens the database, which must be there, and says which it is; also returns what its days
    /// are.
    ///
    /// # Errors
    /// Those of [`Store::open`]; where there is none, with what to do.
    pub fn open(&self) -> db::Result<(Store, Days)> {
        let path = self.database.display();
        info!("database {path}");
        let now = SystemClock.now();
        if !clock::is_set(now) {
            warn!(
                "this machine's clock shows {}: it was never set, and days that nobody names count \
                 from there; set it, as with timedatectl",
                now.format("%Y-%m-%d %H:%M UTC")
            );
        }
        let opened = Store::open(&self.database);
        let store = opened.map_err(|error| self.say_who_named_it(error))?;
        let mut days = store.days()?;
        if let Some(Zone(named)) = self.timezone {
            days.timezone = named;
        }
        Ok((store, days))
    }

    /// An error that speaks of the wrong file, with who named that and what to do.
    fn say_who_named_it(&self, error: db::Error) -> db::Error {
        let named_by = match self.named_by {
            NamedBy::Flag => "named by --db or TWINKLE_DB",
            NamedBy::Configuration => "named by the configuration",
            NamedBy::Default => "the default place",
        };
        match error {
            db::Error::Missing(path) => db::Error::NotFound(format!(
                "no database at {} ({named_by}); 'twinkle central init' makes one, or name another \
                 with --db",
                path.display()
            )),
            db::Error::NotOurs { path, what } => db::Error::NotOurs {
                path,
                what: format!("{what} ({named_by}): name twinkle's with --db"),
            },
            other => other,
        }
    }
}

/// Where a relay's file is if nobody says otherwise: beside the database's default place, with the
/// relay's name in its own. The folder is made.
///
/// # Errors
/// [`Error::NoHome`] if there is not even a default place.
pub fn default_relay_file(relay: &DeviceName) -> Result<PathBuf, Error> {
    let mut name = String::from("relay-");
    for byte in relay.as_str().bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => name.push(byte.into()),
            // No name of a relay is a path, and no two make the same file.
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    let path = default_place()?.with_file_name(name + ".db");
    if let Some(folder) = path.parent() {
        // Where this fails, opening does too, and says why.
        let _made = fs::create_dir_all(folder);
    }
    Ok(path)
}

fn default_place() -> Result<PathBuf, Error> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    Ok(data.ok_or(Error::NoHome)?.join("twinkle/twinkle.db"))
}
