//! What every role needs that opens the database: which file it is, and what its days are.

use std::env;
use std::path::PathBuf;

use chrono_tz::Tz;
use tracing::info;

use crate::cli::SiteArgs;
use crate::config::{Error, Settings};
use crate::db::{self, Store};
use crate::domain::calendar::Days;

/// A site's database and days, as the command line, the configuration and the defaults have it.
#[derive(Debug)]
pub struct Site {
    /// The database's file.
    pub database: PathBuf,
    /// Who named it, for messages.
    pub named_by: NamedBy,
    /// Where days begin and end.
    pub days: Days,
}

/// Who said which database to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
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
        let timezone = args
            .timezone
            .or(settings.timezone)
            .or_else(machine_timezone);
        let days = Days {
            timezone: timezone.unwrap_or(Tz::UTC),
        };
        let (database, named_by) = match (args.db, settings.db.clone()) {
            (Some(path), _) => (path, NamedBy::Flag),
            (None, Some(path)) => (path, NamedBy::Configuration),
            (None, None) => (default_place()?, NamedBy::Default),
        };
        Ok(Self {
            database,
            named_by,
            days,
        })
    }

    /// Opens the database, which must be there, and says which it is.
    ///
    /// # Errors
    /// Those of [`Store::open`]; where there is none, with what to do.
    pub fn open(&self) -> db::Result<Store> {
        let path = self.database.display();
        info!("database {path}");
        Store::open(&self.database).map_err(|error| match error {
            db::Error::Missing(_) => {
                let named_by = match self.named_by {
                    NamedBy::Flag => "named by --db or TWINKLE_DB",
                    NamedBy::Configuration => "named by the configuration",
                    NamedBy::Default => "the default place",
                };
                db::Error::NotFound(format!(
                    "no database at {path} ({named_by}); 'twinkle central init' makes one, \
                     or name another with --db"
                ))
            }
            other => other,
        })
    }
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

fn machine_timezone() -> Option<Tz> {
    iana_time_zone::get_timezone().ok()?.parse().ok()
}
