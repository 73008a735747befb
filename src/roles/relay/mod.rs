//! `twinkle relay`: one small computer per site. It takes flashes from the site's doors and
//! forwards them to the central over one connection; while the central cannot be reached it
//! refuses them in time, and goes on.

use std::collections::HashSet;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::cli::RelayArgs;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, Span};
use crate::console;
use crate::db::{self, RelayStore};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::DeviceName;
use crate::exit::{Exit, Unusable, Usage};
use crate::metrics::{self, Metrics};
use crate::service;
use crate::shutdown;
use crate::site;
use crate::wire::address::{Addresses, HostPort};
use crate::wire::identity::{self, Identity};
use crate::wire::link::{Link, Options, Patience};
use crate::wire::plain::PlainRules;
use crate::wire::server::{self, Admission};
use crate::wire::{Door, Message, Role};

mod aid;
mod cut_off;
mod delays;
mod drafts;
mod drain;
mod figures;
mod forward;
mod guesses;
mod hand_over;
mod offline;
mod upkeep;
mod writer;

use aid::Keeping;
use delays::{Delays, Timing};
use drafts::Decided;
use figures::{Figures, Standing};
use forward::Forwarder;
use writer::Job;

/// Where the relay listens if nobody says otherwise: here, on the replaced system's port.
const DEFAULT_LISTEN_PORT: u16 = 9998;
/// Where the central is if nobody says otherwise: here.
const DEFAULT_CENTRAL_PORT: u16 = 9999;
/// How long the central may take to answer: less than a door waits, so that the door hears from us.
const DEFAULT_DEADLINE: Span = Span(Duration::from_millis(1_500));

/// The most entries that wait for the central if nobody says otherwise: some hundred megabytes, and
/// two weeks of a site with 70,000 flashes a day.
const DEFAULT_SPOOL_LIMIT: u64 = 1_000_000;
/// How many jobs may wait for the file's thread.
const QUEUE: usize = 65_536;

/// How much earlier than a door gives us up it is told that no answer came.
const MARGIN: Duration = Duration::from_millis(50);
/// How long after a stop the doors still hear what the central decides; then they are told that it
/// could not be reached, while their connections are still there.
const HANG_UP_AFTER: Duration = Duration::from_millis(800);

/// Runs `twinkle relay`.
///
/// # Errors
/// If the address cannot be listened on, or the central's may not be used.
pub fn run(args: RelayArgs, settings: &Settings) -> anyhow::Result<Exit> {
    shutdown::run(serve(args, settings))
}

