//! A load generator: many doors that flash badges at a relay or a central, and how long they wait.
//!
//! ```text
//! cargo run --release --example load -- 127.0.0.1:9998 --doors 64 --for 10s
//! cargo run --release --example load -- 127.0.0.1:9998 --doors 64 --rate 1000 --json
//! cargo run --release --example load -- 127.0.0.1:9999 --plain --badges 1-500 --unknown 0.1
//! cargo run --release --example load -- 192.168.1.5:9998 --identity lab.identity --doors 64
//! ```

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a load generator may fail loudly"
)]

use std::net::{SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use serde_json::json;
use twinkle::config::Span;
use twinkle::domain::ids::TwinkletId;
use twinkle::wire::Role;
use twinkle::wire::identity::Identity;

#[path = "load/generator.rs"]
mod generator;

use generator::{Figures, Plan, Speak};

/// The shares of the answers whose times are printed.
const SHARES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// Many doors that flash badges at a relay or a central, and how long they wait.
#[derive(Debug, Parser)]
struct Args {
    /// Where the relay or the central listens
    server: SocketAddr,
    /// How many doors; each waits for its answer before it asks again
    #[arg(long, value_name = "N", default_value_t = 8)]
    doors: usize,
    /// Flashes a second by all doors together [default: as fast as they are answered]
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// For how long, after a second that is not counted
    #[arg(long = "for", value_name = "TIME", default_value = "10s")]
    measured: Span,
    /// The badges that are flashed
    #[arg(long, value_name = "FROM-TO", default_value = "1-1000", value_parser = parse_badges)]
    badges: RangeInclusive<u64>,
    /// The share of flashes with a badge beyond those
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    unknown: f64,
    /// After how long a flash counts as lost
    #[arg(long, value_name = "TIME", default_value = "3s")]
    deadline: Span,
    /// Speak the replaced system's plain text
    #[arg(long)]
    plain: bool,
    /// Speak TLS, all doors with the identity in this file: a door's, from 'central enroll'
    #[arg(long, value_name = "FILE", conflicts_with = "plain")]
    identity: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_badges(text: &str) -> Result<RangeInclusive<u64>, &'static str> {
    let id = |text: &str| text.parse::<TwinkletId>().ok();
    let range = text.split_once('-');
    match range.and_then(|(from, to)| id(from).zip(id(to))) {
        Some((from, to)) if from <= to && to.get() <= TwinkletId::MAX / 2 => {
            Ok(from.get()..=to.get())
        }
        _ => Err("write badges as 1-1000"),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let plan = Plan {
        server: args.server,
        speak: match &args.identity {
            Some(file) => Speak::Protected(Arc::new(Identity::load(file, Role::Door, None)?)),
            None if args.plain => Speak::Plain,
            None => Speak::Frames,
        },
        doors: args.doors.max(1),
        rate: args.rate,
        warm_up: Duration::from_secs(1),
        measured: args.measured.0,
        badges: args.badges,
        unknown: args.unknown.clamp(0.0, 1.0),
        deadline: args.deadline.0,
    };
    // All doors at once would say it at length.
    TcpStream::connect(plan.server)
        .map_err(|cause| format!("cannot connect to {}: {cause}", plan.server))?;
    twinkle::wire::server::raise_open_files();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let figures = runtime.block_on(generator::run(&plan));
    match args.json {
        true => println!("{}", as_json(&plan, &figures)),
        false => print(&plan, &figures),
    }
    Ok(())
}

fn as_json(plan: &Plan, figures: &Figures) -> serde_json::Value {
    let mut times: serde_json::Map<_, _> = SHARES
        .map(|(name, share)| (name.to_owned(), json!(figures.within_ms(share))))
        .into_iter()
        .collect();
    times.insert("max".to_owned(), json!(figures.within_ms(1.0)));
    json!({
        "doors": plan.doors,
        "seconds": figures.measured.as_secs_f64(),
        "answers": figures.answered(),
        "verdicts": figures.verdicts,
        "lost": figures.lost,
        "not_opened": figures.not_opened(),
        "rate": figures.rate(),
        "ms": times,
    })
}

fn print(plan: &Plan, figures: &Figures) {
    println!(
        "{} doors, {:.1} s: {} answers, {} lost, {:.0} a second, {} not opened",
        plan.doors,
        figures.measured.as_secs_f64(),
        figures.answered(),
        figures.lost,
        figures.rate(),
        figures.not_opened()
    );
    for (verdict, count) in &figures.verdicts {
        println!("  {verdict:<20} {count:>10}");
    }
    println!("time to the answer, in ms");
    for (name, share) in SHARES.into_iter().chain([("max", 1.0)]) {
        println!("  {name:<20} {:>10.3}", figures.within_ms(share));
    }
}
