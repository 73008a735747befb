use super::*;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::TwinkletId;
use crate::wire::answers::{Owed, OwedReceiver};
use crate::wire::{Gone, codec};

const DEADLINE: Duration = Duration::from_millis(1500);
const PATIENCE: Patience = Patience {
    deadline: DEADLINE,
    margin: Duration::from_millis(50),
};

fn flash(seq: u64, budget_ms: u32) -> Flash {
    Flash {
        seq,
        event: event(seq),
        door: "lab".parse().unwrap(),
        twinklet: TwinkletId::new(7).unwrap(),
        code: None,
        at: 0,
        budget_ms,
    }
}

fn event(number: u64) -> EventId {
    EventId::from_bytes(u128::from(number).to_be_bytes())
}

fn open(seq: u64) -> Answer {
    Answer {
        seq,
        verdict: Verdict::Open,
        name: Some("Asha".to_owned()),
    }
}

/// A state whose upstream has answered.
fn up() -> State {
    let mut state = State::new(Role::Relay, None);
    state.up(0);
    state
}

/// What was queued to be written, and is now taken.
fn sent(state: &mut State) -> Vec<Message> {
    let mut bytes = state.out.split();
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let length = u32::from_be_bytes(bytes.split_to(4)[..].try_into().unwrap());
        messages.push(codec::decode(&bytes.split_to(length as usize)).unwrap());
    }
    messages
}

fn undelivered(number: u64) -> Message {
    Message::Undelivered(Event {
        event: event(number),
    })
}

/// The verdicts that an asker got, with its own numbers.
fn verdicts(owed: &mut OwedReceiver) -> Vec<(u64, &'static str)> {
    let mut all = Vec::new();
    while let Some(Owed::Verdict(answer, _)) = owed.next_now() {
        all.push((answer.seq, answer.verdict.code()));
    }
    all
}

