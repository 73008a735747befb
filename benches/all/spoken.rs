//! Doors that speak frames beside doors that speak plain text, in turn, and many times: the two differ
//! by little, if at all.

use tokio::runtime::Runtime;

use crate::generator::Plan;
use crate::least::{self, Program};
use crate::page::{Beside, Bound, Page, asked};
use crate::server::{Server, Site};
use crate::turns::{MEASURED, Ratio, TURNS};
use crate::two_hop::{CONNECTIONS, all_opened, both, median, plan};

/// The rates of plain text and of frames.
type Pair = [f64; 2];

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("Frames beside plain text");
    page.say(&format!(
        "Flashes a second with doors that speak either, for {} ms each, {TURNS} times one right after the",
        MEASURED.as_millis()
    ));
    page.say("other: medians, also of the pairs' ratios, and *within* what that of many more pairs would lie, 19");
    page.say("times of 20. *least*: the two programs of a part before, in turn with twinkle.");
    page.say("");
    let site = Site::new();
    let [least, _keeper] = least::start(Program::Least, &site);
    let central = site.central();
    let relay = site.relay(&central);
    page.table(&["doors", "of", "plain", "frames", "frames/plain", "within"]);
    for doors in CONNECTIONS {
        let (mut of_least, mut of_twinkle) = (Vec::new(), Vec::new());
        for turn in 0..TURNS {
            of_least.push(pair(runtime, &least, doors, turn));
            of_twinkle.push(pair(runtime, &relay, doors, turn));
        }
        row(page, doors, "least", &of_least);
        row(page, doors, "twinkle", &of_twinkle);
        let what = asked::frames(doors);
        page.ask(&*what, Bound::AtLeast(1.0), ratio(&of_twinkle).median);
        page.beside(Beside::Least, &what, ratio(&of_least).median);
    }
}

/// Measures both at that server.
fn pair(runtime: &Runtime, server: &Server, doors: usize, turn: usize) -> Pair {
    both(turn, |speak| {
        let plan = Plan {
            measured: MEASURED,
            ..plan(server.address, speak, doors)
        };
        all_opened(runtime, &plan).rate()
    })
}

fn ratio(pairs: &[Pair]) -> Ratio {
    Ratio::of(pairs.iter().map(|[plain, frames]| frames / plain))
}

fn row(page: &mut Page, doors: usize, of: &str, pairs: &[Pair]) {
    let [plain, frames] = [0, 1].map(|which| median(pairs.iter().map(|pair| pair[which])));
    let [ratio, within] = ratio(pairs).shown();
    page.row(&[
        doors.to_string(),
        of.to_owned(),
        format!("{plain:.0}"),
        format!("{frames:.0}"),
        ratio,
        within,
    ]);
}
