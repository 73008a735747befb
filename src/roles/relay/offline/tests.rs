use super::*;
use crate::clock::SystemClock;
use crate::domain::ids::TwinkletId;
use crate::domain::roster::Badge;

struct Relay {
    offline: Offline,
    store: RelayStore,
    _folder: tempfile::TempDir,
}

impl Relay {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.db");
        let clock = Arc::new(SystemClock);
        Self {
            offline: Offline::new(
                Duration::from_secs(3_600),
                clock,
                BootId::from_bytes([1; 16]),
            ),
            store: RelayStore::open_as_relay(&path).unwrap().store,
            _folder: folder,
        }
    }

    fn badges(&mut self, whole: bool, badges: &[Badge]) {
        let told = Badges {
            n: 1,
            whole,
            badges: badges.to_vec(),
            gone: Vec::new(),
        };
        self.offline.badges(&mut self.store, &told).unwrap();
    }

    /// The central says that after so many changes its roster is of those badges.
    fn current(&mut self, at: u64, badges: &[Badge]) -> Confirmation {
        let sum = badges
            .iter()
            .fold(0, |sum: u64, badge| sum.wrapping_add(badge.digest()));
        let told = Current {
            at,
            sum,
            time: 1_795_608_000_000,
            zone: "UTC".to_owned(),
            day_starts_at: 0,
            doors: Vec::new(),
        };
        self.offline.current(&mut self.store, told).unwrap()
    }
}

fn badge(id: u64) -> Badge {
    Badge {
        id: TwinkletId::try_from(id).unwrap(),
        body: vec![1, 2, 3],
    }
}

#[tokio::test]
async fn what_was_under_way_when_the_whole_roster_was_asked_for_is_no_second_mismatch() {
    let (one, two) = (badge(1), badge(2));
    let both = [one.clone(), two.clone()];
    let mut relay = Relay::new();
    relay.badges(true, std::slice::from_ref(&one));
    assert_eq!(relay.current(5, &both[..1]), Confirmation::Same);
    assert_eq!(relay.offline.at(), 5);
    assert_eq!(relay.current(6, &both), Confirmation::Different);
    // Whatever is asked for now, as when a door comes, has to be the whole.
    assert_eq!(relay.offline.at(), 0);
    // The next beat, and a change, were sent before the central heard of it.
    assert_eq!(relay.current(6, &both), Confirmation::Same);
    relay.badges(false, &[badge(3)]);
    assert_eq!(relay.current(7, &both), Confirmation::Same);
    assert_eq!(relay.offline.head.as_ref().map(|head| head.at), Some(5));
    assert!(relay.store.roster().unwrap().is_some(), "it still holds");
    relay.badges(true, std::slice::from_ref(&one));
    relay.badges(false, std::slice::from_ref(&two));
    assert_eq!(relay.current(7, &both), Confirmation::Same);
    assert_eq!(relay.offline.at(), 7);
    assert!(relay.store.roster_badge(two.id).unwrap().is_some());
    assert!(relay.store.roster_badge(badge(3).id).unwrap().is_none());
}

#[tokio::test]
async fn a_whole_roster_that_is_wrong_too_is_forgotten_and_not_asked_for_again_and_again() {
    let both = [badge(1), badge(2)];
    let mut relay = Relay::new();
    relay.badges(true, &both[..1]);
    assert_eq!(relay.current(5, &both), Confirmation::Different);
    relay.badges(true, &both[..1]);
    for _ in 0..3 {
        assert_eq!(relay.current(5, &both), Confirmation::Same);
        assert!(relay.offline.head.is_none());
        assert!(relay.store.roster().unwrap().is_none());
    }
    // A new connection begins from nothing.
    relay.offline.start_over();
    assert_eq!(relay.offline.at(), 0);
    relay.badges(true, &both);
    assert_eq!(relay.current(5, &both), Confirmation::Same);
    assert_eq!(relay.offline.at(), 5);
}
