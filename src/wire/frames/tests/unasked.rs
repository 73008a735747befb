//! What a server says without being asked, and what it is told that needs no answer.

use super::*;
use crate::wire::Roll;
use crate::wire::delays::Delays;

#[tokio::test(start_paused = true)]
async fn one_who_is_dismissed_hears_why_and_what_it_asked_counts_for_nothing() {
    let mut session = Session::welcomed(1024).await;
    session.flash(1).await;
    session.dismissed().await;
    let refused = Message::Refused(Refused::with(refusal::DISOWNED));
    assert_eq!(session.reader.next().await.unwrap(), refused);
    let ended = session.served.await.unwrap();
    assert!(
        matches!(
            ended,
            Err(Error::NotTaken {
                code: refusal::DISOWNED,
                ..
            })
        ),
        "{ended:?}"
    );
    let (flash, answers) = session.service.asked.lock().unwrap().pop().unwrap();
    let open = Answer {
        seq: flash.seq,
        verdict: Verdict::Open,
        name: None,
    };
    assert_eq!(
        answers.verdict(flash.event, open),
        Err(Unheard(flash.event))
    );
    assert_eq!(*session.service.gone.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn news_comes_unasked_while_the_connection_is_there() {
    let mut session = Session::welcomed(1024).await;
    let way = session.service.way.lock().unwrap().take().unwrap();
    let roll = Message::Roll(Roll {
        identities: Vec::new(),
        more: false,
    });
    way.upgrade().unwrap().news(roll.clone());
    assert_eq!(session.reader.next().await.unwrap(), roll);
    session.stop.cancel();
    session.served.await.unwrap().unwrap();
    assert!(way.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_answer_takes_no_place_of_what_does() {
    let mut session = Session::welcomed_as(Role::Relay, 1024).await;
    let delays = Message::Delays(Delays { delays: Vec::new() });
    let heard = async {
        for _ in 0..=window_of(Role::Relay, &Limits::default()) {
            session.send(delays.clone()).await;
        }
        session.send(Message::Ping(Echo { n: 7 })).await;
        session.reader.next().await.unwrap()
    };
    let heard = timeout(Duration::from_secs(60), heard).await;
    assert_eq!(heard, Ok(Message::Pong(Echo { n: 7 })));
}
