//! The least of a central: of what comes over one connection a piece is stored, and it is answered.

use std::path::Path;
use std::sync::mpsc as blocking;
use std::thread;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use twinkle::domain::access::Verdict;
use twinkle::wire::codec::FrameReader;
use twinkle::wire::{Answer, Flash, Message};

use crate::cost::WRITER;
use crate::least::send;
use crate::storing::{Bare, Piece};

/// Where the answers go.
pub type Answers = mpsc::UnboundedSender<Message>;

/// Keeps that piece of what comes over one connection in a database in that folder.
pub async fn serve(listener: &TcpListener, folder: &Path, piece: Piece) {
    let bare = Bare::new(folder, piece);
    bare.move_log_by_itself();
    let take = |message, flashes: &blocking::Sender<Flash>| {
        let Message::Flash(flash) = message else {
            panic!("{message:?}");
        };
        flashes.send(flash).unwrap();
    };
    let store = move |flashes: &_, answers: &_| store(&bare, flashes, answers);
    store_with(listener, take, store).await;
}

/// Takes what comes over one connection to be stored by a thread, and sends what that answers.
pub async fn store_with<J: Send + 'static>(
    listener: &TcpListener,
    mut take: impl FnMut(Message, &blocking::Sender<J>),
    store: impl FnOnce(&blocking::Receiver<J>, &Answers) + Send + 'static,
) {
    let (hop, _) = listener.accept().await.unwrap();
    hop.set_nodelay(true).unwrap();
    let (messages, to_hop) = hop.into_split();
    let (jobs, queue) = blocking::channel();
    let (answers, to_be_sent) = mpsc::unbounded_channel();
    let writer = thread::Builder::new().name(WRITER.to_owned());
    writer.spawn(move || store(&queue, &answers)).unwrap();
    tokio::spawn(send(to_be_sent, to_hop));
    let mut frames = FrameReader::new(messages);
    frames.greeting_is_over();
    while let Ok(message) = frames.next().await {
        take(message, &jobs);
    }
}

/// Stores all that has come in one transaction, and then answers it.
fn store(bare: &Bare, queue: &blocking::Receiver<Flash>, answers: &Answers) {
    let mut store = bare.storer();
    while let Ok(first) = queue.recv() {
        let mut stored = Vec::new();
        bare.begin();
        for flash in std::iter::once(first).chain(queue.try_iter()) {
            let name = store(flash.twinklet.get().cast_signed(), flash.event);
            stored.push(Message::Verdict(Answer {
                seq: flash.seq,
                verdict: Verdict::Open,
                name,
            }));
        }
        bare.commit();
        for answer in stored {
            answers.send(answer).unwrap();
        }
    }
}
