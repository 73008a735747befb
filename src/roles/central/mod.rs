//! `twinkle central`: takes flashes from relays and doors, decides them on the database, and
//! answers once the decision is stored.
//!
//! ```text
//! wire::server -> desk -> (bounded queue) -> writer -> db
//!      ^                                       |
//!      '------------- answers -----------------'
//! ```

use std::num::NonZeroU32;
use std::sync::Arc;

use tracing::{error, info, warn};

use crate::cli::{CentralArgs, CentralCommand};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings};
use crate::console;
use crate::db::{Condition, DeviceKind, Entry, Opened, Store};
use crate::domain::guessing::USUALLY_FROM;
use crate::exit::{Exit, Unusable, Usage};
use crate::metrics::{self, Metrics};
use crate::service;
use crate::shutdown;
use crate::site::Site;
use crate::wire::Role;
use crate::wire::address::HostPort;
use crate::wire::plain::PlainRules;
use crate::wire::server::{self, Admission};
use crate::wire::tls::Acceptor;

mod admin;
mod archive;
mod aside;
mod authority;
mod backup;
mod calendar;
mod checkpoints;
mod checkup;
mod desk;
mod devices;
mod direction;
mod figures;
mod keys;
mod presence;
mod retire;
mod roll;
mod rosters;
mod timekeeper;
mod writer;

use authority::Authority;
use desk::Desk;
use figures::Figures;
use roll::Registry;
use rosters::Rosters;
use timekeeper::{Known, Timekeeper};
use writer::Standing;

/// Where the central listens if nobody says otherwise: here, on the replaced system's port.
const DEFAULT_PORT: u16 = 9999;

/// Runs `twinkle central`.
///
/// # Errors
/// If the database cannot be opened, or the address cannot be listened on.
pub fn run(args: CentralArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let site = Site::choose(args.site.clone(), settings)?;
    let site = site.with_weekly_off(args.weekly_off.clone());
    match args.command {
        Some(CentralCommand::Init) => admin::init(&site),
        Some(CentralCommand::Enroll(args)) => devices::enroll(&site, args),
        Some(CentralCommand::Rotate { name, output }) => devices::rotate(&site, &name, output),
        Some(CentralCommand::Disown { name }) => devices::disown(&site, &name),
        Some(CentralCommand::Devices { format }) => devices::list(&site, format),
        Some(CentralCommand::Backup { file, with_keys }) => {
            backup::back_up(&site, &file, with_keys)
        }
        Some(CentralCommand::Archive { file, before }) => {
            archive::run(&site, &file, before, settings.central.retain_events)
        }
        Some(CentralCommand::Restore { file }) => backup::restore(&site, &file),
        Some(CentralCommand::Retire(args)) => retire::run(&site, &args),
        Some(CentralCommand::Calendar(args)) => calendar::run(&site, &args),
        Some(CentralCommand::Door(args)) if args.require_code || args.no_require_code => {
            admin::require_code(&site, &args)
        }
        Some(CentralCommand::Door(args)) => direction::run(&site, &args),
        None => shutdown::run(serve(args, settings, &site)),
    }
}

