//! How much memory relay and central need for many doors that are connected, and how soon all of
//! them are back after a restart of the relay.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use twinkle::clock::SystemClock;
use twinkle::wire::Role;
use twinkle::wire::address::HostPort;
use twinkle::wire::identity::Identity;
use twinkle::wire::link::{Link, Options, Patience, Phase};

use crate::generator::{self, Plan, Speak};
use crate::page::{Bound, Page};
use crate::server::{Identities, Site};
use crate::two_hop::plan;

/// How many doors are connected.
const CONNECTED: [usize; 3] = [1, 1_000, MANY];
/// Those of a campus.
const MANY: usize = 10_000;
/// How soon a door gives up, as one of ours does.
const DEADLINE: Duration = Duration::from_secs(3);

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("Memory, and coming back");
    page.say("The most memory that each ever held with so many doors connected through one relay, the time in");
    page.say("which all were connected again after the relay was killed and restarted, and what the flashes of");
    page.say("50 further doors then saw.");
    page.say("");
    page.table(&[
        "doors",
        "speak",
        "relay MiB",
        "central MiB",
        "back in s",
        "flashes",
        "not opened",
        "max ms",
    ]);
    for (doors, protected) in CONNECTED
        .into_iter()
        .flat_map(|doors| [(doors, false), (doors, true)])
    {
        let site = Site::new();
        let identities = protected.then(|| site.protect());
        let central = site.central();
        let first = site.relay_at("127.0.0.1:0", &central, identities.as_ref());
        let address = first.address;
        let stop = CancellationToken::new();
        let links: Vec<_> = (0..doors)
            .map(|number| link(address, number, identities.as_ref()))
            .collect();
        for link in &links {
            runtime.spawn(link.clone().run(stop.clone()));
        }
        runtime.block_on(all_are_up(&links));
        let peak = first.process.peak_mib();
        drop(first);
        runtime.block_on(all_are_down(&links));
        let began = Instant::now();
        let again = site.relay_at(&address.to_string(), &central, identities.as_ref());
        runtime.block_on(all_are_up(&links));
        let back = began.elapsed().as_secs_f64();
        let speaking = match &identities {
            None => Speak::Frames,
            Some(of) => Speak::Protected(Arc::clone(&of.doors)),
        };
        let flashes = Plan {
            deadline: DEADLINE,
            ..plan(again.address, speaking, 50)
        };
        let figures = runtime.block_on(generator::run(&flashes));
        let speak = if protected { "TLS" } else { "clear" };
        let relay = peak.max(again.process.peak_mib());
        let central = central.process.peak_mib();
        page.row(&[
            doors.to_string(),
            speak.to_owned(),
            format!("{relay:.1}"),
            format!("{central:.1}"),
            format!("{back:.1}"),
            figures.answered().to_string(),
            figures.not_opened().to_string(),
            format!("{:.1}", figures.within_ms(1.0)),
        ]);
        if doors == MANY {
            let most = if protected { 200.0 } else { 100.0 };
            let mut ask = |what: &str, most, here| {
                page.ask(
                    format!("{what}, {doors} doors, {speak}"),
                    Bound::AtMost(most),
                    here,
                );
            };
            ask("MiB of the relay", most, relay);
            ask("MiB of the central", 64.0, central);
            ask("seconds until all are back", 10.0, back);
            ask(
                "flashes after it not opened",
                0.0,
                figures.not_opened() as f64,
            );
        }
        stop.cancel();
    }
}

/// A door's connection, kept as a door keeps it.
fn link(relay: SocketAddr, number: usize, identities: Option<&Identities>) -> Link {
    let identity = identities.map(|of| Identity::clone(&of.doors));
    assert_eq!(relay.ip(), IpAddr::from([127, 0, 0, 1]));
    Link::new(Options {
        addresses: HostPort::here(relay.port()).into(),
        upstream: "relay",
        role: Role::Door,
        name: match &identity {
            Some(identity) => identity.name.clone(),
            None => format!("idle {number}").parse().unwrap(),
        },
        patience: Patience {
            deadline: DEADLINE,
            margin: Duration::ZERO,
        },
        insecure: false,
        identity,
        clock: Arc::new(SystemClock),
    })
}

async fn all_are_up(links: &[Link]) {
    all_are(links, Phase::Up).await;
}

async fn all_are_down(links: &[Link]) {
    all_are(links, Phase::Down).await;
}

async fn all_are(links: &[Link], phase: Phase) {
    for link in links {
        while link.settled().await.phase != phase {
            sleep(Duration::from_millis(5)).await;
        }
    }
}
