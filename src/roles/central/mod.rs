//! `twinkle central`: takes flashes from relays and doors, decides them on the database, and
//! answers once the decision is stored.
//!
//! ```text
//! wire::server -> desk -> (bounded queue) -> writer -> db
//!      ^                                       |
//!      '------------- answers -----------------'
//! ```

use std::fs;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use tracing::{error, info, warn};

use crate::cli::{CentralArgs, CentralCommand};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings};
use crate::db::{Condition, Entry, Opened, Store};
use crate::domain::calendar::Days;
use crate::exit::Exit;
use crate::shutdown;
use crate::site::{NamedBy, Site};
use crate::wire::plain::PlainRules;
use crate::wire::server;

mod desk;
mod writer;

use desk::Desk;

/// Where the central listens if nobody says otherwise: the replaced system's port.
const DEFAULT_LISTEN: &str = "127.0.0.1:9999";

/// Runs `twinkle central`.
///
/// # Errors
/// If the database cannot be opened, or the address cannot be listened on.
pub fn run(args: CentralArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let site = Site::choose(args.site.clone(), settings)?;
    // Elsewhere a folder that is not there is more likely a slip of the pen.
    if site.named_by == NamedBy::Default
        && let Some(folder) = site.database.parent()
    {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let opened = Store::open_as_central(&site.database)?;
    if let Some(CentralCommand::Init) = args.command {
        return said_init(&opened);
    }
    shutdown::run(serve(args, settings, opened, site.days))
}

/// Says what `init` did.
fn said_init(opened: &Opened) -> anyhow::Result<Exit> {
    let path = opened.store.path().display();
    let mut out = io::stdout().lock();
    match opened.condition {
        Condition::Created => writeln!(out, "made {path}")?,
        Condition::Migrated => writeln!(out, "brought {path} up to date")?,
        Condition::Current => writeln!(out, "{path} is up to date")?,
    }
    Ok(Exit::Done)
}

async fn serve(
    args: CentralArgs,
    settings: &Settings,
    opened: Opened,
    days: Days,
) -> anyhow::Result<Exit> {
    let section = &settings.central;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let listen = args.listen.or_else(|| section.listen.clone());
    let listen = listen.unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
    let insecure = args.insecure.or(section.insecure).unwrap_or(false);
    let rules = match args.accept_plain.is_empty() {
        true => section.accept_plain.clone().unwrap_or_default(),
        false => args.accept_plain,
    };
    let plain = PlainRules::new(rules);
    let name = config::device_name(None, "central")?;

    let Opened { store, condition } = opened;
    let how = match condition {
        Condition::Created => ", new",
        Condition::Migrated => ", brought up to date",
        Condition::Current => "",
    };
    info!(
        "central '{name}', database {}{how}, days in {}",
        store.path().display(),
        days.timezone
    );

    server::raise_open_files();
    let listener = server::bind(&listen, insecure)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    plain.warn_of_openness(address);
    if insecure {
        warn!("--insecure: whoever can reach {address} can have doors opened");
    }

    let installation = store.installation()?;
    let (desk, jobs) = Desk::new(name, installation, Arc::clone(&clock));
    let writer = writer::start(store, jobs, clock, days)?;
    for rule in plain.iter() {
        let learnt = desk.learn(Entry::Door(rule.door.clone())).await;
        learnt.map_err(|code| anyhow!("cannot take note of door '{}': {code}", rule.door))?;
    }

    let stop = shutdown::on_signal()?;
    writeln!(io::stdout(), "listening on {address}")?;
    let serve_and_store = async {
        let serving = server::serve(listener, Arc::new(desk), plain, stop.clone());
        let mut stored_all = writer.ended;
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
