use super::*;
use crate::domain::access::{Reason, Verdict};
use crate::domain::code::Code;
use crate::domain::door_event::Kind;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::{EventId, InstallationId, TwinkletId};
use crate::wire::delays::{Delay, Delays};
use crate::wire::{
    Answer, Door, Echo, Event, Flash, Gone, Happened, Hello, Probed, Refused, Role, Roll, Welcome,
};
use proptest::prelude::*;

mod usual;

fn frame(message: &Message) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(message, &mut out).unwrap();
    out.to_vec()
}

/// What a reader makes of these bytes, handed to it in pieces of this size: the messages, and how
/// the stream ended.
fn read(bytes: &[u8], piece: usize) -> (Vec<Message>, Error) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut to, from) = tokio::io::duplex(piece);
        let write = async {
            // The reader may hang up first; that is what some of the tests are about.
            let _hung_up = tokio::io::AsyncWriteExt::write_all(&mut to, bytes).await;
            drop(to);
        };
        let read = async {
            let mut reader = FrameReader::new(from);
            reader.greeting_is_over();
            let mut messages = Vec::new();
            loop {
                match reader.next().await {
                    Ok(message) => messages.push(message),
                    Err(end) => return (messages, end),
                }
            }
        };
        tokio::join!(write, read).1
    })
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    any::<[u8; 32]>().prop_map(Fingerprint::from_bytes)
}

fn any_message() -> impl Strategy<Value = Message> {
    let probed = (
        any::<u64>(),
        any::<bool>(),
        prop::collection::vec(any::<u32>(), 0..3),
    )
        .prop_map(|(n, lost, hops)| Message::Probed(Probed { n, hops, lost }));
    let name = "[a-zA-Z0-9 ü李]{1,20}".prop_filter_map("a name", |text| text.trim().parse().ok());
    let event = any::<[u8; 16]>().prop_map(EventId::from_bytes);
    let verdict = prop_oneof![
        Just(Verdict::Open),
        proptest::sample::select(Reason::ALL).prop_map(Verdict::DontOpen),
    ];
    let hello =
        (any::<(u16, u16)>(), any::<bool>(), name.clone()).prop_map(|(versions, door, name)| {
            Message::Hello(Hello {
                versions,
                role: if door { Role::Door } else { Role::Relay },
                name,
            })
        });
    let welcome = (
        any::<u16>(),
        name.clone(),
        any::<Option<[u8; 16]>>(),
        any::<i64>(),
    )
        .prop_map(|(version, name, id, time)| {
            let installation = id.map(InstallationId::from_bytes);
            Message::Welcome(Welcome {
                version,
                name,
                installation,
                time,
            })
        });
    let flash = (
        any::<u64>(),
        event.clone(),
        name.clone(),
        1..=TwinkletId::MAX,
        proptest::option::of("[0-9]{1,8}"),
        any::<i64>(),
        any::<u32>(),
    )
        .prop_map(|(seq, event, door, id, code, at, budget_ms)| {
            let twinklet = TwinkletId::new(id).unwrap();
            let code = code.map(|text| Code::try_from(text).unwrap());
            Message::Flash(Flash {
                seq,
                event,
                door,
                twinklet,
                code,
                at,
                budget_ms,
            })
        });
    let happened = (
        event.clone(),
        name.clone(),
        "[a-z][a-z0-9-]{0,31}".prop_filter_map("a kind", |code| Kind::from_code(&code)),
        any::<i64>(),
        any::<u64>(),
        proptest::option::of(event.clone()),
    )
        .prop_map(|(event, door, kind, at, age, about)| {
            Message::Happened(Happened {
                event,
                door,
                kind,
                at,
                age,
                about,
            })
        });
    let answer = (any::<u64>(), verdict, any::<Option<String>>())
        .prop_map(|(seq, verdict, name)| Message::Verdict(Answer { seq, verdict, name }));
    let delay = (name.clone(), any::<u64>(), any::<u32>());
    let delay = delay.prop_map(|(door, age, us)| Delay { door, age, us });
    let delays =
        prop::collection::vec(delay, 0..40).prop_map(|delays| Message::Delays(Delays { delays }));
    prop_oneof![
        hello,
        welcome,
        delays,
        flash,
        happened,
        answer,
        any::<String>().prop_map(|code| Message::Refused(Refused::with(&code))),
        (
            name.clone(),
            any::<bool>(),
            proptest::option::of(fingerprint())
        )
            .prop_map(|(name, plain, identity)| Message::Door(Door {
                name,
                plain,
                identity
            })),
        (
            proptest::collection::vec(fingerprint(), 0..1000),
            any::<bool>()
        )
            .prop_map(|(identities, more)| Message::Roll(Roll { identities, more })),
        name.prop_map(|name| Message::Gone(Gone { name })),
        event
            .clone()
            .prop_map(|event| Message::Undelivered(Event { event })),
        event.prop_map(|event| Message::Noted(Event { event })),
        any::<u64>().prop_map(|n| Message::Ping(Echo { n })),
        any::<u64>().prop_map(|n| Message::Pong(Echo { n })),
        any::<u64>().prop_map(|n| Message::Probe(Echo { n })),
        probed,
    ]
}

