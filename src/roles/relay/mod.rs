//! `twinkle relay`: one small computer per site. It takes flashes from the site's doors and
//! forwards them to the central over one connection; while the central cannot be reached it
//! refuses them in time, and goes on.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::cli::RelayArgs;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, Span};
use crate::console;
use crate::exit::{Exit, Usage};
use crate::service;
use crate::shutdown;
use crate::wire::address::HostPort;
use crate::wire::identity::{self, Identity};
use crate::wire::link::{Link, Options, Patience};
use crate::wire::plain::PlainRules;
use crate::wire::server::{self, Admission};
use crate::wire::{Door, Role};

mod forward;

use forward::Forwarder;

/// Where the relay listens if nobody says otherwise: here, on the replaced system's port.
const DEFAULT_LISTEN_PORT: u16 = 9998;
/// Where the central is if nobody says otherwise: here.
const DEFAULT_CENTRAL_PORT: u16 = 9999;
/// How long the central may take to answer: less than a door waits, so that the door hears from us.
const DEFAULT_DEADLINE: Span = Span(Duration::from_millis(1_500));

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
    let central = args.central.or_else(|| section.central.clone());
    let central = central.unwrap_or_else(|| HostPort::here(DEFAULT_CENTRAL_PORT));
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
    info!("while the central cannot be reached, no door opens: flashes get 'central-unreachable'");

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
        address: central,
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

    let hang_up = CancellationToken::new();
    let linked = tokio::spawn(link.clone().run(hang_up.clone()));
    console::announce(&format!("listening on {address}"));
    service::ready(&format!("listening on {address}"));
    let admission = Admission {
        acceptor,
        plain,
        limits: settings.limits.limits(),
    };
    let forwarder = Arc::new(Forwarder::new(name, link, clock));
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
    let link_failed = CancellationToken::new();
    let keep_link = async {
        // It ends by itself only if it fails; then nobody can be asked any more.
        let _ended = linked.await;
        if !hang_up.is_cancelled() {
            link_failed.cancel();
        }
    };
    tokio::select! {
        _ended = shutdown::within(&stop, async { tokio::join!(serve, keep_link) }) => {
            Ok(Exit::Done)
        }
        () = link_failed.cancelled() => {
            error!("the link to the central has failed in itself; ending, to be started again");
            Ok(Exit::Failed)
        }
    }
}
