//! The least of a central: what comes over one connection is stored, and answered.

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

/// Keeps what comes over one connection in a database in that folder.
pub async fn serve(listener: &TcpListener, folder: &Path) {
    let bare = Bare::new(folder, Piece::Badge);
    bare.move_log_by_itself();
    let (hop, _) = listener.accept().await.unwrap();
    hop.set_nodelay(true).unwrap();
    let (flashes, to_hop) = hop.into_split();
    let (jobs, queue) = blocking::channel();
    let (answers, to_be_sent) = mpsc::unbounded_channel();
    let writer = thread::Builder::new().name(WRITER.to_owned());
    writer
        .spawn(move || store(&bare, &queue, &answers))
        .unwrap();
    tokio::spawn(send(to_be_sent, to_hop));
    let mut frames = FrameReader::new(flashes);
    frames.greeting_is_over();
    while let Ok(Message::Flash(flash)) = frames.next().await {
        jobs.send(flash).unwrap();
    }
}

/// Stores all that has come in one transaction, and then answers it.
fn store(bare: &Bare, queue: &blocking::Receiver<Flash>, answers: &mpsc::UnboundedSender<Message>) {
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
