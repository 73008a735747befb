//! The session's own time: paused, so that half a minute passes at once, and only when nothing else
//! can happen.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::domain::access::Verdict;
use crate::domain::ids::{DeviceName, EventId, TwinkletId};
use crate::wire::answers::{Unheard, WeakAnswers};
use crate::wire::guard::Guard;
use crate::wire::{Answer, Door, Echo, Event, Flash};
use tokio::sync::Notify;

mod unasked;

/// A service that keeps what it is asked, to be answered by the test.
#[derive(Default)]
struct Kept {
    asked: Mutex<Vec<(Flash, Answers)>>,
    undelivered: Mutex<Vec<EventId>>,
    gone: Mutex<usize>,
    way: Mutex<Option<WeakAnswers>>,
    dismissed: Notify,
}

impl Service for Kept {
    fn greeting(&self) -> Greeting {
        Greeting {
            name: "kept".parse().unwrap(),
            installation: None,
            time: 0,
        }
    }

    async fn hello(&self, _peer: &Peer) -> Result<(), &'static str> {
        Ok(())
    }

    fn welcomed(&self, _peer: &Peer, answers: &Answers) {
        *self.way.lock().unwrap() = Some(answers.downgrade());
    }

    fn may_dismiss(&self, _peer: &Peer) -> bool {
        true
    }

    async fn dismissed(&self, _peer: &Peer) -> &'static str {
        self.dismissed.notified().await;
        refusal::DISOWNED
    }

    async fn door(&self, _door: Door, _relay: &Peer, _answers: &Answers) {}

    fn door_gone(&self, _name: &DeviceName, _relay: &Peer) {}

    async fn flash(&self, flash: Flash, _from: &Peer, answers: &Answers) {
        self.asked.lock().unwrap().push((flash, answers.clone()));
    }

    async fn undelivered(&self, event: EventId, _answers: Option<&Answers>) {
        self.undelivered.lock().unwrap().push(event);
    }

    async fn happened(&self, happened: Happened, _from: &Peer, answers: &Answers) {
        answers.noted(happened.event);
    }

    fn goodbye(&self, _peer: &Peer) {
        *self.gone.lock().unwrap() += 1;
    }
}

/// A served connection, and the client's end of it.
struct Session {
    service: Arc<Kept>,
    reader: FrameReader<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
    stop: CancellationToken,
    served: JoinHandle<Result<(), Error>>,
}

impl Session {
    /// A connection over which so many bytes may be under way each way.
    fn connect(buffer: usize) -> Self {
        let (client, server) = tokio::io::duplex(buffer);
        let service = Arc::new(Kept::default());
        let kept = Arc::clone(&service);
        let stop = CancellationToken::new();
        let token = stop.clone();
        let served = tokio::spawn(async move {
            let (read, write) = tokio::io::split(server);
            let guard = Guard::new(Limits::default());
            let address: SocketAddr = ([127, 0, 0, 1], 1).into();
            let stranger = Stranger {
                address,
                proof: None,
                greet_by: Instant::now() + guard.limits.greet_within,
                place: &guard.enter(address.ip()).unwrap(),
                limits: &guard.limits,
            };
            serve(read, write, stranger, &*kept, &token).await
        });
        let (read, writer) = tokio::io::split(client);
        Self {
            service,
            reader: FrameReader::new(read),
            writer,
            stop,
            served,
        }
    }

    /// A door that has been welcomed.
    async fn welcomed(buffer: usize) -> Self {
        Self::welcomed_as(Role::Door, buffer).await
    }

    async fn welcomed_as(role: Role, buffer: usize) -> Self {
        let mut session = Self::connect(buffer);
        let hello = Hello {
            versions: (1, 1),
            role,
            name: "lab".parse().unwrap(),
        };
        session.send(Message::Hello(hello)).await;
        assert!(matches!(
            session.reader.next().await,
            Ok(Message::Welcome(_))
        ));
        session.reader.greeting_is_over();
        session
    }

