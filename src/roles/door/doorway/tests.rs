use super::*;

mod courses;

const OPEN_FOR: Duration = Duration::from_secs(5);
const HELD_AFTER: Duration = Duration::from_secs(30);

/// A door, and the time at it.
struct Played {
    doorway: Doorway,
    began: Instant,
    now: Instant,
}

impl Played {
    /// A door of which nothing is known, with a contact and an exit button.
    fn unknown() -> Self {
        let now = Instant::now();
        let rules = Rules {
            open_for: OPEN_FOR,
            held_after: HELD_AFTER,
            sees_exits: true,
        };
        Self {
            doorway: Doorway::new(rules),
            began: now,
            now,
        }
    }

    /// A door that is known to be shut, with nothing the matter.
    fn shut() -> Self {
        let mut door = Self::unknown();
        Sensor::ALL
            .into_iter()
            .for_each(|sensor| door.is(sensor, false));
        assert_eq!(door.codes(), Vec::<String>::new());
        door
    }

    /// Lets time pass up to so many ms from the beginning, with everything that is due until then.
    fn at(&mut self, millis: u64) -> &mut Self {
        let then = self.began + Duration::from_millis(millis);
        while let Some(due) = self.doorway.due(self.now).filter(|&due| due <= then) {
            self.now = due;
            self.doorway.pass_time(due);
        }
        self.now = then;
        self.doorway.pass_time(then);
        self
    }

    fn grant(&mut self) -> EventId {
        let event = EventId::generate();
        self.doorway.grant(event, self.now);
        event
    }

    fn sense(&mut self, sensor: Sensor, sensed: Sensed) {
        self.doorway.sense(Change { sensor, sensed }, self.now);
    }

    fn is(&mut self, sensor: Sensor, active: bool) {
        self.sense(sensor, Sensed::Is(active));
    }

    fn open(&mut self) {
        self.is(Sensor::Contact, true);
    }

    fn close(&mut self) {
        self.is(Sensor::Contact, false);
    }

    fn press(&mut self) {
        self.is(Sensor::ExitButton, true);
        self.is(Sensor::ExitButton, false);
    }

    fn is_unlocked(&self) -> bool {
        self.doorway.want(self.now) != Want::Locked
    }

    fn alarm(&self) -> Option<Alarm> {
        self.doorway.alarm(self.now)
    }

    /// What happened since the last look.
    fn codes(&mut self) -> Vec<String> {
        let notes = self.doorway.take_notes();
        notes
            .iter()
            .map(|note| note.kind.code().to_owned())
            .collect()
    }
}

#[test]
fn an_open_unlocks_for_its_time_and_a_second_makes_it_longer() {
    let mut door = Played::unknown();
    assert!(!door.is_unlocked());
    door.grant();
    assert!(door.at(3_000).is_unlocked());
    door.grant();
    assert!(door.at(7_999).is_unlocked());
    assert!(!door.at(8_000).is_unlocked());
    assert_eq!(door.at(60_000).codes(), Vec::<String>::new());
}

#[test]
fn one_passage_uses_up_one_open() {
    let mut door = Played::shut();
    let event = door.grant();
    door.at(1_000).open();
    assert!(door.at(2_000).is_unlocked());
    door.close();
    assert!(!door.is_unlocked());
    let opened = &door.doorway.take_notes()[0];
    assert_eq!(
        (&opened.kind, opened.about),
        (&Kind::DoorOpened, Some(event))
    );
    // The door falls back open: the same passage still.
    door.at(2_300).open();
    door.at(2_400).close();
    assert!(!door.is_unlocked());
    assert_eq!(door.at(60_000).codes(), Vec::<String>::new());
}

#[test]
fn the_lock_stays_for_the_second_person_whose_flash_came_meanwhile() {
    let mut door = Played::shut();
    let first = door.grant();
    door.at(1_000).open();
    let second = door.at(2_000).grant();
    door.at(3_000).close();
    assert!(door.at(6_900).is_unlocked());
    door.open();
    door.at(6_950).close();
    assert!(!door.is_unlocked());
    let about: Vec<_> = door.doorway.take_notes().iter().map(|n| n.about).collect();
    assert_eq!(about, [Some(first), Some(second)]);
}

