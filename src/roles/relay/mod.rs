//! `twinkle relay`: one small computer per site. It takes flashes from the site's doors and
//! forwards them to the central over one connection; while the central cannot be reached it
//! refuses them in time, and goes on.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::RelayArgs;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, Span};
use crate::exit::Exit;
use crate::shutdown;
use crate::wire::link::{Link, Options};
use crate::wire::plain::PlainRules;
use crate::wire::{Role, server};

mod forward;

use forward::Forwarder;

/// Where the relay listens if nobody says otherwise: the replaced system's port.
const DEFAULT_LISTEN: &str = "127.0.0.1:9998";
/// Where the central is if nobody says otherwise.
const DEFAULT_CENTRAL: &str = "127.0.0.1:9999";
/// How long the central may take to answer: less than a door waits, so that the door hears from us.
const DEFAULT_DEADLINE: Span = Span(Duration::from_millis(1_500));

/// Runs `twinkle relay`.
///
/// # Errors
/// If the address cannot be listened on, or the central's may not be used.
pub fn run(args: RelayArgs, settings: &Settings) -> anyhow::Result<Exit> {
    shutdown::run(serve(args, settings))
}

async fn serve(args: RelayArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let section = &settings.relay;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let name = config::device_name(args.name.or_else(|| section.name.clone()), "relay")?;
    let listen = args.listen.or_else(|| section.listen.clone());
    let listen = listen.unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
    let central = args.central.or_else(|| section.central.clone());
    let central = central.unwrap_or_else(|| DEFAULT_CENTRAL.to_owned());
    let deadline = args
        .deadline
        .or(section.deadline)
        .unwrap_or(DEFAULT_DEADLINE);
    let insecure = args.insecure.or(section.insecure).unwrap_or(false);
    let rules = match args.accept_plain.is_empty() {
        true => section.accept_plain.clone().unwrap_or_default(),
        false => args.accept_plain,
    };
    let plain = PlainRules::new(rules);

    info!("relay '{name}', central at {central}, which may take {deadline} to answer");
    info!("while the central cannot be reached, no door opens: flashes get 'central-unreachable'");

    server::raise_open_files();
    let listener = server::bind(&listen, insecure)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    plain.warn_of_openness(address);
    if insecure {
        warn!("--insecure: whoever can reach {address}, or the way to the central, can open doors");
    }

    let link = Link::new(Options {
        address: central,
        upstream: "central",
        role: Role::Relay,
        name: name.clone(),
        deadline: deadline.0,
        insecure,
        clock: Arc::clone(&clock),
    });
    link.check_address()
        .await
        .context("cannot use the central's address")?;
    plain.iter().for_each(|rule| link.door_came(&rule.door));

    let stop = shutdown::on_signal()?;
    // The link goes on until the last door has its answer.
    let hang_up = CancellationToken::new();
    let linked = tokio::spawn(link.clone().run(hang_up.clone()));
    writeln!(io::stdout(), "listening on {address}")?;
    let forwarder = Arc::new(Forwarder::new(name, link, clock));
    shutdown::within(&stop, async {
        server::serve(listener, forwarder, plain, stop.clone()).await;
        hang_up.cancel();
        // A panic there has been reported already.
        let _ended = linked.await;
    })
    .await;
    Ok(Exit::Done)
}