    async fn send(&mut self, message: Message) {
        let mut bytes = BytesMut::new();
        codec::encode(&message, &mut bytes).unwrap();
        self.writer.write_all(&bytes).await.unwrap();
    }

    /// Has the service dismiss the door, once its flash is there.
    async fn dismissed(&self) {
        while self.service.asked.lock().unwrap().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        self.service.dismissed.notify_one();
    }

    async fn flash(&mut self, seq: u64) {
        self.send(Message::Flash(Flash {
            seq,
            event: event(seq),
            door: "lab".parse().unwrap(),
            twinklet: TwinkletId::new(7).unwrap(),
            code: None,
            at: 0,
            budget_ms: 3000,
        }))
        .await;
    }

    /// Waits until so many flashes wait for the test's answer, or until that cannot come any more.
    async fn asked(&self, count: usize) -> usize {
        let began = Instant::now();
        while self.service.asked.lock().unwrap().len() < count && began.elapsed().as_secs() < 5 {
            sleep(Duration::from_millis(1)).await;
        }
        self.service.asked.lock().unwrap().len()
    }

    /// Answers the flash that has waited longest with `Open`.
    fn open(&self) -> Result<(), Unheard> {
        let (flash, answers) = self.service.asked.lock().unwrap().remove(0);
        let answer = Answer {
            seq: flash.seq,
            verdict: Verdict::Open,
            name: None,
        };
        answers.verdict(flash.event, answer)
    }

    /// How serving ended, and after how many seconds.
    async fn ended(self) -> (Result<(), Error>, u64) {
        let began = Instant::now();
        let ended = self.served.await.unwrap();
        (ended, began.elapsed().as_secs())
    }
}

fn event(number: u64) -> EventId {
    EventId::from_bytes(u128::from(number).to_be_bytes())
}