#[test]
fn it_locks_in_time_behind_a_door_that_stands_open() {
    let mut door = Played::shut();
    door.grant();
    door.at(4_900).open();
    assert!(door.at(4_999).is_unlocked());
    assert!(!door.at(5_000).is_unlocked());
    door.at(9_000).close();
    assert_eq!(door.codes(), ["door-opened"]);
}

#[test]
fn an_open_that_nobody_uses_is_noted_once_the_grace_is_over() {
    let mut door = Played::shut();
    let event = door.grant();
    assert_eq!(door.at(5_999).codes(), Vec::<String>::new());
    let notes = door.at(6_000).doorway.take_notes();
    assert_eq!(
        (&notes[0].kind, notes[0].about),
        (&Kind::NotOpened, Some(event))
    );
    // The handle was turned in time, and the contact moved a little later.
    door.at(10_000).grant();
    door.at(15_900).open();
    assert!(!door.is_unlocked());
    assert_eq!(door.codes(), ["door-opened"]);
}

#[test]
fn whose_time_is_over_goes_after_whose_time_is_not() {
    let mut door = Played::shut();
    door.grant();
    let second = door.at(5_500).grant();
    door.open();
    assert_eq!(door.doorway.take_notes()[0].about, Some(second));
    door.close();
    assert!(!door.is_unlocked());
    assert_eq!(door.at(60_000).codes(), Vec::<String>::new());
}

#[test]
fn nobody_claims_that_somebody_did_not_go_who_may_have_slipped_through() {
    let mut door = Played::shut();
    door.grant();
    door.grant();
    door.at(1_000).open();
    door.at(2_000).grant();
    door.at(3_000).close();
    assert_eq!(door.at(60_000).codes(), ["door-opened"]);
}

#[test]
fn a_door_opened_by_nobodys_leave_is_forced_if_exits_are_seen() {
    let mut door = Played::shut();
    door.at(2_000).open();
    assert_eq!(
        (door.codes(), door.alarm()),
        (vec!["door-forced".into()], Some(Alarm::Forced))
    );
    // Pushed shut at once, it is signalled all the same.
    door.at(3_000).close();
    assert_eq!(door.codes(), ["door-forced-over"]);
    assert_eq!(door.at(31_999).alarm(), Some(Alarm::Forced));
    assert_eq!(door.at(32_000).alarm(), None);
    // Somebody who may enter ends it.
    door.at(40_000).open();
    door.at(41_000).close();
    door.grant();
    assert_eq!(door.alarm(), None);

    let mut unseen = Played::shut();
    unseen.doorway.rules.sees_exits = false;
    unseen.at(2_000).open();
    unseen.at(3_000).close();
    assert_eq!((unseen.codes(), unseen.alarm()), (vec![], None));
}

#[test]
fn a_door_held_open_is_an_alarm_until_it_is_shut() {
    let mut door = Played::shut();
    door.grant();
    door.at(1_000).open();
    assert_eq!(door.at(30_999).alarm(), None);
    assert_eq!(door.at(31_000).alarm(), Some(Alarm::Held));
    door.at(90_000).close();
    assert_eq!(door.alarm(), None);
    assert_eq!(door.codes(), ["door-opened", "door-held", "door-held-over"]);
}

#[test]
fn a_door_that_is_open_at_the_start_is_not_forced_but_may_be_held() {
    let mut door = Played::unknown();
    door.open();
    assert_eq!(door.at(29_999).codes(), Vec::<String>::new());
    assert_eq!(door.at(30_000).codes(), ["door-held"]);
}

#[test]
fn the_exit_button_unlocks_and_what_follows_is_no_alarm() {
    let mut door = Played::shut();
    door.press();
    assert!(door.is_unlocked());
    door.at(1_000).open();
    door.at(2_000).close();
    assert!(!door.is_unlocked());
    let notes = door.doorway.take_notes();
    assert_eq!(
        (&notes[0].kind, &notes[1].kind),
        (&Kind::ExitButton, &Kind::DoorOpened)
    );
    assert_eq!(notes[1].about, Some(notes[0].event));
}

