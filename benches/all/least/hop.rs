//! The least of a relay: plain text or frames in, frames out, and the answers back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use twinkle::domain::access::Verdict;
use twinkle::domain::ids::{DeviceName, EventId};
use twinkle::wire::codec::{self, FrameReader};
use twinkle::wire::{Answer, Flash, Message, VERSIONS, Welcome};

use crate::least::duties::Duties;
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

/// The way on to the keeper.
#[derive(Clone)]
struct Onward {
    queue: mpsc::UnboundedSender<Message>,
    /// What is done beside; `None`: nothing is.
    duties: Option<Arc<Mutex<Duties>>>,
}

/// Passes the flashes of all doors on over one connection, and their answers back, and does these
/// duties beside, if any.
pub async fn serve(listener: &TcpListener, keeper: SocketAddr, duties: Option<Duties>) {
    let upstream = TcpStream::connect(keeper).await.unwrap();
    upstream.set_nodelay(true).unwrap();
    let (answers, to_keeper) = upstream.into_split();
    let (queue, to_be_sent) = mpsc::unbounded_channel();
    let onward = Onward {
        queue,
        duties: duties.map(|duties| Arc::new(Mutex::new(duties))),
    };
    let doors = Doors::default();
    tokio::spawn(send(to_be_sent, to_keeper));
    tokio::spawn(answer(answers, Arc::clone(&doors), onward.clone()));
    loop {
        let (door, _) = listener.accept().await.unwrap();
        door.set_nodelay(true).unwrap();
        let (onward, doors) = (onward.clone(), Arc::clone(&doors));
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
                true => flash_plainly(from, number, onward).await,
                false => flash(from, number, onward, &doors).await,
            }
            doors.lock().unwrap()[number] = None;
        });
    }
}

impl Onward {
    /// Sends on a flash of the door of that number.
    fn flash(&self, number: usize, flash: Flash) {
        if let Some(duties) = &self.duties {
            duties.lock().unwrap().asked(number, &flash);
        }
        let seq = number as u64;
        let flash = Message::Flash(Flash { seq, ..flash });
        self.queue.send(flash).unwrap();
    }

    /// It was answered.
    fn answered(&self, number: usize, verdict: Verdict) {
        if let Some(duties) = &self.duties
            && let Some(told) = duties.lock().unwrap().answered(number, verdict)
        {
            self.queue.send(told).unwrap();
        }
    }
}

/// Sends on what a door flashes in plain text, under the door's number.
async fn flash_plainly(mut door: OwnedReadHalf, number: usize, onward: Onward) {
    let name: DeviceName = NAME.parse().unwrap();
    let mut packet = [0; PACKET];
    while door.read_exact(&mut packet).await.is_ok() {
        let text = std::str::from_utf8(&packet).unwrap();
        let badge = text.split('*').nth(1).unwrap();
        let flash = Flash {
            seq: 0,
            event: EventId::generate(),
            door: name.clone(),
            twinklet: badge.parse().unwrap(),
            code: None,
            at: now().timestamp_millis(),
            budget_ms: 1_500,
        };
        onward.flash(number, flash);
    }
}

/// Greets a door that speaks frames, and sends on what it flashes, under the door's number.
async fn flash(door: OwnedReadHalf, number: usize, onward: Onward, doors: &Doors) {
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
        onward.flash(number, flash);
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
async fn answer(keeper: OwnedReadHalf, doors: Doors, onward: Onward) {
    let mut frames = FrameReader::new(keeper);
    frames.greeting_is_over();
    while let Ok(Message::Verdict(answer)) = frames.next().await {
        let number = usize::try_from(answer.seq).unwrap();
        let verdict = answer.verdict;
        if let Some(door) = &mut doors.lock().unwrap()[number] {
            door.answer(answer);
        }
        onward.answered(number, verdict);
    }
}
