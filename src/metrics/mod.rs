//! Figures about a server, for Prometheus to gather, and whether all is well, for whoever watches
//! over it. Counting a flash costs two looks at the clock and a few additions, and none where nobody
//! asked for figures; what can be found out later is found out when somebody asks.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::access::{Reason, Verdict};
use crate::domain::ids::DeviceName;
use crate::wire::answers::Tally;

mod http;

pub use http::start;

/// A figure that goes up and down.
pub type Gauge = gauge::Gauge<f64, AtomicU64>;
/// One such figure for each device.
pub type DeviceGauge = Family<Device, Gauge>;

/// A door or a relay, as figures are labelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Device {
    /// `door` or `relay`.
    pub role: &'static str,
    /// Its name.
    pub name: String,
}

/// How a flash was answered, as figures are labelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    /// `open` or `dont-open`.
    verdict: &'static str,
    /// Why not; empty for `open`.
    reason: &'static str,
}

impl Outcome {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Open => Self {
                verdict: "open",
                reason: "",
            },
            Verdict::DontOpen(reason) => Self {
                verdict: "dont-open",
                reason: reason.code(),
            },
        }
    }
}

/// What a server knows of itself when somebody asks.
pub trait Source: Send + Sync + 'static {
    /// Brings the figures up to date that are not counted as things happen. May wait.
    fn refresh(&self);

    /// Whether the program does its work.
    ///
    /// # Errors
    /// What stands still, so that only a restart helps.
    fn alive(&self) -> Result<(), String>;

    /// How a flash would be decided now.
    ///
    /// # Errors
    /// Why it would not be.
    fn ready(&self) -> impl Future<Output = Result<String, String>> + Send;
}

/// The figures of one server.
pub struct Metrics {
    registry: Mutex<Registry>,
    flashes: Family<Outcome, Counter>,
    answers: Histogram,
    entries: Histogram,
    commits: Histogram,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Figures of a server of that role and name, none of which has happened yet.
    pub fn new(role: &'static str, name: &str) -> Self {
        let mut registry = Registry::with_prefix("twinkle");
        let labels = [
            ("version", crate::version::VERSION),
            ("role", role),
            ("name", name),
        ];
        let labels = labels
            .map(|(label, value)| (label, value.to_owned()))
            .to_vec();
        registry.register("build", "Which twinkle this is", Info::new(labels));

        let flashes = Family::<Outcome, Counter>::default();
        // A reason that comes up for the first time is a change from 0 to 1.
        let refusals = Reason::ALL.iter().map(|&reason| Verdict::DontOpen(reason));
        for verdict in refusals.chain([Verdict::Open]) {
            drop(flashes.get_or_create(&Outcome::of(verdict)));
        }
        registry.register("flashes", "Flashes answered", flashes.clone());
        // From 100 us to 3.3 s: a door waits for 3 s.
        let answers = Histogram::new(exponential_buckets(0.0001, 2.0, 16));
        registry.register_with_unit(
            "answer",
            "From a flash's arrival to its answer",
            Unit::Seconds,
            answers.clone(),
        );
        let commits = Histogram::new(exponential_buckets(0.0001, 2.0, 16));
        registry.register_with_unit(
            "commit",
            "How long storing one batch took, its flush to the disk included",
            Unit::Seconds,
            commits.clone(),
        );
        let entries = Histogram::new(exponential_buckets(1.0, 2.0, 10));
        registry.register(
            "batch_entries",
            "How many entries one batch had",
            entries.clone(),
        );
        Self {
            registry: Mutex::new(registry),
            flashes,
            answers,
            entries,
            commits,
        }
    }

    /// Adds a figure that its [`Source`] brings up to date. It is called `twinkle_NAME`, and its
    /// name says its unit.
    pub fn gauge(&self, name: &str, help: &str) -> Gauge {
        let gauge = Gauge::default();
        self.registry().register(name, help, gauge.clone());
        gauge
    }

    /// Adds a figure that there is for each device; else as [`Metrics::gauge`].
    pub fn device_gauge(&self, name: &str, help: &str) -> DeviceGauge {
        let gauge = DeviceGauge::default();
        self.registry().register(name, help, gauge.clone());
        gauge
    }

    /// Counts a batch that was stored.
    pub fn stored(&self, entries: usize, took: Duration) {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        self.entries.observe(f64::from(entries));
        self.commits.observe(took.as_secs_f64());
    }

    /// All of it, as Prometheus reads it.
    fn text(&self) -> String {
        let mut text = String::new();
        // A string takes whatever is written.
        let _written = text::encode(&mut text, &self.registry());
        text
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally for Metrics {
    fn answered(&self, _door: &DeviceName, verdict: Verdict, after: Duration) {
        self.flashes.get_or_create(&Outcome::of(verdict)).inc();
        self.answers.observe(after.as_secs_f64());
    }
}

/// A count as a figure.
#[expect(
    clippy::cast_precision_loss,
    reason = "a figure for people is exact enough up to 2^53"
)]
pub fn figure(count: u64) -> f64 {
    count as f64
}
