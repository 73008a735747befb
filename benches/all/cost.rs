//! What flashes cost in processor time, process by process, and so how many the machine could do if
//! nothing ever waited for anything else.

use std::thread::available_parallelism;
use std::time::Instant;

use crate::generator::Figures;
use crate::page::Page;
use crate::server::{Server, own_processor_time};
use crate::two_hop::median;

/// Measures while doors flash.
pub struct Meter<'a> {
    relay: &'a Server,
    central: &'a Server,
    /// The processor times at its start.
    before: [f64; 3],
    since: Instant,
}

/// What a flash cost.
pub struct Cost {
    /// Microseconds of the relay, of the central, and of the doors, which are this program.
    each: [f64; 3],
    /// The share of the machine's time that all three used.
    busy: f64,
}

impl<'a> Meter<'a> {
    pub fn start(relay: &'a Server, central: &'a Server) -> Self {
        Self {
            relay,
            central,
            before: used(relay, central),
            since: Instant::now(),
        }
    }

    /// Ends it; that is what the doors saw.
    pub fn stop(self, figures: &Figures) -> Cost {
        let seconds = self.since.elapsed().as_secs_f64();
        let now = used(self.relay, self.central);
        let used = [0, 1, 2].map(|which| now[which] - self.before[which]);
        // Those of the start are not counted, and cost as much.
        let flashes = figures.rate() * seconds;
        Cost {
            each: used.map(|used| used * 1e6 / flashes),
            busy: used.iter().sum::<f64>() / seconds / cores(),
        }
    }
}

fn used(relay: &Server, central: &Server) -> [f64; 3] {
    [
        relay.process.processor_time(),
        central.process.processor_time(),
        own_processor_time(),
    ]
}

fn cores() -> f64 {
    available_parallelism().unwrap().get() as f64
}

/// Prints it: for each number of doors the costs that were measured, and the model's rate.
pub fn print(page: &mut Page, measured: &[(usize, Vec<Cost>, f64)]) {
    page.part("What a flash costs");
    page.say("Microseconds of processor time, with doors that speak frames; how busy that kept the machine;");
    page.say("how many flashes a second its processors allow at that price, if nothing ever waited; and how");
    page.say("that stands to the model, which knows of no work but the wire's and the disk's. Between what is");
    page.say(
        "allowed and what is reached lie waits: for a flush, for a batch, for a thread to wake up.",
    );
    page.say("");
    page.table(&[
        "doors",
        "relay us",
        "central us",
        "doors us",
        "together",
        "busy",
        "allowed",
        "allowed/model",
    ]);
    for (doors, costs, model) in measured {
        let each = [0, 1, 2].map(|which| median(costs.iter().map(|cost| cost.each[which])));
        let together: f64 = each.iter().sum();
        let allowed = cores() * 1e6 / together;
        page.row(&[
            doors.to_string(),
            format!("{:.0}", each[0]),
            format!("{:.0}", each[1]),
            format!("{:.0}", each[2]),
            format!("{together:.0}"),
            format!("{:.0} %", median(costs.iter().map(|cost| cost.busy)) * 1e2),
            format!("{allowed:.0}"),
            format!("{:.2}", allowed / model),
        ]);
    }
}
