//! Any course of events.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// One thing that is done to a door, after so many ms.
#[derive(Debug, Clone)]
enum Step {
    Grant,
    Withdraw,
    Sense(Change),
    Nothing,
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let sensed = prop_oneof![
        4 => any::<bool>().prop_map(Sensed::Is),
        1 => Just(Sensed::Lost),
    ];
    let change = (prop::sample::select(&Sensor::ALL[..]), sensed)
        .prop_map(|(sensor, sensed)| Step::Sense(Change { sensor, sensed }));
    let step = prop_oneof![
        3 => Just(Step::Grant),
        1 => Just(Step::Withdraw),
        8 => change,
        1 => Just(Step::Nothing),
    ];
    let wait = prop_oneof![0_u64..50, 0_u64..2_000, 0_u64..40_000];
    (wait, step)
}

proptest! {
    /// Whatever happens: the door is unlocked only on somebody's leave or for fire, every alarm
    /// has at most one end, and no leave is accounted for twice.
    #[test]
    fn no_course_of_events_unlocks_without_leave(
        steps in prop::collection::vec(step(), 1..60),
        sees_exits: bool,
    ) {
        let mut door = Played::unknown();
        door.doorway.rules.sees_exits = sees_exits;
        let (mut millis, mut fire, mut pressed) = (0, false, None);
        let mut leave_until: Option<Instant> = None;
        let mut followed: HashMap<EventId, usize> = HashMap::new();
        let mut told: HashMap<EventId, Kind> = HashMap::new();
        for (wait, step) in steps {
            millis += wait;
            door.at(millis);
            match step {
                Step::Grant => {
                    let event = door.grant();
                    told.insert(event, Kind::DoorOpened);
                    leave_until = Some(door.now + OPEN_FOR);
                }
                Step::Withdraw => {
                    door.doorway.withdraw();
                    leave_until = None;
                }
                Step::Sense(change) => {
                    door.sense(change.sensor, change.sensed);
                    let active = match change.sensed {
                        Sensed::Is(active) => Some(active),
                        Sensed::Lost => None,
                    };
                    if change.sensor == Sensor::Fire {
                        fire = active == Some(true);
                    }
                    if change.sensor == Sensor::ExitButton {
                        if (pressed, active) == (Some(false), Some(true)) {
                            leave_until = Some(door.now + OPEN_FOR);
                        }
                        pressed = active;
                    }
                }
                Step::Nothing => (),
            }
            let leave = leave_until.is_some_and(|until| door.now < until);
            prop_assert!(!door.is_unlocked() || fire || leave);
            prop_assert!(!fire || door.is_unlocked() && door.alarm().is_none());
            for note in door.doorway.take_notes() {
                if let Some(about) = note.about {
                    prop_assert!(told.contains_key(&about), "{note:?} follows nothing");
                    *followed.entry(about).or_default() += 1;
                    prop_assert_eq!(followed[&about], 1, "{:?} again", note);
                    if let Some(ended) = note.kind.ends() {
                        prop_assert_eq!(&told[&about], &ended);
                    }
                } else if note.kind == Kind::DoorForced {
                    prop_assert!(sees_exits && !fire);
                }
                told.insert(note.event, note.kind);
            }
        }
        // Left alone, it comes to rest.
        for _ in 0..200 {
            let Some(due) = door.doorway.due(door.now) else { break };
            prop_assert!(due > door.now);
            door.now = due;
            door.doorway.pass_time(due);
        }
        prop_assert_eq!(door.doorway.due(door.now), None);
        prop_assert_eq!(door.is_unlocked(), fire);
    }
}
