//! What `make bench` measures, all in one run, as ratios where a ratio says more than a time: this
//! machine is not yours. Without arguments everything is measured and `docs/benchmarks.md` is
//! written; with the names of parts, those alone, and only printed.
//!
//! ```text
//! make bench
//! cargo bench --bench all -- two-hop half-load
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    unreachable_pub,
    reason = "a benchmark may fail loudly"
)]

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

mod cost;
mod half_load;
mod instructions;
mod large;
mod least;
mod memory;
mod near;
mod owners;
mod page;
mod reports;
mod rounds;
mod server;
mod spoken;
mod start;
mod storing;
mod turns;
mod two_hop;
mod writer;

#[allow(dead_code, reason = "the load generator uses more of it")]
#[path = "../../examples/load/generator.rs"]
mod generator;

#[path = "../../examples/large/fill.rs"]
mod fill;

use page::Page;

/// One part: what it is called, and what it does.
type Part = (&'static str, fn(&Runtime, &mut Page));

const PARTS: &[Part] = &[
    ("two-hop", two_hop::run),
    ("near", near::run),
    ("rounds", rounds::run),
    ("storing", storing::run),
    ("least", least::run),
    ("owners", owners::run),
    ("frames", spoken::run),
    ("half-load", half_load::run),
    ("large", large::run),
    ("reports", reports::run),
    ("memory", memory::run),
    ("start", start::run),
    ("instructions", instructions::run),
];

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    if let Some(be) = server::to_be() {
        return runtime.block_on(serve(&be));
    }
    twinkle::wire::server::raise_open_files();
    // cargo adds flags of its own.
    let wanted: Vec<_> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|name| PARTS.iter().all(|part| part.0 != **name))
    {
        let known: Vec<_> = PARTS.iter().map(|part| part.0).collect();
        eprintln!(
            "no part is called '{unknown}'; there is: {}",
            known.join(", ")
        );
        std::process::exit(2);
    }
    let mut page = Page::begin();
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run(&runtime, &mut page);
        }
    }
    page.say_what_is_asked();
    if wanted.is_empty() {
        page.write();
    }
}

/// Is another process of a benchmark until it is ended.
async fn serve(be: &str) {
    twinkle::wire::server::raise_open_files();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    match be.split_once(' ') {
        Some((be, of)) => least::serve(listener, be, of).await,
        None => two_hop::serve(listener, be).await,
    }
}