async fn serve(args: CentralArgs, settings: &Settings, site: &Site) -> anyhow::Result<Exit> {
    let stop = shutdown::on_signal()?;
    let section = &settings.central;
    let listen = args.listen.or_else(|| section.listen.clone());
    let listen = listen.unwrap_or_else(|| HostPort::here(DEFAULT_PORT));
    let insecure = args.insecure.or(section.insecure).unwrap_or(false);
    let rules = match args.accept_plain.is_empty() {
        true => section.accept_plain.clone().unwrap_or_default(),
        false => args.accept_plain,
    };
    let plain = PlainRules::new(rules).map_err(Usage)?;
    let name = config::device_name(None, "central")?;

    let Opened {
        mut store,
        condition,
    } = site.open_as_central()?;
    store.nobody_is_connected()?;
    let days = store.days()?;
    let how = match condition {
        Condition::Created => ", new",
        Condition::Migrated => ", brought up to date",
        Condition::Current => "",
    };
    let path = store.path().display();
    info!("central '{name}', database {path}{how}, days {days}");

    // What was known to be stored is no measure for a clock of which somebody says that it is right.
    let known = match (args.trust_clock, store.newest()?) {
        (true, _) => Known::Trusted,
        (false, Some(newest)) => Known::Newest(newest),
        (false, None) => Known::Nothing,
    };
    let timekeeper = Arc::new(Timekeeper::new(SystemClock, known));
    let clock: Arc<dyn Clock> = Arc::<Timekeeper<SystemClock>>::clone(&timekeeper);

    if store.begin_service()? {
        checkup::start(store.path())?;
    }

    let installation = store.installation()?;
    let acceptor = protection(&store, insecure)?;

    server::raise_open_files();
    let listener = server::bind(&listen, insecure || acceptor.is_some()).await?;
    let address = listener.local_addr()?;
    plain.warn_of_openness(address);
    if insecure {
        warn!("--insecure: whoever can reach {address} can have doors opened");
    }

    let registry = acceptor
        .is_some()
        .then(|| Registry::start(Store::open(store.path())?))
        .transpose()?;
    let (registry, roll_thread) = registry.unzip();
    // It reads beside the writer, so that no flash waits for it.
    let (rosters, rosters_thread) = Rosters::start(Store::open(store.path())?, Arc::clone(&clock))?;
    let looks_on = args.metrics.or_else(|| section.metrics.clone());
    let metrics = looks_on
        .as_ref()
        .map(|_| Arc::new(Metrics::new("central", name.as_str())));
    let (desk, jobs) = Desk::new(
        name,
        installation,
        Arc::clone(&clock),
        registry,
        rosters,
        metrics.clone(),
    );
    let standing = Standing::default();
    let figures = metrics
        .is_some()
        .then(|| Store::open(store.path()))
        .transpose()?;
    let guesses_from = section.guesses_from.map_or(USUALLY_FROM, NonZeroU32::get);
    let travel_time = args.travel_time.or(section.travel_time);
    store.watch_for(guesses_from, travel_time.map(|span| span.0));
    let beside = roll_thread.into_iter().chain([rosters_thread]).collect();
    let mut stored_all =
        writer::start(store, jobs, timekeeper, &standing, metrics.clone(), beside)?;
    if let (Some(address), Some(metrics), Some(store)) = (looks_on, metrics, figures) {
        let (presence, jobs) = desk.watched();
        let figures = Figures::new(&metrics, store, jobs, presence, standing);
        metrics::start(&address, metrics, figures, stop.clone()).await?;
    }
    for rule in plain.iter() {
        let learnt = desk.learn(Entry::Door(rule.door.clone())).await;
        learnt.map_err(|_| Unusable(format!("cannot store that there is door '{}'", rule.door)))?;
    }

    tokio::spawn(desk.watch_presence(stop.clone()));
    console::announce(&format!("listening on {address}"));
    service::ready(&format!("listening on {address}"));
    let serve_and_store = async {
        let admission = Admission {
            acceptor,
            plain,
            limits: settings.limits.limits(),
        };
        let serving = server::serve(listener, Arc::new(desk), admission, stop.clone());
        tokio::select! {
            // It only ends by itself if it fails; then nothing can be decided any more.
            _ = &mut stored_all => Err(()),
            // The desk goes with its last connection, so the queue ends once it is empty.
            () = serving => stored_all.await.map_err(drop),
        }
    };
    match shutdown::within(&stop, serve_and_store).await {
        Some(Err(())) => {
            error!("the database's thread has failed; ending, to be started again");
            Ok(Exit::Failed)
        }
        Some(Ok(())) | None => Ok(Exit::Done),
    }
}

/// What the database calls a device of that role.
fn kind_of(role: Role) -> DeviceKind {
    match role {
        Role::Door => DeviceKind::Door,
        Role::Relay => DeviceKind::Relay,
    }
}

/// With an authority beside the database, devices have to show identities of it: what that takes.
/// `None` without: then everybody is taken, from this machine or with `--insecure`.
fn protection(store: &Store, insecure: bool) -> anyhow::Result<Option<Acceptor>> {
    let file = authority::place(store.path());
    let file = file.display();
    let authority = Authority::load(store.path(), store.installation()?)?;
    let Some(authority) = authority else {
        // Never to fall back to taking everybody because a file was lost.
        if let Some(one) = store.roll()?.first() {
            return Err(Unusable(format!(
                "devices are enrolled, such as '{}', but the authority {file} is gone: put it back \
                 from a backup, or disown every device and enrol them anew",
                one.name
            ))
            .into());
        }
        return Ok(None);
    };
    if insecure {
        return Err(Usage(format!(
            "--insecure contradicts the authority {file}: with it, only devices with an identity \
             are taken, from any address; leave --insecure out"
        ))
        .into());
    }
    info!("authority {file}: only devices with an identity are taken");
    Ok(Some(authority.acceptor()?))
}
