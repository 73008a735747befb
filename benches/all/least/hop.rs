//! The least of a relay: plain text or frames in, frames out, and the answers back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use twinkle::domain::ids::{DeviceName, EventId};
use twinkle::wire::codec::{self, FrameReader};
use twinkle::wire::{Answer, Flash, Message, VERSIONS, Welcome};

use crate::least::send;
use crate::storing::now;
use crate::two_hop::{PACKET, PACKET_BEGINS, REPLY};

/// What it is called, and the door whose plain text does not say so.
const NAME: &str = "bench";

/// The way back to a door, and what it waits for.
struct Door {
    back: OwnedWriteHalf,
    /// The number of its flash, if it speaks frames.
    asked: Option<u64>,
}

/// All doors, by the number under which their flashes go on; `None`: it has gone.
type Doors = Arc<Mutex<Vec<Option<Door>>>>;

/// Passes the flashes of all doors on over one connection, and their answers back.
pub async fn serve(listener: &TcpListener, keeper: SocketAddr) {
    let upstream = TcpStream::connect(keeper).await.unwrap();
    upstream.set_nodelay(true).unwrap();
    let (answers, to_keeper) = upstream.into_split();
    let (flashes, queue) = mpsc::unbounded_channel();
    let doors = Doors::default();
    tokio::spawn(send(queue, to_keeper));
    tokio::spawn(answer(answers, Arc::clone(&doors)));
    loop {
        let (door, _) = listener.accept().await.unwrap();
        door.set_nodelay(true).unwrap();
        let (flashes, doors) = (flashes.clone(), Arc::clone(&doors));
        tokio::spawn(async move {
            let mut first = [0];
            let plain = door.peek(&mut first).await.is_ok() && first == PACKET_BEGINS;
            let (from, back) = door.into_split();
            let number = {
                let mut doors = doors.lock().unwrap();
                doors.push(Some(Door { back, asked: None }));
                doors.len() - 1
            };
            match plain {
                true => flash_plainly(from, number, flashes).await,
                false => flash(from, number, flashes, &doors).await,
            }
            doors.lock().unwrap()[number] = None;
        });
    }
}

/// Sends on what a door flashes in plain text, under the door's number.
async fn flash_plainly(
    mut door: OwnedReadHalf,
    number: usize,
    flashes: mpsc::UnboundedSender<Message>,
) {
    let name: DeviceName = NAME.parse().unwrap();
    let mut packet = [0; PACKET];
    while door.read_exact(&mut packet).await.is_ok() {
        let text = std::str::from_utf8(&packet).unwrap();
        let badge = text.split('*').nth(1).unwrap();
        let flash = Flash {
            seq: number as u64,
            event: EventId::generate(),
            door: name.clone(),
            twinklet: badge.parse().unwrap(),
            code: None,
            at: now().timestamp_millis(),
            budget_ms: 1_500,
        };
        flashes.send(Message::Flash(flash)).unwrap();
    }
}

/// Greets a door that speaks frames, and sends on what it flashes, under the door's number.
async fn flash(
    door: OwnedReadHalf,
    number: usize,
    flashes: mpsc::UnboundedSender<Message>,
    doors: &Doors,
) {
    let mut frames = FrameReader::new(door);
    let Ok(Message::Hello(_)) = frames.next().await else {
        return;
    };
    frames.greeting_is_over();
    let welcome = Message::Welcome(Welcome {
        version: VERSIONS.1,
        name: NAME.parse().unwrap(),
        installation: None,
        time: now().timestamp_millis(),
    });
    if let Some(door) = &mut doors.lock().unwrap()[number] {
        door.tell(&welcome);
    }
    while let Ok(Message::Flash(flash)) = frames.next().await {
        if let Some(door) = &mut doors.lock().unwrap()[number] {
            door.asked = Some(flash.seq);
        }
        let seq = number as u64;
        flashes
            .send(Message::Flash(Flash { seq, ..flash }))
            .unwrap();
    }
}

impl Door {
    /// Answers its flash.
    fn answer(&mut self, answer: Answer) {
        match self.asked {
            // A door that is just going wants no answer.
            None => drop(self.back.try_write(REPLY)),
            Some(seq) => self.tell(&Message::Verdict(Answer { seq, ..answer })),
        }
    }

    fn tell(&mut self, message: &Message) {
        let mut bytes = BytesMut::new();
        codec::encode(message, &mut bytes).unwrap();
        let _gone = self.back.try_write(&bytes);
    }
}

/// Tells the doors what the keeper answers.
async fn answer(keeper: OwnedReadHalf, doors: Doors) {
    let mut frames = FrameReader::new(keeper);
    frames.greeting_is_over();
    while let Ok(Message::Verdict(answer)) = frames.next().await {
        let number = usize::try_from(answer.seq).unwrap();
        if let Some(door) = &mut doors.lock().unwrap()[number] {
            door.answer(answer);
        }
    }
}
