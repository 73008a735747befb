//! How near twinkle comes to the model, and what else comes near it: programs that do less, and less.
//! In turn, and many times, so that it can be told how sure each ratio is.

use tokio::runtime::Runtime;

use crate::generator::{Plan, Speak};
use crate::least::{self, Program};
use crate::page::{Beside, Bound, Page, asked};
use crate::server::{Server, Site};
use crate::turns::{MEASURED, Ratio, TURNS};
use crate::two_hop::{CONNECTIONS, MANY, all_opened, flushed_commit, median, model, plan};

/// What is measured in turn. The first is the bare echo, the last is twinkle.
const NAMES: [&str; 5] = ["bare", "row", "the least", "dutiful", "twinkle"];
/// The places among them of those that stand beside what is asked.
const BESIDE: [(Beside, usize); 3] = [(Beside::Row, 1), (Beside::Least, 2), (Beside::Dutiful, 3)];
/// The place of twinkle.
const TWINKLE: usize = 4;

/// What one turn saw.
struct Turn {
    /// Flashes a second of each of [`NAMES`].
    rates: [f64; NAMES.len()],
    model: f64,
}

impl Turn {
    fn of_model(&self, which: usize) -> f64 {
        self.rates[which] / self.model
    }

    fn of_bare(&self, which: usize) -> f64 {
        self.rates[which] / self.rates[0]
    }
}

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("What is left of the model");
    page.say(&format!(
        "Flashes a second of doors that speak plain text, for {} ms each, {TURNS} times one right after the",
        MEASURED.as_millis()
    ));
    page.say("other: medians, also of each turn's ratios to its own model, and *within* what that of many more");
    page.say("turns would lie, 19 times of 20. *bare*: the two-hop echo. The others are those beside what is");
    page.say("asked: a part further down says what they do, and what they cost.");
    page.say("");
    let site = Site::new();
    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let [row, _keeper_of_row] = least::start(Program::Row, &site);
    let [least, _keeper] = least::start(Program::Least, &site);
    let site_of_dutiful = Site::new();
    let [dutiful, _decider] = least::start(Program::Dutiful, &site_of_dutiful);
    let central = site.central();
    let relay = site.relay(&central);
    let servers = [&hop, &row, &least, &dutiful, &relay];
    page.table(&[
        "doors",
        "of",
        "a second",
        "of the model",
        "within",
        "of the bare rate",
    ]);
    for doors in CONNECTIONS {
        let turns: Vec<_> = (0..TURNS)
            .map(|_| turn(runtime, &site, servers, doors))
            .collect();
        print(page, doors, &turns);
    }
}

/// Measures each of them, with a flushed commit before and after.
fn turn(runtime: &Runtime, site: &Site, servers: [&Server; NAMES.len()], doors: usize) -> Turn {
    let before = flushed_commit(site.folder());
    let rates = servers.map(|server| {
        let plan = Plan {
            measured: MEASURED,
            ..plan(server.address, Speak::Plain, doors)
        };
        all_opened(runtime, &plan).rate()
    });
    let commit = f64::midpoint(before, flushed_commit(site.folder()));
    Turn {
        rates,
        model: model(doors, rates[0], commit),
    }
}

fn print(page: &mut Page, doors: usize, turns: &[Turn]) {
    let rate = median(turns.iter().map(|turn| turn.model));
    page.row(&[
        &doors.to_string(),
        "model",
        &format!("{rate:.0}"),
        "",
        "",
        "",
    ]);
    for (which, name) in NAMES.into_iter().enumerate() {
        let rate = median(turns.iter().map(|turn| turn.rates[which]));
        let [of_model, within] = Ratio::of(turns.iter().map(|turn| turn.of_model(which))).shown();
        let of_bare = median(turns.iter().map(|turn| turn.of_bare(which)));
        page.row(&[
            doors.to_string(),
            name.to_owned(),
            format!("{rate:.0}"),
            of_model,
            within,
            format!("{of_bare:.2}"),
        ]);
    }
    let of_model = |which| median(turns.iter().map(|turn| turn.of_model(which)));
    let of_bare = |which| median(turns.iter().map(|turn| turn.of_bare(which)));
    page.ask(asked::model(doors), Bound::AtLeast(0.8), of_model(TWINKLE));
    if doors >= MANY {
        page.ask(asked::bare(doors), Bound::AtLeast(1.0), of_bare(TWINKLE));
    }
    for (program, which) in BESIDE {
        page.beside(program, &asked::model(doors), of_model(which));
        page.beside(program, &asked::bare(doors), of_bare(which));
    }
}