async fn serve(args: RelayArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let stop = shutdown::on_signal()?;
    let section = &settings.relay;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let named = args.name.or_else(|| section.name.clone());
    let identity = args.identity.or_else(|| section.identity.clone());
    let identity = identity
        .map(|file| Identity::load(&file, Role::Relay, named.as_ref()))
        .transpose()?;
    let name = match &identity {
        Some(identity) => identity.name.clone(),
        None => config::device_name(named, "relay")?,
    };
    let listen = args.listen.or_else(|| section.listen.clone());
    let listen = listen.unwrap_or_else(|| HostPort::here(DEFAULT_LISTEN_PORT));
    let central = Addresses::of(args.central).or_else(|| section.central.clone());
    let central = central.unwrap_or_else(|| HostPort::here(DEFAULT_CENTRAL_PORT).into());
    let deadline = args
        .deadline
        .or(section.deadline)
        .unwrap_or(DEFAULT_DEADLINE);
    let insecure = args.insecure.or(section.insecure).unwrap_or(false);
    identity::check(identity.as_ref(), insecure)?;
    let rules = match args.accept_plain.is_empty() {
        true => section.accept_plain.clone().unwrap_or_default(),
        false => args.accept_plain,
    };
    let plain = PlainRules::new(rules).map_err(Usage)?;

    info!("relay '{name}', central at {central}, which may take {deadline} to answer");
    match args.offline_for.or(section.offline_for) {
        None => info!(
            "while the central cannot be reached, no door opens: flashes get 'central-unreachable'"
        ),
        Some(period) => info!(
            "while the central cannot be reached, this relay decides by what it last knew, for up \
             to {period}"
        ),
    }

    server::raise_open_files();
    let listener = server::bind(&listen, insecure || identity.is_some()).await?;
    let address = listener.local_addr()?;
    plain.warn_of_openness(address);
    if insecure {
        warn!("--insecure: whoever can reach {address}, or the way to the central, can open doors");
    }

    if let Some(identity) = &identity {
        info!("{identity}: only doors with an identity for this relay are taken");
    }
    let acceptor = identity.as_ref().and_then(|own| own.acceptor.clone());

    let link = Link::new(Options {
        addresses: central,
        upstream: "central",
        role: Role::Relay,
        name: name.clone(),
        patience: Patience {
            deadline: deadline.0,
            margin: MARGIN,
        },
        insecure,
        identity,
        clock: Arc::clone(&clock),
    });
    link.check_address()
        .await
        .context("cannot use the central's address")?;
    for rule in plain.iter() {
        link.door_came(&Door {
            name: rule.door.clone(),
            plain: true,
            identity: None,
        });
    }

    let (path, store) = open_spool(args.spool.or_else(|| section.spool.clone()), &name)?;
    let limit = args.spool_limit.or(section.spool_limit);
    let limit = limit.unwrap_or(DEFAULT_SPOOL_LIMIT);
    let offline_for = args.offline_for.or(section.offline_for);
    let known = store.as_ref().map(RelayStore::installation).transpose()?;
    if let Some(known) = known.flatten()
        && !link.expect(known)
    {
        return Err(Unusable(format!(
            "{} is of another installation than this relay's identity: move it away, or name \
             another with --spool",
            path.display()
        ))
        .into());
    }
    // What was disowned stays so while the central is away.
    if let Some(roll) = store.as_ref().map(RelayStore::kept_roll).transpose()? {
        roll.into_iter().for_each(|roll| link.set_roll(roll));
    }
    let (jobs, queue) = mpsc::channel(QUEUE);
    tokio::spawn(pass_on_rolls(link.roll(), jobs.downgrade()));
    let decided = Decided::default();
    let delays = Delays::default();
    link.set_aid(Arc::new(Keeping {
        jobs: jobs.clone(),
        decided: decided.clone(),
        delays: delays.clone(),
        decides: offline_for.is_some(),
        clock: Arc::clone(&clock),
    }));
    let looks_on = args.metrics.or_else(|| section.metrics.clone());
    let metrics = looks_on
        .as_ref()
        .map(|_| Arc::new(Metrics::new("relay", name.as_str())));
    let standing = Standing::default();
    if let (Some(address), Some(metrics)) = (&looks_on, &metrics) {
        let offline_for = offline_for.map(|period| period.0);
        let (link, jobs, standing) = (link.clone(), jobs.downgrade(), standing.clone());
        let figures = Figures::new(metrics, link, jobs, standing, (offline_for, limit));
        metrics::start(address, Arc::clone(metrics), figures, stop.clone()).await?;
    }
    let options = writer::Options {
        path,
        limit,
        offline_for: offline_for.map(|period| period.0),
        decided,
        clock: Arc::clone(&clock),
        link: link.clone(),
        standing,
        metrics: metrics.clone(),
    };
    let kept_all = writer::start(options, store, queue)?;

    let hang_up = CancellationToken::new();
    let linked = tokio::spawn(link.clone().run(hang_up.clone()));
    let later = link.clone();
    let tell = move |session, message: &Message| later.send_later(session, message);
    tokio::spawn(delays.clone().tell(tell, stop.clone()));
    console::announce(&format!("listening on {address}"));
    service::ready(&format!("listening on {address}"));
    let admission = Admission {
        acceptor,
        plain,
        limits: settings.limits.limits(),
    };
    let forwarder = Arc::new(Forwarder {
        name,
        link: link.clone(),
        jobs,
        clock,
        timing: Arc::new(Timing { delays, metrics }),
    });
    let serve = async {
        let mut serving = pin!(server::serve(listener, forwarder, admission, stop.clone()));
        let nearly_over = async {
            stop.cancelled().await;
            sleep(HANG_UP_AFTER).await;
        };
        tokio::select! {
            () = &mut serving => hang_up.cancel(),
            () = nearly_over => {
                hang_up.cancel();
                serving.await;
            }
        }
    };
    let failed = CancellationToken::new();
    let keep_link = async {
        // It ends by itself only if it fails; then nobody can be asked any more.
        let _ended = linked.await;
        if !hang_up.is_cancelled() {
            failed.cancel();
        }
        // With it goes the last that hands anything in to be kept.
        link.dismiss_aid();
    };
    let keep = async {
        // It, too, ends by itself only if it fails.
        if kept_all.await.is_err() {
            failed.cancel();
        }
    };
    tokio::select! {
        _ended = shutdown::within(&stop, async { tokio::join!(serve, keep_link, keep) }) => {
            Ok(Exit::Done)
        }
        () = failed.cancelled() => {
            error!("a part of this relay has failed in itself; ending, to be started again");
            Ok(Exit::Failed)
        }
    }
}

/// Has kept what the central tells of identities. Keeps nothing from ending.
async fn pass_on_rolls(
    mut roll: watch::Receiver<Option<HashSet<Fingerprint>>>,
    jobs: mpsc::WeakSender<Job>,
) {
    while roll.changed().await.is_ok() {
        let told = roll.borrow_and_update().clone();
        if let (Some(told), Some(jobs)) = (told, jobs.upgrade()) {
            let _ended = jobs.send(Job::Roll(told)).await;
        }
    }
}

/// Opens the relay's file, if it can be: what cannot be kept must not keep doors shut that the
/// central would open, and a disk may come back.
fn open_spool(
    named: Option<PathBuf>,
    relay: &DeviceName,
) -> anyhow::Result<(PathBuf, Option<RelayStore>)> {
    let path = match named {
        Some(path) => path,
        None => site::default_relay_file(relay)?,
    };
    match RelayStore::open_as_relay(&path) {
        Ok(opened) => {
            info!(
                "what the central must not lose is kept in {}",
                path.display()
            );
            Ok((path, Some(opened.store)))
        }
        Err(
            cause @ (db::Error::Served { .. }
            | db::Error::NotOurs { .. }
            | db::Error::SchemaTooNew { .. }),
        ) => Err(cause).context("cannot use the relay's file; name another with --spool"),
        Err(cause) => {
            error!(
                "{cause}; until it can be used, flashes are only forwarded, and nothing is kept \
                 while the central is away"
            );
            Ok((path, None))
        }
    }
}
