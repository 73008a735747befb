//! Whether a flash takes longer where there are very many employees and events.

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::fill;
use crate::generator::{Plan, Speak};
use crate::page::{Bound, Page, of_doors};
use crate::server::Site;
use crate::two_hop::{all_opened, median, plan};

/// How many employees and events: a beginning, and ten years of a campus.
const SITES: [(u32, u64); 2] = [(100, 0), (1_000_000, 10_000_000)];
/// How many doors ask at once: one person, and a morning.
const DOORS: [usize; 2] = [1, 8];
/// How often each site is measured, in turn.
const ROUNDS: usize = 9;
const MEASURED: Duration = Duration::from_secs(3);

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("A large site");
    page.say(&format!(
        "Doors that speak frames, and any badge of the site; medians of {ROUNDS} measurements of each \
         site in turn."
    ));
    page.say("");
    let sites = SITES.map(|(employees, events)| {
        let site = Site::filled(&fill::Site {
            employees,
            doors: 40,
            days: 2,
            until: "2025-12-31".parse().unwrap(),
            events,
        });
        let central = site.central();
        let relay = site.relay(&central);
        // The processes end before their folder does.
        (relay, central, site, employees)
    });
    page.table(&[
        "doors",
        "employees",
        "events",
        "p50 ms",
        "p99 ms",
        "p50 ratio",
    ]);
    for doors in DOORS {
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                [0, 1].map(|which| {
                    let (relay, _, _, employees) = &sites[which];
                    let load = Plan {
                        measured: MEASURED,
                        badges: fill::badges(*employees),
                        ..plan(relay.address, Speak::Frames, doors)
                    };
                    let figures = all_opened(runtime, &load);
                    [0.5, 0.99].map(|share| figures.within_ms(share))
                })
            })
            .collect();
        let of = |which: usize, share: usize| median(rounds.iter().map(|r| r[which][share]));
        for (which, (employees, events)) in SITES.iter().enumerate() {
            let ratio = median(rounds.iter().map(|r| r[which][0] / r[0][0]));
            page.row(&[
                doors.to_string(),
                employees.to_string(),
                events.to_string(),
                format!("{:.2}", of(which, 0)),
                format!("{:.2}", of(which, 1)),
                format!("{ratio:.2}"),
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
