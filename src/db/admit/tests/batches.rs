//! Many at once: all of a batch is stored, or nothing.

use super::*;

#[test]
fn a_failed_batch_stores_nothing_of_it() {
    let mut world = World::new();
    world
        .store
        .connection
        .execute_batch(
            "CREATE TEMP TRIGGER fails AFTER INSERT ON event WHEN new.employee IS NOT NULL
             BEGIN SELECT raise(ABORT, 'test'); END",
        )
        .unwrap();
    let batch = [Entry::Flash(flash(1, 99)), Entry::Flash(flash(2, ASHA))];
    assert!(world.store.admit(batch.iter(), world.now).is_err());
    assert_eq!(world.events(), 0);
}

/// Admits a first flash; while that is decided a second comes, a minute later.
fn admit_two_as_they_come(world: &mut World) -> crate::db::Result<Vec<Outcome>> {
    let mut comes = vec![Entry::Flash(flash(2, RAVI)), Entry::Flash(flash(1, ASHA))];
    let come = |batch: &mut Vec<Entry>| batch.extend(comes.pop());
    let clock = std::cell::Cell::new(world.now);
    let clock = || clock.replace(clock.get() + TimeDelta::minutes(1));
    let mut batch = Vec::new();
    let outcomes = world
        .store
        .admit_as_they_come(&mut batch, |entry| entry, come, clock);
    assert_eq!(batch.len(), 2);
    outcomes
}

#[test]
fn what_comes_while_a_batch_is_decided_is_stored_with_it_and_has_its_own_time() {
    let mut world = World::new();
    let outcomes = admit_two_as_they_come(&mut world).unwrap();
    assert_eq!(outcomes, [open("Asha Rao"), open("Ravi")]);
    let minute = TimeDelta::minutes(1);
    let at: Vec<_> = world.store.events_since(0).unwrap();
    let at: Vec<_> = at.iter().map(|event| event.at).collect();
    assert_eq!(at, [world.now + minute, world.now + minute * 2]);
}

#[test]
fn nothing_of_a_batch_is_stored_if_what_came_meanwhile_cannot_be() {
    let mut world = World::new();
    world
        .store
        .connection
        .execute_batch(
            "CREATE TEMP TRIGGER fails AFTER INSERT ON event
             WHEN (SELECT count(*) FROM event) = 2 BEGIN SELECT raise(ABORT, 'test'); END",
        )
        .unwrap();
    admit_two_as_they_come(&mut world).unwrap_err();
    assert_eq!((world.events(), world.attendance().len()), (0, 0));
}

#[test]
fn a_full_disk_stores_nothing_of_a_batch_and_harms_nothing() {
    let mut world = World::new();
    let pages = world.number("PRAGMA page_count");
    world.number(&format!("PRAGMA max_page_count = {pages}"));
    let batch: Vec<_> = (0..200)
        .map(|number| Entry::Flash(flash(number, ASHA)))
        .collect();
    let full = world.store.admit(batch.iter(), world.now);
    let says = full.unwrap_err().to_string();
    assert!(says.contains("full"), "{says}");
    assert_eq!((world.events(), world.attendance().len()), (0, 0));
    // A device that is known is taken all the same.
    assert_eq!(world.admit(&[Entry::Door(door("lab"))]), [Outcome::Noted]);
    // The same again, once there is room.
    world.number(&format!("PRAGMA max_page_count = {}", pages + 1000));
    assert_eq!(world.admit(&batch), vec![open("Asha Rao"); 200]);
    assert_eq!(world.attendance(), world.recounted());
}

#[test]
fn what_was_undelivered_is_known_to_each_flash_behind_it() {
    let mut world = World::new();
    let nobody_left = |number| Entry::Unheard(event(number));
    // After the first flash, of which nothing is known, there is always something new to know.
    let batch = [
        Entry::Flash(flash(1, ASHA)),
        Entry::Undelivered(event(3)),
        Entry::Flash(flash(3, ASHA)),
        Entry::Flash(flash(2, ASHA)),
        nobody_left(5),
        Entry::Flash(flash(5, ASHA)),
        Entry::Flash(flash(4, ASHA)),
    ];
    let (lost, heard) = (refused(Reason::TooLate), open("Asha Rao"));
    assert_eq!(
        world.admit(&batch),
        [
            heard.clone(),
            Outcome::Noted,
            lost.clone(),
            heard.clone(),
            Outcome::Noted,
            lost.clone(),
            heard.clone()
        ]
    );
    // And to those of the next batches.
    assert_eq!(world.flash(flash(6, ASHA)), heard);
    world.admit(&[Entry::Undelivered(event(8))]);
    assert_eq!(world.flash(flash(8, ASHA)), lost);
    assert_eq!(world.flash(flash(7, ASHA)), heard);
}