#[test]
fn flashes_are_renumbered_and_answers_find_their_way_back() {
    let (mut state, now) = (up(), Instant::now());
    let (front, mut at_front) = Answers::channel();
    let (back, mut at_back) = Answers::channel();
    state.ask(flash(5, 3000), front.clone(), PATIENCE, now);
    let other = Flash {
        event: event(6),
        ..flash(5, 100)
    };
    state.ask(other, back, PATIENCE, now);
    let sent = sent(&mut state);
    let numbers: Vec<_> = sent
        .iter()
        .map(|message| match message {
            Message::Flash(flash) => (flash.seq, flash.budget_ms),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        numbers,
        [(1, 1500), (2, 90)],
        "the budget is never more than our deadline"
    );
    state.answered(open(2), now);
    state.answered(open(1), now);
    state.answered(open(1), now);
    assert_eq!(verdicts(&mut at_front), [(5, "open")]);
    assert_eq!(verdicts(&mut at_back), [(5, "open")]);
}

#[test]
fn while_down_every_flash_is_refused_at_once() {
    let (mut state, now) = (State::new(Role::Relay, None), Instant::now());
    let (asker, mut owed) = Answers::channel();
    state.ask(flash(1, 3000), asker.clone(), PATIENCE, now);
    assert_eq!(verdicts(&mut owed), [], "nothing is known yet: it waits");
    state.down();
    state.ask(flash(2, 3000), asker, PATIENCE, now);
    assert_eq!(
        verdicts(&mut owed),
        [(1, "central-unreachable"), (2, "central-unreachable")]
    );
    state.up(0);
    assert_eq!(sent(&mut state), [], "what was never sent needs no word");
}

#[test]
fn a_missed_deadline_refuses_and_is_reported_on_the_next_connection() {
    let (mut state, now) = (up(), Instant::now());
    let (asker, mut owed) = Answers::channel();
    state.door_came(&door("lab", None));
    state.ask(flash(1, 3000), asker.clone(), PATIENCE, now);
    state.ask(flash(2, 3000), asker, PATIENCE, now + DEADLINE / 2);
    sent(&mut state);
    assert!(!state.expire(now + DEADLINE / 2));
    assert!(state.expire(now + DEADLINE));
    assert_eq!(verdicts(&mut owed), [(1, "central-unreachable")]);
    state.down();
    assert_eq!(verdicts(&mut owed), [(2, "central-unreachable")]);
    state.up(0);
    let door = Message::Door(door("lab", None));
    assert_eq!(
        sent(&mut state),
        [door.clone(), undelivered(1), undelivered(2)]
    );
    // Until the upstream has stored it, it is told again.
    state.noted(event(1), Instant::now());
    state.down();
    state.up(0);
    assert_eq!(sent(&mut state), [door, undelivered(2)]);
}

#[test]
fn an_askers_shorter_budget_does_not_speak_against_the_upstream() {
    let (mut state, now) = (up(), Instant::now());
    let (asker, mut owed) = Answers::channel();
    state.ask(flash(1, 10), asker, PATIENCE, now);
    assert!(state.timer_is_late());
    assert_eq!(state.arm_timer(), Some(now + Duration::from_millis(9)));
    assert!(!state.timer_is_late());
    assert!(!state.expire(now + Duration::from_millis(9)));
    assert_eq!(verdicts(&mut owed), [(1, "too-late")]);
    assert_eq!(state.arm_timer(), Some(now + DEADLINE));
    sent(&mut state);
    state.answered(open(1), now + Duration::from_millis(20));
    assert_eq!(sent(&mut state), [undelivered(1)]);
    assert_eq!(state.arm_timer(), None);
    assert!(!state.expire(now + DEADLINE));
}

#[test]
fn an_open_that_comes_late_or_to_nobody_is_undelivered() {
    let (mut state, now) = (up(), Instant::now());
    let (asker, mut owed) = Answers::channel();
    let (gone, _) = Answers::channel();
    state.ask(flash(1, 3000), asker.clone(), PATIENCE, now);
    state.ask(flash(2, 3000), gone.clone(), PATIENCE, now);
    state.ask(flash(3, 3000), gone, PATIENCE, now);
    sent(&mut state);
    // The timer has not run yet, but the time is over.
    state.answered(open(1), now + DEADLINE + Duration::from_millis(1));
    assert_eq!(verdicts(&mut owed), [(1, "too-late")]);
    state.answered(open(2), now);
    let refusal = Answer {
        seq: 3,
        verdict: Verdict::DontOpen(Reason::Suspended),
        name: None,
    };
    state.answered(refusal, now);
    assert_eq!(sent(&mut state), [undelivered(1), undelivered(2)]);
}

#[test]
fn whoever_reported_an_undelivered_event_hears_once_it_is_stored() {
    let mut state = up();
    let (asker, mut owed) = Answers::channel();
    state.undelivered(event(9), Some(asker));
    assert_eq!(sent(&mut state), [undelivered(9)]);
    assert!(owed.next_now().is_none());
    state.noted(event(9), Instant::now());
    assert!(matches!(owed.next_now(), Some(Owed::Noted(noted)) if noted == event(9)));
}

fn door(name: &str, identity: Option<u8>) -> Door {
    Door {
        name: name.parse().unwrap(),
        plain: false,
        identity: identity.map(|byte| Fingerprint::from_bytes([byte; 32])),
    }
}

#[test]
fn a_door_is_announced_while_one_of_its_connections_is_left() {
    let mut state = up();
    let lab = door("lab", None);
    let announced = [Message::Door(lab.clone())];
    state.door_came(&lab);
    state.door_came(&lab);
    assert_eq!(sent(&mut state), announced);
    state.door_went(&lab);
    state.up(0);
    assert_eq!(sent(&mut state), announced);
    state.door_went(&lab);
    let name = lab.name;
    assert_eq!(sent(&mut state), [Message::Gone(Gone { name })]);
    state.up(0);
    assert_eq!(sent(&mut state), []);
}

#[test]
fn a_door_that_comes_with_a_new_identity_has_not_gone_with_the_old() {
    let mut state = up();
    let (old, new) = (door("lab", Some(1)), door("lab", Some(2)));
    state.door_came(&old);
    state.door_came(&new);
    let announced = [old.clone(), new.clone()].map(Message::Door);
    assert_eq!(sent(&mut state), announced);
    state.door_went(&old);
    assert_eq!(sent(&mut state), []);
    state.door_went(&new);
    let name = new.name;
    assert_eq!(sent(&mut state), [Message::Gone(Gone { name })]);
}

#[test]
fn a_flash_that_is_sent_again_waits_for_the_same_answer() {
    let (mut state, now) = (up(), Instant::now());
    let (lost, _) = Answers::channel();
    let (again, mut owed) = Answers::channel();
    state.ask(flash(1, 3000), lost, PATIENCE, now);
    state.ask(
        Flash {
            seq: 4,
            ..flash(1, 3000)
        },
        again.clone(),
        PATIENCE,
        now,
    );
    // Another badge under the same id is another flash; the upstream will refuse it.
    let other = Flash {
        seq: 5,
        twinklet: TwinkletId::new(8).unwrap(),
        ..flash(1, 3000)
    };
    state.ask(other, again.clone(), PATIENCE, now);
    assert_eq!(sent(&mut state).len(), 2);
    // That the first connection was lost does not speak for the second.
    state.undelivered(event(1), None);
    state.answered(open(1), now);
    assert_eq!(verdicts(&mut owed), [(4, "open")]);
    assert_eq!(sent(&mut state), [], "one of the two heard it");
    // Once it is answered, it is asked anew.
    state.ask(flash(1, 3000), again, PATIENCE, now);
    assert_eq!(sent(&mut state).len(), 1);
}

#[test]
fn a_flash_that_was_given_up_is_not_opened_when_it_is_sent_again() {
    let (mut state, now) = (up(), Instant::now());
    let (asker, mut owed) = Answers::channel();
    state.ask(flash(1, 10), asker.clone(), PATIENCE, now);
    state.expire(now + Duration::from_millis(10));
    state.ask(flash(1, 3000), asker, PATIENCE, now);
    assert_eq!(verdicts(&mut owed), [(1, "too-late"), (1, "too-late")]);
    sent(&mut state);
    state.answered(open(1), now);
    assert_eq!(sent(&mut state), [undelivered(1)]);
}

#[test]
fn what_is_undelivered_is_not_opened_when_it_is_sent_again() {
    let now = Instant::now();
    for mut state in [up(), State::new(Role::Relay, None)] {
        let (asker, mut owed) = Answers::channel();
        state.undelivered(event(1), None);
        sent(&mut state);
        state.ask(flash(1, 3000), asker, PATIENCE, now);
        assert_eq!(verdicts(&mut owed), [(1, "too-late")]);
        assert_eq!(sent(&mut state), []);
    }
}

#[test]
fn about_to_end_it_refuses_and_reports_what_is_under_way() {
    let (mut state, now) = (up(), Instant::now());
    let (asker, mut owed) = Answers::channel();
    state.ask(flash(1, 3000), asker.clone(), PATIENCE, now);
    sent(&mut state);
    state.leave();
    state.ask(flash(2, 3000), asker, PATIENCE, now);
    assert_eq!(
        verdicts(&mut owed),
        [(1, "central-unreachable"), (2, "central-unreachable")]
    );
    assert_eq!(sent(&mut state), [undelivered(1)]);
    assert!(!state.has_reported_all());
    state.noted(event(1), Instant::now());
    assert!(state.has_reported_all());
}
