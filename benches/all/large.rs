//! Whether a flash takes longer where there are very many employees and events.

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::fill;
use crate::generator::{Plan, Speak};
use crate::page::{Bound, Page, of_doors};
use crate::server::Site;
use crate::two_hop::{all_opened, median, plan};
use crate::writer::{Batch, Done};

/// How many employees and events: a beginning, and ten years of a campus.
const SITES: [(u32, u64); 2] = [(100, 0), (1_000_000, 10_000_000)];
/// How many doors ask at once: one person, and a morning.
const DOORS: [usize; 2] = [1, 8];
/// How often each site is measured, in turn.
const ROUNDS: usize = 9;
const MEASURED: Duration = Duration::from_secs(3);

/// What one measurement saw.
struct Round {
    /// Times to the answer in ms.
    p50: f64,
    p99: f64,
    batch: Batch,
}

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("A large site");
    page.say(&format!(
        "Doors that speak frames, and any badge of the site; medians of {ROUNDS} measurements of each \
         site in turn."
    ));
    page.say("A batch of the central's writer has so many *flashes*, writes so much (*KiB*) to the database's");
    page.say("log, and takes so many ms of processor time (*deciding*) and of waiting for its *flush*. Each flash");
    page.say("counts for its employee's day, a little later: a hundred employees come again meanwhile, and are");
    page.say("counted once a second; of a million each has a page for itself, which is written and flushed too.");
    page.say("");
    let sites = SITES.map(|(employees, events)| {
        let site = Site::filled(&fill::Site {
            employees,
            doors: 40,
            days: 2,
            until: "2025-12-31".parse().unwrap(),
            events,
        });
        let (central, figures) = site.measured_central();
        let relay = site.relay(&central);
        // The processes end before their folder does.
        (relay, central, figures, site, employees)
    });
    page.table(&[
        "doors",
        "employees",
        "events",
        "p50 ms",
        "p99 ms",
        "p50 ratio",
        "flashes",
        "KiB",
        "deciding",
        "flush",
    ]);
    for doors in DOORS {
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                [0, 1].map(|which| {
                    let (relay, central, figures, _, employees) = &sites[which];
                    let load = Plan {
                        measured: MEASURED,
                        badges: fill::badges(*employees),
                        ..plan(relay.address, Speak::Frames, doors)
                    };
                    let before = Done::by(central, figures);
                    let saw = all_opened(runtime, &load);
                    let batch = Done::by(central, figures).since(&before);
                    Round {
                        p50: saw.within_ms(0.5),
                        p99: saw.within_ms(0.99),
                        batch,
                    }
                })
            })
            .collect();
        for (which, (employees, events)) in SITES.iter().enumerate() {
            let ratio = median(rounds.iter().map(|r| r[which].p50 / r[0].p50));
            let of = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(|r| of(&r[which])));
            page.row(&[
                doors.to_string(),
                employees.to_string(),
                events.to_string(),
                format!("{:.2}", of(&|r| r.p50)),
                format!("{:.2}", of(&|r| r.p99)),
                format!("{ratio:.2}"),
                format!("{:.1}", of(&|r| r.batch.entries)),
                format!("{:.1}", of(&|r| r.batch.kib())),
                format!("{:.2}", of(&|r| r.batch.worked * 1e3)),
                format!("{:.2}", of(&|r| r.batch.waited() * 1e3)),
            ]);
            if *events > 0 {
                let what = format!(
                    "p50 of {} at a large site, of a small one's",
                    of_doors(doors)
                );
                page.ask(what, Bound::AtMost(1.1), ratio);
            }
        }
    }
}
