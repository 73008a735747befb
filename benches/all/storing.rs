//! What storing costs by itself: in a program that does nothing but write what a flash leaves in the
//! database, piece by piece, and in twinkle's own admission, without any network.

use std::path::Path;
use std::time::Instant;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};
use tokio::runtime::Runtime;
use twinkle::db::{Entry, FlashEntry, Outcome, Store};
use twinkle::domain::access::Verdict;
use twinkle::domain::ids::{EventId, TwinkletId};

use crate::generator::Speak;
use crate::page::Page;
use crate::server::{BADGES, Server, Site};
use crate::two_hop::{CONNECTIONS, all_opened, flushed_commit, median, model, plan};

/// How often each is measured, in turn.
const ROUNDS: usize = 5;
/// Of so many transactions the mean time is taken.
const TRANSACTIONS: u32 = 50;
/// Before them come so many that are not counted.
const WARM_UP: u32 = 5;
const DAY: &str = "2025-06-02";
const DOOR: &str = "bench";
const RELAY: &str = "site";

/// What a program does for each flash: that, and what stands before it.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub enum Piece {
    /// A number in a row, as in the model's own commit.
    Row,
    /// A row of the log.
    Event,
    /// Its unique id, and its time, each with an index.
    Indexes,
    /// First of all, whose badge it is.
    Badge,
    /// The day's presence of its employee.
    Presence,
}

const PIECES: [Piece; 5] = [
    Piece::Row,
    Piece::Event,
    Piece::Indexes,
    Piece::Badge,
    Piece::Presence,
];

/// Badges one after the other, in no order of theirs.
struct Badges(u64);

impl Badges {
    fn another(&mut self) -> u64 {
        let count = BADGES.end() - BADGES.start() + 1;
        // Shares no factor with the count, so that all come.
        self.0 = (self.0 + 377) % count;
        BADGES.start() + self.0
    }
}

pub fn run(runtime: &Runtime, page: &mut Page) {
    page.part("What storing costs");
    page.say("The time in ms of one flushed transaction with a flash of each of so many doors, and no network, in");
    page.say("a program that does nothing but store. *row*: a number for each flash. *event*: a row of the log.");
    page.say("*indexes*: its unique id and its time are found by an index each. *badge*: whose it is was looked up");
    page.say("before. *presence*: its employee's day is kept too. Then *twinkle*, which also decides, keeps what");
    page.say("else belongs to it, and counts the days later, of many flashes at once. And what is left of the");
    page.say("model by each, if a round takes the wire's time and that, one after the other, instead of the");
    page.say("wire's and the flush of one row.");
    page.say("");
    let echo = Server::this_program("echo");
    let hop = Server::this_program(&echo.address.to_string());
    let site = Site::new();
    let bare = PIECES.map(|piece| Bare::new(site.folder(), piece));
    let mut twinkle = Twinkle::new(&site);
    let names = ["row", "event", "indexes", "badge", "presence", "twinkle"];
    let mut headings = vec!["doors".to_owned()];
    headings.extend(names.map(str::to_owned));
    headings.extend(names.map(|name| format!("{name}/model")));
    let headings: Vec<_> = headings.iter().map(String::as_str).collect();
    page.table(&headings);
    for doors in CONNECTIONS {
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let wire = all_opened(runtime, &plan(hop.address, Speak::Plain, doors)).rate();
                let model = model(doors, wire, flushed_commit(site.folder()));
                let mut times: Vec<_> = bare.iter().map(|bare| bare.time(doors)).collect();
                times.push(twinkle.time(doors));
                let left = times
                    .iter()
                    .map(|&took| crate::two_hop::model(doors, wire, took) / model);
                let left = left.collect::<Vec<_>>();
                (times, left)
            })
            .collect();
        let mut row = vec![doors.to_string()];
        row.extend(
            (0..names.len())
                .map(|which| format!("{:.2}", median(rounds.iter().map(|r| r.0[which] * 1e3)))),
        );
        row.extend(
            (0..names.len())
                .map(|which| format!("{:.2}", median(rounds.iter().map(|r| r.1[which])))),
        );
        page.row(&row);
    }
}

/// The mean time of a transaction, in seconds.
fn mean(mut transaction: impl FnMut()) -> f64 {
    (0..WARM_UP).for_each(|_| transaction());
    let began = Instant::now();
    (0..TRANSACTIONS).for_each(|_| transaction());
    began.elapsed().as_secs_f64() / f64::from(TRANSACTIONS)
}

/// The program that does nothing but store, in a database of its own with twinkle's settings.
pub struct Bare {
    connection: Connection,
    piece: Piece,
}

