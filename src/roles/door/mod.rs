//! `twinkle door`: reads badges, asks the relay or the central, and drives the lock.
//!
//! Whatever is not an `Open` in time leaves the lock as it is. A door that ends, ends locked.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::DoorArgs;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, Span};
use crate::console::Console;
use crate::exit::{Exit, Unusable};
use crate::hw::{self, Reading};
use crate::service;
use crate::shutdown;
use crate::wire::Role;
use crate::wire::address::HostPort;
use crate::wire::identity::{self, Identity};
use crate::wire::link::{Link, Options, Patience, Phase, Status};

mod latch;
mod passage;

use latch::Latch;
use passage::Passage;

/// Where the relay is if nobody says otherwise: here, on the replaced system's port.
const DEFAULT_RELAY_PORT: u16 = 9998;
/// What a door reads and drives if nobody says otherwise.
const DEFAULT_SOURCE: &str = "stdin";
const DEFAULT_LOCK: &str = "sim";
/// How long the lock stays open if nobody says otherwise.
const DEFAULT_OPEN_FOR: Span = Span(Duration::from_secs(5));
/// How long a person waits at a door before trying again.
const DEFAULT_DEADLINE: Span = Span(Duration::from_secs(3));

/// Runs `twinkle door`.
///
/// # Errors
/// If the relay's address may not be used, or the source or the lock is none we know; with
/// `--flash`, also if nobody could be asked.
pub fn run(args: DoorArgs, settings: &Settings) -> anyhow::Result<Exit> {
    shutdown::run(serve(args, settings))
}

async fn serve(args: DoorArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let stop = shutdown::on_signal()?;
    let section = &settings.door;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let console = Console::new(io::stdout())?;
    let named = args.name.or_else(|| section.name.clone());
    let identity = args.identity.or_else(|| section.identity.clone());
    let identity = identity
        .map(|file| Identity::load(&file, Role::Door, named.as_ref()))
        .transpose()?;
    let name = match &identity {
        Some(identity) => identity.name.clone(),
        None => config::device_name(named, "door")?,
    };
    let relay = args.relay.or_else(|| section.relay.clone());
    let relay = relay.unwrap_or_else(|| HostPort::here(DEFAULT_RELAY_PORT));
    let from = args.from.or_else(|| section.from.clone());
    let source = hw::source(from.as_deref().unwrap_or(DEFAULT_SOURCE))?;
    let lock = args.lock.or_else(|| section.lock.clone());
    let said_by_lock = console.clone();
    let lock = hw::lock(
        lock.as_deref().unwrap_or(DEFAULT_LOCK),
        Box::new(move |line| said_by_lock.say(line)),
    )?;
    let open_for = args
        .open_for
        .or(section.open_for)
        .unwrap_or(DEFAULT_OPEN_FOR);
    let deadline = args
        .deadline
        .or(section.deadline)
        .unwrap_or(DEFAULT_DEADLINE);
    let insecure = args.insecure.or(section.insecure).unwrap_or(false);
    identity::check(identity.as_ref(), insecure)?;

    if args.flash.is_none() {
        info!(
            "door '{name}', flashes from {}, {}",
            source.describe(),
            lock.describe()
        );
        info!("relay at {relay}; while it cannot be reached, the door stays locked");
    }
    if insecure {
        warn!("--insecure: whoever is on the way to {relay} can open this door");
    }
    let link = Link::new(Options {
        address: relay,
        upstream: "relay",
        role: Role::Door,
        name: name.clone(),
        // Nobody waits for us who might give up first.
        patience: Patience {
            deadline: deadline.0,
            margin: Duration::ZERO,
        },
        insecure,
        identity,
        clock: Arc::clone(&clock),
    });
    link.check_address()
        .await
        .context("cannot use the relay's address")?;

    let hang_up = CancellationToken::new();
    let mut linked = tokio::spawn(link.clone().run(hang_up.clone()));
    let latch = Latch::new(lock, open_for.0);
    let passage = Passage::new(
        name,
        link.clone(),
        clock,
        deadline.0,
        latch,
        console.clone(),
    );
    let serving = async {
        // A flash that came before anything is known of the relay would wait for that.
        let settled = tokio::select! {
            settled = link.settled() => settled,
            () = stop.cancelled() => return Ok((None, None)),
        };
        let (sender, readings) = mpsc::channel(1);
        match args.flash {
            Some(twinklet) => sender.send(Reading { twinklet }).await?,
            None => {
                source
                    .start(sender.clone())
                    .context("cannot read flashes")?;
                service::ready("reading flashes");
            }
        }
        drop(sender);
        anyhow::Ok((passage.run(readings, &stop).await, Some(settled)))
    };
    let served = tokio::select! {
        served = serving => served,
        // It only ends by itself if it fails; then nobody can be asked any more.
        _ = &mut linked => return Ok(Exit::Failed),
    };
    // What is still to be said goes out first: to the relay, and to whoever reads us.
    hang_up.cancel();
    shutdown::within(&stop, async {
        let _ended = linked.await;
        console.printed().await;
    })
    .await;
    match (args.flash, served?) {
        (None, _) => Ok(Exit::Done),
        (Some(_), (Some(Exit::Unusable), Some(settled))) => Err(undecided(&settled).into()),
        (Some(_), (Some(went), _)) => Ok(went),
        (Some(_), (None, _)) => {
            Err(Unusable("told to end before a verdict came".to_owned()).into())
        }
    }
}

/// Why a flash was not decided, as far as a door can know.
fn undecided(relay: &Status) -> Unusable {
    Unusable(match relay.phase {
        Phase::Down => format!("nobody could be asked: {}", relay.why),
        Phase::Trying | Phase::Up => {
            "the relay answers, but no verdict came in time: see the relay's and the central's logs"
                .to_owned()
        }
    })
}