proptest! {
    #[test]
    fn messages_round_trip_in_any_pieces(
        messages in prop::collection::vec(any_message(), 0..8),
        piece in 1usize..100,
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(frame).collect();
        let (read, end) = read(&bytes, piece);
        prop_assert_eq!(read, messages);
        prop_assert!(matches!(end, Error::Closed));
    }

    #[test]
    fn any_bytes_end_in_an_error_and_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        piece in 1usize..100,
    ) {
        read(&bytes, piece);
    }

    #[test]
    fn a_bent_frame_is_read_as_something_or_refused(
        message in any_message(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut bytes = frame(&message);
        let at = at.index(bytes.len());
        bytes[at] = to;
        read(&bytes, 64);
    }
}

#[test]
fn frames_that_are_no_message_are_refused() {
    let ping = frame(&Message::Ping(Echo { n: 1 }));
    let mut trailing = ping.clone();
    trailing.push(0xC0);
    trailing[3] += 1;
    for (bytes, says) in [
        (vec![0, 0, 0, 0], "an empty frame"),
        (vec![0xFF; 8], "longer than 65536 bytes"),
        (vec![0, 1, 0, 1, 0], "longer than 65536 bytes"),
        (
            vec![0, 0, 0, 1, 0xC1],
            "no message: a value of the wrong kind",
        ),
        (vec![0, 0, 0, 1, 0x01], "no message: an unknown message"),
        (
            vec![0, 0, 0, 2, 0x81, 0xA4],
            "no message: it ends within a value",
        ),
        (
            b"\0\0\0\x06\x81\xa4nope".to_vec(),
            "no message: an unknown message, or one with a field missing or out of range",
        ),
        (trailing, "more in it than one message"),
        (ping[..ping.len() - 1].to_vec(), "within a frame"),
        (ping[..2].to_vec(), "within a frame"),
    ] {
        let (messages, end) = read(&bytes, 16);
        assert!(
            messages.is_empty() && end.to_string().contains(says),
            "{bytes:?}: {end}"
        );
    }
}

#[test]
fn a_greeting_gets_little_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut reader = FrameReader::new(&[0, 0, 4, 1, 0][..]);
    let end = runtime.block_on(reader.next()).unwrap_err();
    assert!(matches!(end, Error::TooLong(MAX_GREETING)), "{end}");
}

#[test]
fn a_reader_passes_over_fields_that_it_does_not_know() {
    // {"ping": {"n": 1, "later": [1, {"x": nil}]}}
    let content = b"\x81\xa4ping\x82\xa1n\x01\xa5later\x92\x01\x81\xa1x\xc0";
    assert_eq!(decode(content).unwrap(), Message::Ping(Echo { n: 1 }));
}

#[test]
fn a_message_that_a_newer_program_sends_is_known_for_one() {
    // {"lamp": {"on": [true]}}
    let lamp = b"\x81\xa4lamp\x81\xa2on\x91\xc3";
    assert_eq!(decode(lamp).unwrap(), Message::Unknown("lamp".to_owned()));
    for (why, wrong) in [
        ("one of ours", &b"\x81\xa4ping\x81\xa2on\x91\xc3"[..]),
        ("no fields", b"\x81\xa4lamp\xc0"),
        ("two messages", b"\x82\xa4lamp\x80\xa4bulb\x80"),
        ("more after it", b"\x81\xa4lamp\x80\xc0"),
        ("cut off", b"\x81\xa4lamp\x81\xa2on"),
        ("no name", b"\x81\xa0\x80"),
        ("a name that is none", b"\x81\xa4La\np\x80"),
    ] {
        assert!(decode(wrong).is_err(), "{why}");
    }
    let unsaid = encode(&Message::Unknown("lamp".to_owned()), &mut BytesMut::new());
    assert!(unsaid.is_err(), "it was never written");
}

#[test]
fn what_is_out_of_range_is_no_message() {
    // {"door": {"name": "a@b"}}
    assert!(decode(b"\x81\xa4door\x81\xa4name\xa3a@b").is_err());
    // {"happened": {"kind": "flash", …}}: a flash has to be asked for.
    let flash = b"\x81\xa8happened\x85\xa2ev\xc4\x100123456789abcdef\xa4door\xa1a\xa4kind\xa5flash\xa2at\x00\xa3age\x00";
    assert!(decode(flash).is_err());
    let mut fire = flash.map(|byte| byte);
    let at = flash.windows(5).position(|word| word == b"flash").unwrap();
    fire[at..at + 5].copy_from_slice(b"fire2");
    assert!(decode(&fire).is_ok());
    // A verdict without its text must not open by default.
    assert!(decode(b"\x81\xa7verdict\x81\xa3seq\x01").is_err());
    let nested = [&b"\x81\xa4ping\x82\xa1n\x01\xa1x"[..], &[0x91; 60], b"\xc0"].concat();
    let end = decode(&nested).unwrap_err().to_string();
    assert_eq!(end, "a frame that is no message: its values nest too deep");
}