fn why(ended: &Result<(), Error>) -> String {
    ended.as_ref().unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_client_has_five_seconds_to_say_hello() {
    let mut session = Session::connect(1000);
    session.writer.write_all(&[0, 0, 0, 40]).await.unwrap();
    let (ended, seconds) = session.ended().await;
    assert_eq!(
        (why(&ended).as_str(), seconds),
        ("it did not say Hello in time", 5)
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_silent_for_half_a_minute_is_gone_and_one_that_pings_is_not() {
    let mut session = Session::welcomed(1000).await;
    for n in 0..10 {
        sleep(Duration::from_secs(29)).await;
        session.send(Message::Ping(Echo { n })).await;
        assert_eq!(
            session.reader.next().await.unwrap(),
            Message::Pong(Echo { n })
        );
    }
    let service = Arc::clone(&session.service);
    let (ended, seconds) = session.ended().await;
    assert_eq!(
        (why(&ended).as_str(), seconds),
        ("nothing came from it for too long", 30)
    );
    assert_eq!(*service.gone.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_answers_is_gone_after_ten_seconds() {
    // And a second, in which it may still report.
    // Room for the Welcome, and for hardly anything after it.
    let mut session = Session::welcomed(100).await;
    for seq in 0..10 {
        session.flash(seq).await;
    }
    assert_eq!(session.asked(10).await, 10);
    for _ in 0..10 {
        session.open().unwrap();
    }
    let (ended, seconds) = session.ended().await;
    assert_eq!(
        (why(&ended).as_str(), seconds),
        ("it takes nothing that is written to it", 10 + 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_door_with_a_thousand_unanswered_flashes_is_read_on_once_some_are_answered() {
    let limit = window_of(Role::Door, &Limits::default());
    let mut session = Session::welcomed(1_000_000).await;
    for seq in 0..limit as u64 + 3 {
        session.flash(seq).await;
    }
    assert_eq!(session.asked(limit + 1).await, limit);
    session.open().unwrap();
    session.open().unwrap();
    assert_eq!(
        session.asked(limit + 1).await,
        limit,
        "two answered, two more read"
    );
    assert_eq!(
        session.service.asked.lock().unwrap().last().unwrap().0.seq,
        limit as u64 + 1
    );
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_gives_the_answers_that_come_within_a_second() {
    let mut session = Session::welcomed(1000).await;
    session.flash(1).await;
    session.flash(2).await;
    assert_eq!(session.asked(2).await, 2);
    session.stop.cancel();
    sleep(Duration::from_millis(900)).await;
    session.open().unwrap();
    assert!(matches!(session.reader.next().await, Ok(Message::Verdict(a)) if a.seq == 1));
    assert!(matches!(session.reader.next().await, Err(Error::Closed)));
    assert_eq!(
        session.open(),
        Err(Unheard(event(2))),
        "and the next finds nobody"
    );
    assert!(session.ended().await.0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_open_that_was_not_written_to_its_end_is_undelivered() {
    let mut session = Session::welcomed(100).await;
    // More than may be written at once, to a peer that takes hardly any of it.
    let count = WRITE_AT_ONCE + 50;
    let many = count as u64;
    for seq in 0..many {
        session.flash(seq).await;
    }
    assert_eq!(session.asked(count).await, count);
    for _ in 0..many {
        session.open().unwrap();
    }
    let service = Arc::clone(&session.service);
    assert!(matches!(session.reader.next().await, Ok(Message::Verdict(a)) if a.seq == 0));
    let (ended, _) = session.ended().await;
    assert!(ended.is_err());
    let undelivered = service.undelivered.lock().unwrap();
    // The peer has read the first, and the kernel holds a hundred bytes more for it.
    let first = many - undelivered.len() as u64;
    assert!((2..10).contains(&first), "from {first} on");
    let mut expected: Vec<_> = (first..many).map(event).collect();
    expected.sort_by_key(|event| *event < self::event(WRITE_AT_ONCE as u64));
    let mut sorted = undelivered.clone();
    sorted.sort_by_key(|event| *event < self::event(WRITE_AT_ONCE as u64));
    assert_eq!(sorted, expected);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_gives_its_waiting_flashes_up() {
    let mut session = Session::welcomed(1000).await;
    session.flash(1).await;
    assert_eq!(session.asked(1).await, 1);
    session.writer.shutdown().await.unwrap();
    let service = Arc::clone(&session.service);
    let (flash, answers) = service.asked.lock().unwrap().remove(0);
    let (ended, seconds) = session.ended().await;
    assert!(ended.is_ok() && seconds == 0, "{ended:?} after {seconds} s");
    let answer = Answer {
        seq: flash.seq,
        verdict: Verdict::Open,
        name: None,
    };
    assert_eq!(
        answers.verdict(flash.event, answer),
        Err(Unheard(flash.event))
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_reports_counts_even_if_it_hears_us_no_more() {
    let mut session = Session::welcomed(100).await;
    for seq in 0..10 {
        session.flash(seq).await;
    }
    assert_eq!(session.asked(10).await, 10);
    (0..10).for_each(|_| session.open().unwrap());
    // It takes nothing; just before that is found out, it says what it has not heard.
    sleep(Duration::from_millis(9_990)).await;
    for seq in 10..30 {
        session
            .send(Message::Undelivered(Event { event: event(seq) }))
            .await;
    }
    let service = Arc::clone(&session.service);
    assert!(session.ended().await.0.is_err());
    let undelivered = service.undelivered.lock().unwrap();
    assert!(
        (10..30).all(|seq| undelivered.contains(&event(seq))),
        "{undelivered:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn undelivered_events_that_cannot_be_stored_yet_hold_up_no_flash() {
    let mut session = Session::welcomed(1_000_000).await;
    for number in 0..2000 {
        session
            .send(Message::Undelivered(Event {
                event: event(number),
            }))
            .await;
    }
    session.flash(1).await;
    assert_eq!(session.asked(1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_no_pongs_is_not_read_on_for_ever() {
    let mut session = Session::welcomed(100).await;
    let ping = async {
        loop {
            session.send(Message::Ping(Echo { n: 1 })).await;
        }
    };
    assert!(timeout(Duration::from_secs(5), ping).await.is_err());
    // As many as it may have unanswered, and what the two buffers hold.
    assert!(session.ended().await.0.is_err());
}
