use super::*;
use crate::clock::SystemClock;
use tokio::time::Instant;

const RELAY: &str = "127.0.0.1:1";
const DOOR: &str = "127.0.0.1:2";

fn device(kind: DeviceKind, name: &str) -> Device {
    (kind, name.parse().unwrap())
}

fn lab() -> Device {
    device(DeviceKind::Door, "lab")
}

fn site() -> Device {
    device(DeviceKind::Relay, "site")
}

/// A watched presence, and what it has written down.
fn watched() -> (Arc<Presence>, mpsc::Receiver<Job>, CancellationToken) {
    let presence = Arc::new(Presence::new(Arc::new(SystemClock)));
    let (jobs, queue) = mpsc::channel(10);
    let stop = CancellationToken::new();
    let (watching, told) = (Arc::clone(&presence), stop.clone());
    tokio::spawn(async move { watching.run(jobs, told).await });
    (presence, queue, stop)
}

/// What is written down next, once it is, and whether it could be.
async fn next(queue: &mut mpsc::Receiver<Job>, stored: bool) -> Vec<(String, Seen)> {
    let Job { entry, asker } = queue.recv().await.unwrap();
    let (Entry::Seen(sightings), Asker::Device(asker)) = (entry, asker) else {
        panic!("something else was handed in");
    };
    asker.send(stored).unwrap();
    let seen = |sighting: Sighting| (sighting.name.to_string(), sighting.seen);
    sightings.into_iter().map(seen).collect()
}

fn name(text: &str) -> Option<DeviceName> {
    Some(text.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn who_comes_and_goes_is_written_down_soon_but_not_each_time() {
    let (presence, mut queue, _stop) = watched();
    presence.came(site(), RELAY.parse().unwrap(), None);
    presence.came(lab(), RELAY.parse().unwrap(), name("site"));
    let began = Instant::now();
    let both = [
        ("lab".to_owned(), Seen::Connected(name("site"))),
        ("site".to_owned(), Seen::Connected(None)),
    ];
    assert_eq!(next(&mut queue, true).await, both);
    assert!(began.elapsed() < Duration::from_millis(10));

    for _ in 0..100 {
        presence.went(&lab(), RELAY.parse().unwrap());
        presence.came(lab(), DOOR.parse().unwrap(), None);
        presence.went(&lab(), DOOR.parse().unwrap());
        presence.came(lab(), RELAY.parse().unwrap(), name("site"));
    }
    presence.relay_went(RELAY.parse().unwrap());
    let gone = ["lab", "site"].map(|name| (name.to_owned(), Seen::Gone));
    assert_eq!(next(&mut queue, true).await, gone);
    assert!(began.elapsed() >= FIRST_PAUSE);
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_and_goes_all_day_has_the_disk_written_less_and_less() {
    let (presence, mut queue, _stop) = watched();
    let began = Instant::now();
    let mut writings = 0;
    while began.elapsed() < Duration::from_secs(3600) {
        presence.came(lab(), DOOR.parse().unwrap(), None);
        presence.went(&lab(), DOOR.parse().unwrap());
        next(&mut queue, true).await;
        writings += 1;
    }
    assert!((60..75).contains(&writings), "{writings} in an hour");
    // After a while of quiet, the next is written at once and the one after it soon.
    tokio::time::sleep(2 * LONGEST_PAUSE).await;
    for _ in 0..2 {
        let began = Instant::now();
        presence.came(lab(), DOOR.parse().unwrap(), None);
        next(&mut queue, true).await;
        assert!(began.elapsed() <= FIRST_PAUSE);
    }
}

#[tokio::test(start_paused = true)]
async fn while_nothing_changes_only_the_centrals_life_is_written_down() {
    let (presence, mut queue, _stop) = watched();
    presence.came(lab(), DOOR.parse().unwrap(), None);
    next(&mut queue, true).await;
    let began = Instant::now();
    presence.flashed(&lab().1);
    presence.flashed(&"old receiver".parse().unwrap());
    let flashed = [("old receiver".to_owned(), Seen::Flashed)];
    assert_eq!(next(&mut queue, true).await, flashed);
    assert_eq!(next(&mut queue, true).await, []);
    assert!(began.elapsed() >= 2 * BEAT);
}

#[tokio::test(start_paused = true)]
async fn one_of_two_connections_is_enough_to_be_there() {
    let (presence, mut queue, _stop) = watched();
    presence.came(lab(), RELAY.parse().unwrap(), name("site"));
    presence.came(lab(), DOOR.parse().unwrap(), None);
    // A connection that was never made, and one that was lost and replaced.
    presence.went(&lab(), "127.0.0.1:3".parse().unwrap());
    presence.went(&lab(), DOOR.parse().unwrap());
    let through_site = [("lab".to_owned(), Seen::Connected(name("site")))];
    assert_eq!(next(&mut queue, true).await, through_site);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_is_tried_again_and_a_stop_is_the_end_of_all() {
    let (presence, mut queue, stop) = watched();
    presence.came(lab(), DOOR.parse().unwrap(), None);
    let there = [("lab".to_owned(), Seen::Connected(None))];
    assert_eq!(next(&mut queue, false).await, there);
    assert_eq!(next(&mut queue, true).await, there);
    stop.cancel();
    assert_eq!(
        next(&mut queue, true).await,
        [("lab".to_owned(), Seen::Gone)]
    );
    assert!(queue.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_door_that_a_relay_announces_twice_is_gone_when_it_is_said_once() {
    let (presence, _queue, _stop) = watched();
    for gone in [
        |presence: &Presence| presence.went(&lab(), RELAY.parse().unwrap()),
        |presence: &Presence| presence.relay_went(RELAY.parse().unwrap()),
    ] {
        for _ in 0..2 {
            presence.came(lab(), RELAY.parse().unwrap(), name("site"));
        }
        assert_eq!(presence.connected(), [lab()]);
        gone(&presence);
        assert_eq!(presence.connected(), []);
    }
}
