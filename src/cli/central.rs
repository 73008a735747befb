//! The command line of the central: serving, and what is done beside it.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use crate::cli::{AuthorArgs, SiteArgs};
use crate::config::{Span, WeekdayList};
use crate::domain::calendar::DayChoice;
use crate::domain::direction::Direction;
use crate::domain::ids::DeviceName;
use crate::render::Format;
use crate::wire::Role;
use crate::wire::address::HostPort;
use crate::wire::plain::PlainRule;

/// `twinkle central`.
#[derive(Debug, Args)]
#[command(after_help = "\
Variables: TWINKLE_CENTRAL_LISTEN, TWINKLE_CENTRAL_ACCEPT_PLAIN, TWINKLE_CENTRAL_INSECURE,
TWINKLE_CENTRAL_METRICS, TWINKLE_CENTRAL_TRAVEL_TIME, TWINKLE_DB, TWINKLE_TIMEZONE,
TWINKLE_WEEKLY_OFF

Examples:
  twinkle central
  twinkle central --listen 0.0.0.0:9999           from every address, once a device is enrolled
  twinkle central --accept-plain lab@192.168.1.20
  twinkle central init --db /var/lib/twinkle/twinkle.db
  twinkle central enroll lab --role door          make the identity of the door 'lab'
  twinkle central disown lab                      and end it
  twinkle central calendar                        when days begin, weekly offs and holidays")]
pub struct CentralArgs {
    /// What else than to serve.
    #[command(subcommand)]
    pub command: Option<CentralCommand>,
    /// Where to listen [default: 127.0.0.1:9999]
    #[arg(
        long,
        value_name = "ADDR",
        env = "TWINKLE_CENTRAL_LISTEN",
        hide_env = true
    )]
    pub listen: Option<HostPort>,
    /// Take old plain-text packets for that door [from that network]
    #[arg(
        long,
        value_name = "DOOR[@NET]",
        value_delimiter = ',',
        env = "TWINKLE_CENTRAL_ACCEPT_PLAIN",
        hide_env = true
    )]
    pub accept_plain: Vec<PlainRule>,
    /// Serve figures and health there, over HTTP [default: not at all]
    #[arg(
        long,
        value_name = "ADDR",
        env = "TWINKLE_CENTRAL_METRICS",
        hide_env = true
    )]
    pub metrics: Option<HostPort>,
    /// The clock is right, though something later is stored
    #[arg(long)]
    pub trust_clock: bool,
    /// Use addresses off this machine until a device is enrolled
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        env = "TWINKLE_CENTRAL_INSECURE",
        hide_env = true,
        hide_possible_values = true
    )]
    pub insecure: Option<bool>,
    /// Flag a badge that is at another door sooner than this
    #[arg(
        long,
        value_name = "TIME",
        env = "TWINKLE_CENTRAL_TRAVEL_TIME",
        hide_env = true
    )]
    pub travel_time: Option<Span>,
    /// Weekdays off, as in sat,sun or none [default: the database's]
    #[arg(
        long,
        global = true,
        value_name = "DAYS",
        env = "TWINKLE_WEEKLY_OFF",
        hide_env = true
    )]
    pub weekly_off: Option<WeekdayList>,
    /// The database and its days.
    #[command(flatten)]
    pub site: SiteArgs,
}

