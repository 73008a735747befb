//! `twinkle door`: reads badges, asks the relay or the central, and drives the lock.
//!
//! Whatever is not an `Open` in time leaves the lock as it is. A door that ends, ends locked.

use std::io;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::DoorArgs;
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::console::{self, Console};
use crate::exit::{Exit, Unusable, Usage};
use crate::hw::gpio::{Consumer, LineSpec, Output};
use crate::hw::{self, FlashSource, LockSpec, Sensors};
use crate::service;
use crate::shutdown;
use crate::wire::link::{Phase, Status};

mod bolt;
mod check;
mod doorkeeper;
mod doorway;
mod lamps;
mod live;
mod passage;
mod plan;
mod probe;
mod receivers;
mod repeats;
mod report;

use bolt::Bolt;
use doorkeeper::Doorkeeper;
use lamps::Lamps;
use passage::Passage;
use plan::Plan;
use receivers::Receivers;

/// How many words of the sensors may wait to be heard.
const CHANGES: usize = 64;

/// Runs `twinkle door`.
///
/// # Errors
/// If the relay's address may not be used, the source is none we know, or a line of the hardware
/// cannot be had; with `--flash`, also if nobody could be asked.
pub fn run(args: &DoorArgs, settings: &Settings) -> anyhow::Result<Exit> {
    if args.hardware.relock {
        return relock(&plan::lock(args, &settings.door)?);
    }
    let plan = Plan::of(args, &settings.door)?;
    if args.hardware.check {
        return shutdown::run(check::run(&plan, args.hardware.pulse));
    }
    if let Some(count) = args.probe {
        return shutdown::run(probe::run(&plan, count));
    }
    shutdown::run(serve(args, &plan))
}

/// What the plan has flashes come from.
async fn source(plan: &Plan, clock: Arc<dyn Clock>) -> anyhow::Result<Box<dyn FlashSource>> {
    match receivers::address(&plan.from) {
        Some(address) => {
            let address = address.map_err(|help| Usage(help.to_owned()))?;
            let open = plan.insecure || plan.identity.is_some();
            let name = plan.name.clone();
            Ok(Box::new(
                Receivers::bind(&address, open, name, clock).await?,
            ))
        }
        None => Ok(hw::source(&plan.from, &[receivers::WRITTEN])?),
    }
}

/// Locks, and ends: a door that was killed could not.
fn relock(lock: &LockSpec) -> anyhow::Result<Exit> {
    let lock = hw::lock(lock, &Consumer::ours("relock"), Box::new(|_| ()))?;
    console::announce(&format!("locked: {}", lock.describe()));
    Ok(Exit::Done)
}

async fn serve(args: &DoorArgs, plan: &Plan) -> anyhow::Result<Exit> {
    let stop = shutdown::on_signal()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let console = Console::new(io::stdout())?;
    let source = match args.flash {
        Some(_) => None,
        None => Some(source(plan, Arc::clone(&clock)).await?),
    };
    // Before anything else: from here on it is we who keep the door locked.
    let consumer = plan.consumer();
    let said_by_lock = console.clone();
    let say = Box::new(move |line: &str| said_by_lock.say(line));
    let lock = hw::lock(&plan.lock, &consumer, say)?;
    // One flash is no watch: the lock is all that it needs.
    let beside = args.flash.is_none().then_some(plan);
    let sensors = Sensors::request(beside.map_or(&[], |plan| &plan.sensors), &consumer)?;
    let lamp = |line: fn(&Plan) -> &Option<LineSpec>| {
        let line = beside.and_then(|plan| line(plan).as_ref());
        line.map(|line| Output::request(line, false, &consumer))
            .transpose()
    };
    let lamps = Lamps::new(
        lamp(|plan| &plan.green)?,
        lamp(|plan| &plan.red)?,
        lamp(|plan| &plan.buzzer)?,
    );
    if let Some(source) = &source {
        let (name, from, lock) = (&plan.name, source.describe(), lock.describe());
        info!("door '{name}', flashes from {from}, {lock}");
        sensors.describe().for_each(|line| info!("{line}"));
        let relay = &plan.relay;
        info!("relay at {relay}; while it cannot be reached, the door stays locked");
    }
    if let LockSpec::Line {
        fail_safe: true, ..
    } = plan.lock
    {
        warn!("--fail-safe: a power cut unlocks this door, and so may the death of this program");
    }
    if plan.insecure {
        warn!(
            "--insecure: whoever is on the way to {} can open this door",
            plan.relay
        );
    }
    let link = plan.link(Arc::clone(&clock));
    link.check_address()
        .await
        .context("cannot use the relay's address")?;

    let hang_up = CancellationToken::new();
    let mut linked = tokio::spawn(link.clone().run(hang_up.clone()));
    let keeper = Doorkeeper::new(
        plan.name.clone(),
        link.clone(),
        Arc::clone(&clock),
        plan.rules(),
        Bolt::new(lock),
        lamps,
    );
    if plan.has_lines() {
        let live = keeper.watch();
        tokio::spawn(async {
            if let Err(cause) = live::tell(live).await {
                warn!("--check will not see how this door stands: {cause}");
            }
        });
    }
    let (tell, changes) = mpsc::channel(CHANGES);
    sensors.start(&tell);
    drop(tell);
    let passage = Passage::new(
        plan.name.clone(),
        link.clone(),
        clock,
        plan.deadline,
        keeper,
        console.clone(),
    );
    let (sender, readings) = mpsc::channel(1);
    let feeding = async {
        // A flash that came before anything is known of the relay would wait for that.
        let settled = tokio::select! {
            settled = link.settled() => settled,
            () = stop.cancelled() => return Ok(None),
        };
        if let Some(shown) = args.flash.clone() {
            sender.send(shown.into()).await?;
        }
        if let Some(source) = source {
            source
                .start(sender.clone())
                .context("cannot read flashes")?;
            service::ready("reading flashes");
        }
        drop(sender);
        anyhow::Ok(Some(settled))
    };
    let serving = async {
        let passing = async { Ok(passage.run(readings, changes, &stop).await) };
        tokio::try_join!(passing, feeding)
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
    match (args.flash.is_some(), served?) {
        (false, _) => Ok(Exit::Done),
        (true, (Some(Exit::Unusable), Some(settled))) => Err(undecided(&settled).into()),
        (true, (Some(went), _)) => Ok(went),
        (true, (None, _)) => Err(Unusable("told to end before a verdict came".to_owned()).into()),
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
