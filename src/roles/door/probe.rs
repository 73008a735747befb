//! `twinkle door --probe`: how long it takes to the relay and on to the central, each hop apart.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bytes::BytesMut;
use tokio::time::timeout;

use crate::clock::SystemClock;
use crate::exit::{Exit, Unusable};
use crate::render::{self, Column, Format, Grid};
use crate::roles::door::plan::Plan;
use crate::shutdown;
use crate::wire::answers::{Answers, Owed};
use crate::wire::link::Phase;
use crate::wire::{Echo, Message, Probed, codec};

/// The round trips of one hop, in microseconds.
type Times = Vec<u32>;

/// Measures so many round trips, one after the other, and prints what came of it.
///
/// # Errors
/// [`Unusable`] if nobody answers.
pub(super) async fn run(plan: &Plan, count: u32) -> anyhow::Result<Exit> {
    let stop = shutdown::on_signal()?;
    let link = plan.link(Arc::new(SystemClock));
    link.check_address()
        .await
        .context("cannot use the relay's address")?;
    tokio::spawn(link.clone().run(stop.clone()));
    let settled = link.settled().await;
    if settled.phase == Phase::Down {
        bail!(Unusable(settled.why));
    }
    let (answers, mut owed) = Answers::channel();
    let mut seen = Seen::default();
    let began = Instant::now();
    for n in 1..=u64::from(count) {
        link.measure(n, &answers);
        let answer = tokio::select! {
            answer = timeout(plan.deadline, owed.next()) => answer,
            () = stop.cancelled() => break,
        };
        match answer {
            Ok(Some(Owed::Probed(probed))) if probed.n == n => seen.note(&probed)?,
            _ => seen.unanswered += 1,
        }
    }
    seen.print(began.elapsed())
}

/// What the probes saw.
#[derive(Default)]
struct Seen {
    to_relay: Times,
    to_central: Times,
    /// The whole way.
    whole: Times,
    /// How often nobody answered, and how often the relay alone did.
    unanswered: usize,
    relay_alone: usize,
    /// What went to and fro between the door and its relay.
    bytes: usize,
}

impl Seen {
    fn note(&mut self, probed: &Probed) -> Result<(), crate::wire::Error> {
        let (hops, n) = (probed.hops.as_slice(), probed.n);
        let Some((&whole, beyond)) = hops.split_first() else {
            self.unanswered += 1;
            return Ok(());
        };
        let reply = Probed {
            hops: beyond.to_vec(),
            ..probed.clone()
        };
        self.bytes += size(&Message::Probe(Echo { n }))? + size(&Message::Probed(reply))?;
        let beyond = beyond.first().copied();
        // The whole way, less what of it lay behind the relay.
        self.to_relay
            .push(whole.saturating_sub(beyond.unwrap_or(0)));
        match beyond {
            Some(beyond) => {
                self.to_central.push(beyond);
                self.whole.push(whole);
            }
            None => self.relay_alone += usize::from(probed.lost),
        }
        Ok(())
    }

    fn print(mut self, took: Duration) -> anyhow::Result<Exit> {
        let answers = self.to_relay.len();
        if answers == 0 {
            bail!(Unusable("nobody answered".to_owned()));
        }
        let first = match self.to_central.is_empty() && self.relay_alone == 0 {
            true => "door - central",
            false => "door - relay",
        };
        let ways = [
            (first, &mut self.to_relay),
            ("relay - central", &mut self.to_central),
            ("door - central", &mut self.whole),
        ];
        let grid = Grid {
            columns: vec![
                Column::text("way"),
                Column::number("answers"),
                Column::number("min ms"),
                Column::number("mean ms"),
                Column::number("p99 ms"),
                Column::number("max ms"),
            ],
            rows: ways
                .into_iter()
                .filter_map(|(way, times)| row(way, times))
                .collect(),
        };
        render::print_grid(&grid, Format::Table)?;
        let (answers, seconds) = (answers as f64, took.as_secs_f64());
        let (messages, bytes) = (2.0 * answers / seconds, self.bytes as f64 / seconds);
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "\n{messages:.0} messages and {bytes:.0} bytes a second, there and back, one after the other"
        )?;
        if self.relay_alone > 0 {
            writeln!(
                out,
                "{} times the relay could not reach the central",
                self.relay_alone
            )?;
        }
        if self.unanswered > 0 {
            writeln!(out, "{} times nobody answered", self.unanswered)?;
        }
        Ok(match self.relay_alone + self.unanswered {
            0 => Exit::Done,
            _ => Exit::Unusable,
        })
    }
}

/// A way's times, in milliseconds; nothing if there are none.
fn row(way: &str, times: &mut Times) -> Option<Vec<String>> {
    times.sort_unstable();
    let (min, max) = (times.first()?, times.last()?);
    let p99 = times.get((times.len() * 99).div_ceil(100).saturating_sub(1))?;
    let mean = times.iter().copied().map(f64::from).sum::<f64>() / times.len() as f64;
    let millis = |micros: f64| format!("{:.3}", micros / 1e3);
    Some(vec![
        way.to_owned(),
        times.len().to_string(),
        millis((*min).into()),
        millis(mean),
        millis((*p99).into()),
        millis((*max).into()),
    ])
}

/// How many bytes a message is on the wire.
fn size(message: &Message) -> Result<usize, crate::wire::Error> {
    let mut bytes = BytesMut::new();
    codec::encode(message, &mut bytes)?;
    Ok(bytes.len())
}
