//! `twinkle door`: reads badges, asks the relay or the central, and drives the lock.
//!
//! Whatever is not an `Open` in time leaves the lock as it is. A door that ends, ends locked.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::DoorArgs;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, Span};
use crate::exit::{Exit, Unusable};
use crate::hw::{self, Reading};
use crate::shutdown;
use crate::wire::Role;
use crate::wire::link::{Link, Options, Phase};

mod latch;
mod passage;

use latch::Latch;
use passage::Passage;

/// Where the relay is if nobody says otherwise.
const DEFAULT_RELAY: &str = "127.0.0.1:9998";
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
/// If the relay's address may not be used, the source or the lock is none we know, or standard
/// output takes no more; with `--flash`, also if the relay cannot be reached.
pub fn run(args: DoorArgs, settings: &Settings) -> anyhow::Result<Exit> {
    shutdown::run(serve(args, settings))
}

async fn serve(args: DoorArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let section = &settings.door;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let name = config::device_name(args.name.or_else(|| section.name.clone()), "door")?;
    let relay = args.relay.or_else(|| section.relay.clone());
    let relay = relay.unwrap_or_else(|| DEFAULT_RELAY.to_owned());
    let from = args.from.or_else(|| section.from.clone());
    let source = hw::source(from.as_deref().unwrap_or(DEFAULT_SOURCE))?;
    let lock = args.lock.or_else(|| section.lock.clone());
    let lock = hw::lock(lock.as_deref().unwrap_or(DEFAULT_LOCK))?;
    let open_for = args
        .open_for
        .or(section.open_for)
        .unwrap_or(DEFAULT_OPEN_FOR);
    let deadline = args
        .deadline
        .or(section.deadline)
        .unwrap_or(DEFAULT_DEADLINE);
    let insecure = args.insecure.or(section.insecure).unwrap_or(false);

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
        address: relay.clone(),
        upstream: "relay",
        role: Role::Door,
        name: name.clone(),
        deadline: deadline.0,
        insecure,
        clock: Arc::clone(&clock),
    });
    link.check_address()
        .await
        .context("cannot use the relay's address")?;

    let stop = shutdown::on_signal()?;
    let hang_up = CancellationToken::new();
    let linked = tokio::spawn(link.clone().run(hang_up.clone()));
    let latch = Latch::new(lock, open_for.0);
    // A flash that comes before anything is known of the relay waits for that; so none is read.
    let settled = tokio::select! {
        settled = link.settled() => settled,
        () = stop.cancelled() => return Ok(Exit::Done),
    };
    let (sender, readings) = mpsc::channel(1);
    match args.flash {
        Some(_) if settled.phase == Phase::Down => {
            return Err(Unusable(format!(
                "nobody could be asked: the relay at {relay} does not answer ({}); \
                 is it running, and is --relay right?",
                settled.why
            ))
            .into());
        }
        Some(twinklet) => {
            sender.send(Reading { twinklet }).await?;
            drop(sender);
        }
        None => source.start(sender).context("cannot read flashes")?,
    }
    let passage = Passage::new(name, link, clock, deadline.0, latch);
    let went = passage.run(readings, &stop).await?;
    shutdown::within(&stop, async {
        // What is still to be said to the relay goes out first.
        hang_up.cancel();
        let _ended = linked.await;
    })
    .await;
    Ok(if args.flash.is_some() {
        went
    } else {
        Exit::Done
    })
}
