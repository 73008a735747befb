//! The least of a central around twinkle's own admission: what comes over one connection is decided and
//! stored as twinkle does it, and answered.

use std::collections::HashSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use tokio::net::TcpListener;
use twinkle::db::{Entry, FlashEntry, Outcome, Store, ToldDelay, ToldDelays};
use twinkle::domain::ids::DeviceName;
use twinkle::wire::delays::Delays;
use twinkle::wire::{Answer, Flash, Message};

use crate::least::keeper::{Answers, store_with};
use crate::storing::now;

/// The relay through which all come.
const RELAY: &str = "site";

/// An entry to be stored, and which flash it answers, if it is one.
type Job = (Entry, Option<u64>);

/// Decides what comes over one connection, by a site's database.
pub async fn serve(listener: &TcpListener, db: &Path) {
    let mut store = Store::open_as_central(db, chrono_tz::UTC).unwrap().store;
    let relay: DeviceName = RELAY.parse().unwrap();
    let mut doors = HashSet::new();
    let take = move |message, jobs: &Sender<Job>| match message {
        Message::Flash(flash) => {
            let door = &flash.door;
            if doors.insert(door.clone()) {
                jobs.send((Entry::Door(door.clone()), None)).unwrap();
            }
            let seq = flash.seq;
            let entry = Entry::Flash(of_flash(flash, relay.clone()));
            jobs.send((entry, Some(seq))).unwrap();
        }
        Message::Delays(told) => {
            let entry = Entry::Delays(of_delays(told, relay.clone()));
            jobs.send((entry, None)).unwrap();
        }
        message => panic!("{message:?}"),
    };
    let admit = move |jobs: &_, answers: &_| admit(&mut store, jobs, answers);
    store_with(listener, take, admit).await;
}

fn of_flash(flash: Flash, relay: DeviceName) -> FlashEntry {
    FlashEntry {
        event: flash.event,
        door: flash.door,
        relay: Some(relay),
        twinklet: flash.twinklet,
        code: flash.code,
        device_at: flash.at,
        in_time: true,
    }
}

fn of_delays(told: Delays, relay: DeviceName) -> ToldDelays {
    let now = now();
    let delays = told.delays.into_iter().map(|delay| ToldDelay {
        door: delay.door,
        at: now - Duration::from_millis(delay.age),
        us: delay.us,
    });
    ToldDelays {
        relay,
        delays: delays.collect(),
    }
}

/// Admits all that has come in one transaction, and what comes until it is decided, and then answers
/// it.
fn admit(store: &mut Store, queue: &Receiver<Job>, answers: &Answers) {
    // The relay itself goes before its first flash.
    let mut batch = vec![(Entry::Relay(RELAY.parse().unwrap()), None)];
    while let Ok(first) = queue.recv() {
        batch.push(first);
        let come = |batch: &mut Vec<Job>| batch.extend(queue.try_iter());
        let outcomes = store.admit_as_they_come(&mut batch, |job| &job.0, come, now);
        for ((_, seq), outcome) in batch.drain(..).zip(outcomes.unwrap()) {
            if let (Some(seq), Outcome::Decided(verdict, name)) = (seq, outcome) {
                let answer = Answer { seq, verdict, name };
                answers.send(Message::Verdict(answer)).unwrap();
            }
        }
    }
}