impl Bare {
    /// In a file of that folder.
    pub fn new(folder: &Path, piece: Piece) -> Self {
        let path = folder.join(format!("bare-{}.db", piece as u8));
        let connection = Connection::open(path).unwrap();
        let set = |name, value| connection.pragma_update(None, name, value).unwrap();
        set("cache_size", "-16384");
        set("page_size", "1024");
        set("auto_vacuum", "INCREMENTAL");
        set("secure_delete", "true");
        set("journal_mode", "WAL");
        set("synchronous", "FULL");
        set("wal_autocheckpoint", "0");
        connection
            .execute_batch(
                "CREATE TABLE row (a INTEGER);
                 CREATE TABLE event (
                     id INTEGER PRIMARY KEY, uid BLOB NOT NULL, kind TEXT NOT NULL,
                     at INTEGER NOT NULL, day TEXT NOT NULL, door INTEGER, relay INTEGER,
                     twinklet INTEGER, employee INTEGER, verdict TEXT, device_at INTEGER NOT NULL
                 ) STRICT;
                 CREATE TABLE attendance (
                     day TEXT NOT NULL, employee INTEGER NOT NULL, first INTEGER, last INTEGER,
                     flashes INTEGER, PRIMARY KEY (day, employee)
                 ) STRICT, WITHOUT ROWID;
                 CREATE TABLE employee (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
                 CREATE TABLE assignment (
                     id INTEGER PRIMARY KEY, twinklet INTEGER NOT NULL, employee INTEGER NOT NULL
                 ) STRICT;
                 CREATE INDEX assignment_twinklet ON assignment (twinklet);",
            )
            .unwrap();
        if piece >= Piece::Indexes {
            let indexes = "CREATE UNIQUE INDEX event_uid ON event (uid);
                           CREATE INDEX event_at ON event (at);";
            connection.execute_batch(indexes).unwrap();
        }
        for badge in BADGES {
            let person = "INSERT INTO employee (name) VALUES (?1)";
            connection
                .execute(person, [format!("Person {badge}")])
                .unwrap();
            let number = connection.last_insert_rowid();
            let assignment = "INSERT INTO assignment (twinklet, employee) VALUES (?1, ?2)";
            connection
                .execute(assignment, (badge.cast_signed(), number))
                .unwrap();
        }
        Self { connection, piece }
    }

    /// Moves the log into the database now and then, as SQLite does by itself.
    pub fn move_log_by_itself(&self) {
        let pages = ("wal_autocheckpoint", "1000");
        self.connection
            .pragma_update(None, pages.0, pages.1)
            .unwrap();
    }

    pub fn begin(&self) {
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    }

    /// Returns when what was stored since the beginning is on the disk.
    pub fn commit(&self) {
        self.connection.execute_batch("COMMIT").unwrap();
    }

    /// Stores flashes of a badge, each as an event, and returns whose it is, if that is a piece.
    pub fn storer(&self) -> impl FnMut(i64, EventId) -> Option<String> {
        let Self { connection, piece } = self;
        let prepared = |sql| connection.prepare(sql).unwrap();
        let mut row = prepared("INSERT INTO row VALUES (1)");
        let mut holder = prepared(
            "SELECT number, name FROM assignment JOIN employee ON number = employee
             WHERE twinklet = ?1",
        );
        let mut event = prepared(
            "INSERT INTO event
                 (uid, kind, at, day, door, relay, twinklet, employee, verdict, device_at)
             VALUES (?1, 'flash', ?2, ?3, 1, 1, ?4, ?5, 'open', ?2)",
        );
        let mut presence = prepared(
            "INSERT INTO attendance VALUES (?1, ?2, ?3, ?3, 1)
             ON CONFLICT DO UPDATE SET last = excluded.last, flashes = flashes + 1",
        );
        move |badge, id| {
            if *piece == Piece::Row {
                row.execute([]).unwrap();
                return None;
            }
            let (mut employee, mut name) = (badge, None);
            if *piece >= Piece::Badge {
                let found = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
                (employee, name) = holder.query_row([badge], found).unwrap();
            }
            let at = now().timestamp_millis();
            event.execute((id, at, DAY, badge, employee)).unwrap();
            if *piece >= Piece::Presence {
                presence.execute((DAY, employee, at)).unwrap();
            }
            name
        }
    }

    /// The mean time of a transaction of so many flashes, in seconds.
    fn time(&self, flashes: usize) -> f64 {
        let mut store = self.storer();
        let mut badges = Badges(0);
        let took = mean(|| {
            self.begin();
            for _ in 0..flashes {
                store(badges.another().cast_signed(), EventId::generate());
            }
            self.commit();
        });
        // Otherwise it would grow, and be slower to search, from one measurement to the next.
        let move_log = "PRAGMA wal_checkpoint";
        self.connection.query_row(move_log, [], |_| Ok(())).unwrap();
        took
    }
}

/// Twinkle's own admission, on a site's database.
struct Twinkle {
    store: Store,
    badges: Badges,
}

impl Twinkle {
    fn new(site: &Site) -> Self {
        let opened = Store::open_as_central(&site.db(), chrono_tz::UTC).unwrap();
        let mut this = Self {
            store: opened.store,
            badges: Badges(0),
        };
        this.store.leave_log().unwrap();
        let devices = [
            Entry::Door(DOOR.parse().unwrap()),
            Entry::Relay(RELAY.parse().unwrap()),
        ];
        this.admit(&mut devices.into());
        this
    }

    /// The mean time of a transaction of so many flashes, in seconds.
    fn time(&mut self, flashes: usize) -> f64 {
        let took = mean(|| {
            let mut batch = (0..flashes).map(|_| self.flash()).collect();
            for outcome in self.admit(&mut batch) {
                assert!(matches!(outcome, Outcome::Decided(Verdict::Open, _)));
            }
        });
        self.store.move_log().unwrap();
        took
    }

    fn flash(&mut self) -> Entry {
        Entry::Flash(FlashEntry {
            event: EventId::generate(),
            door: DOOR.parse().unwrap(),
            relay: Some(RELAY.parse().unwrap()),
            twinklet: TwinkletId::new(self.badges.another()).unwrap(),
            code: None,
            device_at: now().timestamp_millis(),
            in_time: true,
        })
    }

    fn admit(&mut self, batch: &mut Vec<Entry>) -> Vec<Outcome> {
        let admitted = self
            .store
            .admit_as_they_come(batch, |entry| entry, |_| (), now);
        admitted.unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "events have their time")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
