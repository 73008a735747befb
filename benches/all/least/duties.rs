//! What a relay owes its site besides passing on: it tells how long each flash took, and it keeps what
//! the central has decided, for one that is restored from a backup. Done here with the least of effort.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use twinkle::clock;
use twinkle::db::{Draft, RelayStore};
use twinkle::domain::access::Verdict;
use twinkle::domain::spool::{Acted, What};
use twinkle::wire::delays::{Delay, Delays};
use twinkle::wire::{Flash, Message};

use crate::storing::now;

/// So many delays make a message, and so many decided flashes a row of the relay's file, as twinkle's
/// relay has it.
const TOLD_AT_ONCE: usize = 150;
const KEPT_AT_ONCE: usize = 512;
/// From so many bytes on the file's log is moved into it, as twinkle's relay does.
const LOG: u32 = 256 << 10;

/// What a relay still owes.
pub struct Duties {
    /// The flashes that are not answered yet, by their door's number, and when they came.
    asked: HashMap<usize, (Flash, Instant)>,
    /// When each was answered after how long.
    took: Vec<(Flash, Instant, Duration)>,
    decided: Vec<Draft>,
    keep: Sender<Vec<Draft>>,
}

impl Duties {
    /// With the relay's file in that folder, and a thread that writes to it.
    pub fn begin(folder: &Path) -> Self {
        let opened = RelayStore::open_as_relay(&folder.join("dutiful.db"));
        let store = opened.unwrap().store;
        let (keep, decided) = mpsc::channel();
        thread::spawn(move || write(store, &decided));
        Self {
            asked: HashMap::new(),
            took: Vec::new(),
            decided: Vec::new(),
            keep,
        }
    }

    /// A door of that number has flashed.
    pub fn asked(&mut self, door: usize, flash: &Flash) {
        self.asked.insert(door, (flash.clone(), Instant::now()));
    }

    /// It was answered. Returns what the central is to be told, when it is so much.
    pub fn answered(&mut self, door: usize, verdict: Verdict) -> Option<Message> {
        let (flash, came) = self.asked.remove(&door)?;
        let answered = Instant::now();
        self.decided.push(Draft {
            at: now(),
            uptime: clock::uptime().unwrap().as_millis().try_into().unwrap(),
            what: What::Flash(Acted {
                event: flash.event,
                door: flash.door.clone(),
                twinklet: flash.twinklet,
                device_at: flash.at,
                verdict,
                own: false,
            }),
        });
        if self.decided.len() == KEPT_AT_ONCE {
            self.keep.send(std::mem::take(&mut self.decided)).unwrap();
        }
        self.took.push((flash, answered, answered - came));
        (self.took.len() == TOLD_AT_ONCE).then(|| self.tell(answered))
    }

    fn tell(&mut self, now: Instant) -> Message {
        let delays = self.took.drain(..).map(|(flash, answered, took)| Delay {
            door: flash.door,
            age: (now - answered).as_millis().try_into().unwrap(),
            us: took.as_micros().try_into().unwrap(),
        });
        Message::Delays(Delays {
            delays: delays.collect(),
        })
    }
}

/// Writes to the relay's file what is to be kept.
fn write(mut store: RelayStore, decided: &Receiver<Vec<Draft>>) {
    store.leave_log().unwrap();
    let long = store.pages(LOG).unwrap();
    while let Ok(drafts) = decided.recv() {
        store.append(&drafts, &[], clock::boot()).unwrap();
        if store.log_length().unwrap() >= long {
            store.move_log().unwrap();
        }
    }
}
