//! What flashes cost in processor time, part by part, and so how many the machine could do if nothing
//! ever waited for anything else.

use std::thread::available_parallelism;
use std::time::Instant;

use crate::generator::Figures;
use crate::page::Page;
use crate::server::{Server, own_processor_time};
use crate::two_hop::median;

/// The thread of a central that decides and stores.
pub const WRITER: &str = "writer";

/// Says how much processor time something has used, in seconds.
type Clock<'a> = Box<dyn Fn() -> f64 + 'a>;

/// Measures while doors flash.
pub struct Meter<'a, const N: usize> {
    parts: [Clock<'a>; N],
    /// The processor times at its start.
    before: [f64; N],
    since: Instant,
}

/// What a flash cost.
pub struct Cost<const N: usize> {
    /// Microseconds of each part.
    pub each: [f64; N],
    /// The share of the machine's time that all of them used.
    pub busy: f64,
}

impl Cost<4> {
    /// Microseconds of relay, the central's connections and its writer.
    pub fn of_servers(&self) -> [f64; 3] {
        let [_doors, relay, connections, writer] = self.each;
        [relay, connections, writer]
    }
}

/// Watches the two-hop echo, the doors included.
pub fn of_bare<'a>(hop: &'a Server, echo: &'a Server) -> Meter<'a, 1> {
    Meter::start([Box::new(|| {
        own_processor_time() + hop.process.processor_time() + echo.process.processor_time()
    })])
}

/// Watches twinkle: the doors, which are this program, the relay, the central's connections, and its
/// writer.
pub fn of_twinkle<'a>(relay: &'a Server, central: &'a Server) -> Meter<'a, 4> {
    let writer = || central.process.processor_time_of(WRITER);
    Meter::start([
        Box::new(own_processor_time),
        Box::new(|| relay.process.processor_time()),
        Box::new(move || central.process.processor_time() - writer()),
        Box::new(writer),
    ])
}

impl<'a, const N: usize> Meter<'a, N> {
    fn start(parts: [Clock<'a>; N]) -> Self {
        let before = std::array::from_fn(|which| parts[which]());
        Self {
            parts,
            before,
            since: Instant::now(),
        }
    }

    /// Ends it; that is what the doors saw.
    pub fn stop(self, figures: &Figures) -> Cost<N> {
        let seconds = self.since.elapsed().as_secs_f64();
        let used: [f64; N] = std::array::from_fn(|which| self.parts[which]() - self.before[which]);
        // Those of the start are not counted, and cost as much.
        let flashes = figures.rate() * seconds;
        Cost {
            each: used.map(|used| used * 1e6 / flashes),
            busy: used.iter().sum::<f64>() / seconds / cores(),
        }
    }
}

/// How many processors there are.
pub fn cores() -> f64 {
    available_parallelism().unwrap().get() as f64
}

/// What doors speak to twinkle.
pub const SPOKEN: [&str; 2] = ["plain", "frames"];

/// What a flash cost in one round.
pub struct Costs {
    /// Through the echo.
    pub bare: Cost<1>,
    /// Through twinkle, as [`SPOKEN`].
    pub spoken: [Cost<4>; 2],
}

/// What was measured with so many doors.
pub struct Measured {
    pub doors: usize,
    /// Each time.
    pub costs: Vec<Costs>,
    /// The model's rate.
    pub model: f64,
}

pub fn print(page: &mut Page, measured: &[Measured]) {
    page.part("What a flash costs");
    page.say("Microseconds of processor time. *bare*: through the two-hop echo, its doors included: what the");
    page.say("wire alone costs. Then twinkle's, with doors that *speak* so: the *doors*, which this program is;");
    page.say("the *relay*, the central's *connections*, and its *writer*, which decides and stores; how busy all");
    page.say("of them kept the machine; how many flashes a second its processors *allow* at that price, if");
    page.say("nothing ever waited; and how that stands to the model, in which deciding and storing cost nothing");
    page.say("but the flush. What lies between what is allowed and what is reached are waits: for a flush, for a");
    page.say("batch, for a thread to wake up. With frames a door makes the event's id and reads more than `Open`:");
    page.say("that is in *doors*.");
    page.say("");
    page.table(&[
        "doors",
        "speak",
        "bare us",
        "doors us",
        "relay us",
        "connections us",
        "writer us",
        "together",
        "busy",
        "allowed",
        "allowed/model",
    ]);
    for Measured {
        doors,
        costs,
        model,
    } in measured
    {
        let bare = median(costs.iter().map(|of| of.bare.each[0]));
        for (at, speak) in SPOKEN.into_iter().enumerate() {
            let cost = || costs.iter().map(|of| &of.spoken[at]);
            let each = [0, 1, 2, 3].map(|which| median(cost().map(|cost| cost.each[which])));
            let busy = median(cost().map(|cost| cost.busy));
            let together: f64 = each.iter().sum();
            let allowed = cores() * 1e6 / together;
            let mut row = vec![doors.to_string(), speak.to_owned(), format!("{bare:.0}")];
            row.extend(each.map(|us| format!("{us:.0}")));
            row.extend([
                format!("{together:.0}"),
                format!("{:.0} %", busy * 1e2),
                format!("{allowed:.0}"),
                format!("{:.2}", allowed / model),
            ]);
            page.row(&row);
        }
    }
}
