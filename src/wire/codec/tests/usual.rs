//! What is written and read without `serde` is what `serde` would make of it.

use super::*;
use crate::wire::codec::usual;

proptest! {
    #[test]
    fn any_message_is_the_same_without_serde(message in any_message()) {
        is_as_by_serde(&message);
    }

    #[test]
    fn so_is_a_bent_one_if_it_is_read(
        message in any_message(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut content = content(&message);
        let at = at.index(content.len());
        content[at] = to;
        if let Some(read) = usual::decode(&content, None) {
            prop_assert_eq!(by_serde(&content), Some(read));
        }
    }
}

fn content(message: &Message) -> Vec<u8> {
    frame(message).split_off(PREFIX)
}

fn by_serde(content: &[u8]) -> Option<Message> {
    only_value(content).ok()
}

/// Whether a message is written and read without serde; checks that it makes no difference.
fn is_as_by_serde(message: &Message) -> bool {
    let content = content(message);
    assert_eq!(content, rmp_serde::to_vec_named(message).unwrap());
    assert_eq!(by_serde(&content).as_ref(), Some(message));
    let read = usual::decode(&content, None);
    let mut written = BytesMut::new();
    let is_usual = usual::encode(message, &mut written).is_some();
    assert_eq!(is_usual, read.is_some(), "{message:?}");
    if is_usual {
        assert_eq!((written.to_vec(), read.as_ref()), (content, Some(message)));
    }
    is_usual
}

#[test]
fn only_the_usual_does_without_serde() {
    let door: DeviceName = "Front".parse().unwrap();
    let flash = |seq, door: &DeviceName, at| Flash {
        seq,
        event: EventId::generate(),
        door: door.clone(),
        twinklet: TwinkletId::new(1 << 40).unwrap(),
        code: None,
        at,
        budget_ms: 3000,
    };
    let verdict = |name: Option<String>| {
        let verdict = Verdict::Open;
        Message::Verdict(Answer {
            seq: 1,
            verdict,
            name,
        })
    };
    for number in [
        0,
        0x7F,
        0x80,
        0xFF,
        0x100,
        0xFFFF,
        0x1_0000,
        0xFFFF_FFFF,
        1 << 32,
        1 << 62,
    ] {
        let at = i64::try_from(number).unwrap();
        assert!(
            is_as_by_serde(&Message::Flash(flash(number, &door, at))),
            "{number}"
        );
    }
    for (length, is_usual) in [(0, true), (31, true), (32, true), (255, true), (256, false)] {
        let name = Some("n".repeat(length));
        assert_eq!(is_as_by_serde(&verdict(name)), is_usual, "{length}");
    }
    assert!(is_as_by_serde(&verdict(None)));

    let long = "𝄞".repeat(64).parse().unwrap();
    assert!(
        !is_as_by_serde(&Message::Flash(flash(1, &long, 0))),
        "256 bytes"
    );
    assert!(
        !is_as_by_serde(&Message::Flash(flash(1, &door, -1))),
        "before 1970"
    );
    let code = Some(Code::try_from("123456".to_owned()).unwrap());
    let shown = Flash {
        code,
        ..flash(1, &door, 0)
    };
    assert!(!is_as_by_serde(&Message::Flash(shown)));
    assert!(!is_as_by_serde(&Message::Ping(Echo { n: 1 })));
}

#[test]
fn delays_do_without_serde_however_many() {
    let delays = |count: u32, door: &str| {
        let delay = |us| Delay {
            door: door.parse().unwrap(),
            age: 60_000,
            us,
        };
        Message::Delays(Delays {
            delays: (0..count).map(delay).collect(),
        })
    };
    for count in [0, 1, 15, 16, 1_000] {
        assert!(is_as_by_serde(&delays(count, "Front")), "{count}");
    }
    assert!(!is_as_by_serde(&delays(2, &"𝄞".repeat(64))), "256 bytes");
    let mut fewer = content(&delays(16, "Front"));
    let count = fewer.iter().position(|byte| *byte == 0xDC).unwrap() + 2;
    for wrong in [15, 17] {
        fewer[count] = wrong;
        assert_eq!(usual::decode(&fewer, None), None, "{wrong} of 16");
        assert_eq!(by_serde(&fewer), None, "{wrong} of 16");
    }
}

#[test]
fn a_door_is_read_from_each_flash() {
    let flash = |door: &str| {
        frame(&Message::Flash(Flash {
            seq: 1,
            event: EventId::generate(),
            door: door.parse().unwrap(),
            twinklet: TwinkletId::new(1).unwrap(),
            code: None,
            at: 0,
            budget_ms: 1,
        }))
    };
    let doors = ["a", "a", "b", "ab", "a"];
    let (messages, _end) = read(&doors.map(flash).concat(), 64);
    let read = messages.iter().map(|message| match message {
        Message::Flash(flash) => flash.door.as_str(),
        other => panic!("{other:?}"),
    });
    assert!(read.eq(doors));
}