#[test]
fn an_impatient_presser_gets_one_passage_and_a_stuck_button_one_press() {
    let mut door = Played::shut();
    (0..5).for_each(|_| door.press());
    door.at(1_000).open();
    door.at(2_000).close();
    assert!(!door.is_unlocked());
    door.is(Sensor::ExitButton, true);
    assert!(door.at(6_999).is_unlocked());
    assert!(!door.at(7_000).is_unlocked());

    let mut stuck = Played::unknown();
    stuck.is(Sensor::ExitButton, true);
    assert!(!stuck.is_unlocked());
    assert_eq!(stuck.codes(), Vec::<String>::new());
}

#[test]
fn fire_unlocks_until_it_clears_and_silences_alarms() {
    let mut door = Played::shut();
    door.at(5_000).is(Sensor::Fire, true);
    door.at(6_000).open();
    door.is(Sensor::Tamper, true);
    assert!(door.at(100_000).is_unlocked());
    assert_eq!((door.codes(), door.alarm()), (vec!["fire".into()], None));
    door.at(100_000).is(Sensor::Fire, false);
    assert!(!door.is_unlocked());
    // What still is so counts from now.
    assert_eq!(door.codes(), ["fire-over", "tamper"]);
    assert_eq!(door.at(129_999).codes(), Vec::<String>::new());
    assert_eq!(door.at(130_000).codes(), ["door-held"]);
    door.close();
    door.is(Sensor::Tamper, false);
    assert_eq!(door.codes(), ["door-held-over", "tamper-over"]);
}

#[test]
fn a_fire_at_the_start_unlocks_at_once() {
    let mut door = Played::unknown();
    door.is(Sensor::Fire, true);
    assert!(door.is_unlocked());
    assert_eq!(door.codes(), ["fire"]);
}

#[test]
fn tampering_begins_and_ends() {
    let mut door = Played::shut();
    door.is(Sensor::Tamper, true);
    door.is(Sensor::Tamper, true);
    assert_eq!(
        (door.codes(), door.alarm()),
        (vec!["tamper".into()], Some(Alarm::Tamper))
    );
    door.is(Sensor::Tamper, false);
    assert_eq!(
        (door.codes(), door.alarm()),
        (vec!["tamper-over".into()], None)
    );
}

#[test]
fn a_lost_sensor_unlocks_nothing_and_alarms_nobody_and_its_alarm_ends_when_it_is_back() {
    let mut door = Played::shut();
    door.is(Sensor::Fire, true);
    door.is(Sensor::Tamper, true);
    door.sense(Sensor::Fire, Sensed::Lost);
    assert!(!door.is_unlocked());
    assert_eq!(door.codes(), ["fire", "tamper"]);
    door.sense(Sensor::Tamper, Sensed::Lost);
    assert_eq!(door.alarm(), None);
    door.is(Sensor::Fire, true);
    assert!(door.is_unlocked());
    door.is(Sensor::Fire, false);
    door.is(Sensor::Tamper, false);
    assert_eq!(door.codes(), ["fire-over", "tamper-over"]);

    door.at(10_000).open();
    door.sense(Sensor::Contact, Sensed::Lost);
    assert_eq!(door.at(100_000).alarm(), None);
    door.sense(Sensor::ExitButton, Sensed::Lost);
    door.is(Sensor::ExitButton, true);
    assert!(!door.is_unlocked());
    door.open();
    assert_eq!(door.alarm(), Some(Alarm::Forced));
    door.close();
    assert_eq!(door.codes(), ["door-forced", "door-forced-over"]);
}

#[test]
fn a_lock_that_did_not_unlock_let_nobody_in() {
    let mut door = Played::shut();
    door.grant();
    door.doorway.withdraw();
    assert!(!door.is_unlocked());
    assert_eq!(door.at(60_000).codes(), Vec::<String>::new());
}
