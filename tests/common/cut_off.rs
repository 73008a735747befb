//! Relays that decide by themselves: their files, and what they must know before they are cut off.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use twinkle::domain::ids::EventId;

use super::{ASHA, Client, Proc, SOON, Site, pause, wait_until};

/// How many events there are.
pub const EVENTS: &str = "SELECT count(*) FROM event";

impl Site {
    /// Where the file of relay `site` is, unless it is told.
    pub fn relay_file(&self) -> PathBuf {
        let folder = self.folder.path();
        folder.join(".local/share/twinkle/relay-site.db")
    }

    /// That file, to look into.
    pub fn relay_sql(&self) -> rusqlite::Connection {
        let sql = rusqlite::Connection::open(self.relay_file()).unwrap();
        sql.busy_timeout(SOON).unwrap();
        sql
    }

    /// Waits until the relay's roster knows so many doors.
    pub fn roster_knows(&self, doors: i64) {
        let sql = self.relay_sql();
        wait_until(SOON, "the roster knows the doors", || {
            let known = "SELECT count(*) FROM roster_door";
            let known = sql.query_row(known, [], |row| row.get::<_, i64>(0));
            known.unwrap() == doors
        });
    }

    /// A central, and a relay that decides by itself for so long and has its roster.
    pub fn cut_off_for(&self, time: &str) -> (Proc, Proc) {
        let central = self.central(0, &[]);
        let relay = self.relay(0, central.address(), &["--offline-for", time]);
        relay.stderr.wait_for("the roster is here");
        (central, relay)
    }

    /// A door of the relay's that the roster knows, beside so many others.
    pub fn known_door(&self, relay: SocketAddr, name: &str, others: i64) -> Client {
        let mut door = Client::door(relay, name);
        assert_eq!(door.flash(ASHA).verdict, "open");
        self.roster_knows(others + 1);
        door
    }

    /// What of the flashes stands in the database now.
    pub fn stored(&self) -> Stored {
        let mut sql = self.sql();
        let moment = sql.transaction().unwrap();
        let mut select = moment
            .prepare(
                "SELECT uid, uid NOT IN (SELECT uid FROM undelivered) FROM event
                 WHERE verdict = 'open'",
            )
            .unwrap();
        let opens = select.query_map([], |row| {
            Ok((EventId::from_bytes(row.get(0)?), row.get(1)?))
        });
        let counted = "SELECT coalesce(sum(flashes), 0) FROM attendance";
        Stored {
            opens: opens.unwrap().map(Result::unwrap).collect(),
            counted: moment.query_row(counted, [], |row| row.get(0)).unwrap(),
        }
    }
}

/// What stands in the database at one moment: a relay may just be telling of what reached no door.
#[derive(Debug)]
pub struct Stored {
    /// The events with verdict open, and whether each still counts.
    pub opens: HashMap<EventId, bool>,
    /// How many of them attendance has counted.
    pub counted: usize,
}

impl Stored {
    /// How many of them count.
    pub fn counting(&self) -> usize {
        self.opens.values().filter(|counts| **counts).count()
    }
}

/// What doors were told.
#[derive(Debug, Default)]
pub struct Told {
    /// The events that opened.
    pub opened: Vec<EventId>,
    /// Why others did not.
    pub refused: BTreeSet<&'static str>,
}

/// Has Asha's badge flashed at 20 of a relay's doors, one flash at a time at each, while something
/// is done.
pub fn flashing_while(relay: SocketAddr, act: impl FnOnce()) -> Told {
    let done = AtomicBool::new(false);
    let mut told = Told::default();
    thread::scope(|scope| {
        let doors: Vec<_> = (0..20)
            .map(|number| {
                let done = &done;
                scope.spawn(move || flash_until(done, relay, &format!("door {number}")))
            })
            .collect();
        act();
        done.store(true, Ordering::Relaxed);
        for door in doors {
            let door = door.join().unwrap();
            told.opened.extend(door.opened);
            told.refused.extend(door.refused);
        }
    });
    told
}

fn flash_until(done: &AtomicBool, relay: SocketAddr, name: &str) -> Told {
    let mut door = Client::door(relay, name);
    let mut told = Told::default();
    while !done.load(Ordering::Relaxed) {
        let flash = door.new_flash(ASHA);
        match door.ask(&flash).verdict {
            "open" => told.opened.push(flash.event),
            refused => drop(told.refused.insert(refused)),
        }
        pause(Duration::from_millis(2));
    }
    told
}

/// Kills a central so many times, at no particular moment, while badges are flashed at the doors of
/// its relay, and looks whether the register is what the doors saw. Returns how many opened.
pub fn killed_under_load(kills: u64, mode: &[&str]) -> usize {
    let site = Site::seeded();
    let mut central = site.central(0, &[]);
    let port = central.address().port();
    let relay = site.relay(0, central.address(), mode);
    relay.stderr.wait_for("connected to the central");
    let told = flashing_while(relay.address(), || {
        for kill in 1..=kills {
            pause(Duration::from_millis(50 + kill * 7919 % 211));
            central.kill_9();
            pause(Duration::from_millis(kill * 104_729 % 97));
            central = site.central(port, &[]);
            let connected = usize::try_from(kill).unwrap() + 1;
            relay
                .stderr
                .wait_for_nth("connected to the central", connected);
        }
    });
    let opened = told.opened;
    wait_until(SOON, "every open is stored and counts", || {
        let stored = site.stored().opens;
        opened.iter().all(|event| stored.get(event) == Some(&true))
    });
    let stored = site.stored();
    // One flash a door at a time: no more than these can have been in flight.
    let surplus = stored.counting() - opened.len();
    let most = usize::try_from(kills).unwrap() * 20;
    assert!(surplus <= most, "{surplus} count that no door got");
    assert_eq!(stored.counted, stored.counting());
    opened.len()
}
