use super::*;
use std::sync::{Arc, Mutex};

/// Writes down what it is told; fails to do it so many times, after which it is in order.
struct Recorder {
    told: Arc<Mutex<Vec<String>>>,
    failures: usize,
}

impl Recorder {
    fn told(&mut self, what: String) -> io::Result<()> {
        self.told.lock().unwrap().push(what);
        match self.failures.checked_sub(1) {
            Some(left) => {
                self.failures = left;
                Err(io::Error::other("stuck"))
            }
            None => Ok(()),
        }
    }
}

impl Lock for Recorder {
    fn describe(&self) -> String {
        "a recorder".to_owned()
    }

    fn unlock(&mut self, hold: Option<Duration>) -> io::Result<()> {
        self.told(format!("unlock {:?}", hold.map(|hold| hold.as_secs())))
    }

    fn lock(&mut self) -> io::Result<()> {
        self.told("lock".to_owned())
    }
}

fn bolt(failures: usize) -> (Bolt, impl Fn() -> Vec<String>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let lock = Recorder {
        told: Arc::clone(&told),
        failures,
    };
    let taken = move || std::mem::take(&mut *told.lock().unwrap());
    (Bolt::new(Box::new(lock)), taken)
}

#[test]
fn the_lock_is_told_what_is_new_to_it_and_nothing_else() {
    let (mut bolt, told) = bolt(0);
    let now = Instant::now();
    let until = |seconds| Want::Unlocked(Some(now + Duration::from_secs(seconds)));
    for want in [
        Want::Locked,
        until(5),
        until(5),
        until(8),
        until(6),
        Want::Unlocked(None),
        Want::Unlocked(None),
        until(9),
        Want::Locked,
        Want::Locked,
    ] {
        bolt.drive(want, now).unwrap();
    }
    let expected = [
        "unlock Some(5)",
        "unlock Some(8)",
        "unlock None",
        "unlock Some(9)",
        "lock",
    ];
    assert_eq!(told(), expected);
    assert_eq!(bolt.due(), None);
}

#[test]
fn dropped_open_it_locks_and_dropped_locked_it_does_nothing() {
    let (mut bolt, told) = bolt(0);
    bolt.drive(Want::Unlocked(None), Instant::now()).unwrap();
    drop(bolt);
    assert_eq!(told(), ["unlock None", "lock"]);
    let (bolt, told) = self::bolt(0);
    drop(bolt);
    assert_eq!(told(), Vec::<String>::new());
}

#[test]
fn a_panic_leaves_the_door_locked() {
    let (mut bolt, told) = bolt(0);
    let work = std::panic::AssertUnwindSafe(move || {
        bolt.drive(Want::Unlocked(None), Instant::now()).unwrap();
        panic!("played");
    });
    std::panic::catch_unwind(work).unwrap_err();
    assert_eq!(told(), ["unlock None", "lock"]);
}

#[test]
fn a_lock_that_fails_to_unlock_is_told_to_lock_and_may_be_asked_again() {
    let (mut bolt, told) = bolt(1);
    let now = Instant::now();
    assert_eq!(bolt.drive(Want::Unlocked(None), now), Err(Stuck));
    assert!(bolt.is_locked());
    assert_eq!(bolt.due(), Some(now + TRY_AGAIN));
    bolt.drive(Want::Unlocked(None), now + TRY_AGAIN).unwrap();
    assert_eq!(told(), ["unlock None", "lock", "unlock None"]);
    assert_eq!(bolt.due(), None);
}

#[test]
fn a_lock_that_fails_to_lock_is_told_again() {
    let (mut bolt, told) = bolt(4);
    let mut now = Instant::now();
    assert_eq!(bolt.drive(Want::Unlocked(None), now), Err(Stuck));
    let mut tries = 1;
    while !bolt.is_locked() {
        now = bolt.due().unwrap();
        bolt.drive(Want::Locked, now).unwrap();
        tries += 1;
    }
    assert_eq!((tries, told().len()), (4, 5));
    assert_eq!(bolt.due(), None);
}

/// A lock that may vanish: whether it is there, and how often it was looked at.
#[derive(Default)]
struct Adapter {
    gone: Arc<Mutex<bool>>,
    looks: Arc<Mutex<u32>>,
}

impl Lock for Adapter {
    fn describe(&self) -> String {
        "the adapter's".to_owned()
    }

    fn unlock(&mut self, _hold: Option<Duration>) -> io::Result<()> {
        self.lock()
    }

    fn lock(&mut self) -> io::Result<()> {
        match *self.gone.lock().unwrap() {
            true => Err(io::Error::other("gone")),
            false => Ok(()),
        }
    }

    fn may_vanish(&self) -> bool {
        true
    }

    fn look(&mut self) -> io::Result<()> {
        *self.looks.lock().unwrap() += 1;
        self.lock()
    }
}

#[test]
fn a_lock_that_may_vanish_is_looked_at_while_it_is_locked_and_never_without_an_end() {
    let adapter = Adapter::default();
    let (gone, looks) = (Arc::clone(&adapter.gone), Arc::clone(&adapter.looks));
    let looks = || *looks.lock().unwrap();
    let mut bolt = Bolt::new(Box::new(adapter));
    let mut now = Instant::now();
    bolt.drive(Want::Locked, now).unwrap();
    assert_eq!(looks(), 0, "it was only just requested");
    for look in 1..=3 {
        let due = bolt.due().unwrap();
        assert!(now < due && due <= now + LOOK_EVERY + TRY_AGAIN, "{look}");
        now = due;
        bolt.drive(Want::Locked, now).unwrap();
        assert_eq!((looks(), bolt.lost), (look, look == 2));
        *gone.lock().unwrap() = look == 1;
    }
    // Unlocked, it is driven soon enough.
    bolt.drive(Want::Unlocked(None), now).unwrap();
    assert_eq!(bolt.due(), None);
    bolt.drive(Want::Unlocked(None), now + 5 * LOOK_EVERY)
        .unwrap();
    assert_eq!(looks(), 3);
}
