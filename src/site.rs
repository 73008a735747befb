//! What every role needs that opens the database: which file it is, and what its days are.

use std::path::PathBuf;
use std::{env, fs};

use chrono_tz::Tz;
use tracing::{info, warn};

use crate::cli::SiteArgs;
use crate::config::{Error, Settings, Zone};
use crate::db::{self, Opened, Store};
use crate::domain::calendar::Days;

/// A site's database, as the command line, the configuration and the defaults have it.
#[derive(Debug)]
pub struct Site {
    /// The database's file.
    database: PathBuf,
    /// Who named it.
    named_by: NamedBy,
    /// Where days begin and end, if anybody says so. The database knows otherwise: a flash and a
    /// report must not disagree about what day it was.
    timezone: Option<Zone>,
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
            timezone: args.timezone.or(settings.timezone),
        })
    }

    /// Opens the database for the central, and makes it if there is none; if another timezone was
    /// named than it had, that is its timezone from now on.
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
        let initially = self
            .timezone
            .or_else(Zone::of_machine)
            .map_or(Tz::UTC, |zone| zone.0);
        let mut opened = Store::open_as_central(&self.database, initially)?;
        let before = opened.store.timezone()?;
        if let Some(Zone(named)) = self.timezone.filter(|zone| zone.0 != before) {
            warn!("days begin and end in {named} from now on, and did in {before} until now");
            opened.store.set_timezone(named)?;
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
        let store = Store::open(&self.database).map_err(|error| match error {
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
        })?;
        let timezone = match self.timezone {
            Some(named) => named.0,
            None => store.timezone()?,
        };
        Ok((store, Days { timezone }))
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