/// The subcommands of `twinkle central`.
#[derive(Debug, Subcommand)]
pub enum CentralCommand {
    /// Make the database, or bring it up to date, and serve nothing
    #[command(after_help = "\
Examples:
  twinkle central init
  twinkle central init --db /var/lib/twinkle/twinkle.db --timezone Asia/Kolkata")]
    Init,
    /// Make the identity of a door or a relay: one file to copy there
    Enroll(EnrollArgs),
    /// Make a new identity for a device; the old one ends when it is first used
    #[command(after_help = "\
Examples:
  twinkle central rotate lab -o lab.identity")]
    Rotate {
        /// The device's name
        name: DeviceName,
        /// The file to write [default: NAME.new.identity]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// End a device's identity, also while it is connected
    #[command(after_help = "\
Examples:
  twinkle central disown lab")]
    Disown {
        /// The device's name
        name: DeviceName,
    },
    /// List doors and relays, and when each was last seen
    #[command(after_help = "\
Examples:
  twinkle central devices
  twinkle central devices --format csv")]
    Devices {
        /// How to print them: table or csv
        #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
        format: Format,
    },
    /// Copy the database into a new file, also while it is served
    #[command(after_help = "\
Examples:
  twinkle central backup /media/backup/twinkle.db
  twinkle central backup /media/backup/twinkle.db --with-keys")]
    Backup {
        /// The file to make
        file: PathBuf,
        /// Copy the keys beside it too; keep such a copy secret
        #[arg(long)]
        with_keys: bool,
    },
    /// Move old events into a file of their own; the register keeps its days
    #[command(after_help = "\
Flashes are answered meanwhile. The file is made, or grows; it is a SQLite database.

Examples:
  twinkle central archive /media/backup/archive.db
  twinkle central archive /media/backup/archive.db --before 2025-01-01")]
    Archive {
        /// The file
        file: PathBuf,
        /// The first day that stays [default: as retain_events says, two years]
        #[arg(long, value_name = "DAY")]
        before: Option<DayChoice>,
    },
    /// Put a backup where no database is
    #[command(after_help = "\
Examples:
  twinkle central restore /media/backup/twinkle.db --db /var/lib/twinkle/twinkle.db")]
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Take a door out of service, or a relay until it connects again
    Retire(RetireArgs),
    /// Show the calendar, or take it over from the configuration
    Calendar(CalendarArgs),
    /// Show or set which way people go through a door, and whether it needs codes
    Door(DoorWayArgs),
}

/// `twinkle central enroll`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  twinkle central enroll 'North gate' --role relay
  twinkle central enroll lab --role door --relay 'North gate'
  twinkle central enroll lab --role door          a door that connects to the central itself
  twinkle central enroll old --role door --relay 'North gate' --plain")]
pub struct EnrollArgs {
    /// The device's name
    pub name: DeviceName,
    /// What it is: door or relay
    #[arg(long, value_name = "ROLE")]
    pub role: Role,
    /// A relay through which a door may come; may be given several times
    #[arg(long, value_name = "NAME")]
    pub relay: Vec<DeviceName>,
    /// An old receiver's door, which speaks plain text to that relay: no file
    #[arg(long)]
    pub plain: bool,
    /// The file to write [default: NAME.identity]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `twinkle central retire`.
#[derive(Debug, Args)]
#[command(after_help = "\
No flash opens a door that is out of service: each gets door-retired, whatever connects as that
door. Nothing more is expected of such a relay, so that days become final without it.

Examples:
  twinkle central retire 'Old gate'
  twinkle central retire 'Old gate' --undo        it opens again
  twinkle central retire north --role relay       where a door is called so too")]
pub struct RetireArgs {
    /// The device's name
    pub name: DeviceName,
    /// What it is, where a door and a relay are called so: door or relay
    #[arg(long, value_name = "ROLE")]
    pub role: Option<Role>,
    /// Put it back into service
    #[arg(long)]
    pub undo: bool,
}

/// `twinkle central calendar`.
#[derive(Debug, Args)]
#[command(after_help = "\
A central takes the calendar over whenever it starts; --load does, beside a running one, and says
what it changed. A holiday file that cannot be used leaves all as it was.

Examples:
  twinkle central calendar --year 2027
  twinkle central calendar --load                 after a holiday was written into twinkle.toml")]
pub struct CalendarArgs {
    /// Take over what the configuration says
    #[arg(long, conflicts_with_all = ["year", "format"])]
    pub load: bool,
    /// The year whose holidays to show [default: this]
    #[arg(long, value_name = "YEAR")]
    pub year: Option<i32>,
    /// How to print them: table or csv
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub format: Format,
    /// Who does it.
    #[command(flatten)]
    pub author: AuthorArgs,
}

/// `twinkle central door`.
#[derive(Debug, Args)]
#[command(after_help = "\
A flash at a door that is only an exit says when somebody was last seen, and makes nobody present.

Examples:
  twinkle central door 'back door' --direction out
  twinkle central door 'back door' --direction out --since 2026-11-01
  twinkle central door lab                        which way it is
  twinkle central door vault --require-code       opens with one-time codes only")]
pub struct DoorWayArgs {
    /// The door's name
    pub name: DeviceName,
    /// The way: in, out or both
    #[arg(long, value_name = "WAY")]
    pub direction: Option<Direction>,
    /// The first day whose flashes count anew [default: today]
    #[arg(long, value_name = "DAY", requires = "direction")]
    pub since: Option<DayChoice>,
    /// Open with one-time codes only
    #[arg(long, conflicts_with_all = ["direction", "no_require_code"])]
    pub require_code: bool,
    /// Open without codes for those who need none
    #[arg(long, conflicts_with = "direction")]
    pub no_require_code: bool,
    /// Who does it.
    #[command(flatten)]
    pub author: AuthorArgs,
}
