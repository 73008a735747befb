//! What is to be written, now or when there is nothing else.

use bytes::BytesMut;
use tracing::error;

use crate::wire::link::aid::Session;
use crate::wire::link::state::{Phase, State};
use crate::wire::{Message, codec};

impl State {
    /// Queues a message to be written when there is nothing else, if the connection is still that
    /// one.
    pub(in crate::wire::link) fn send_later(&mut self, session: Session, message: &Message) {
        let mut frame = BytesMut::new();
        if self.phase == Phase::Up && self.session == session {
            match codec::encode(message, &mut frame) {
                Ok(()) => self.later.push_back(frame),
                Err(cause) => error!("a message could not be sent: {cause}"),
            }
        }
    }

    /// What is to be written now: everything that has gathered, else one of the frames that can
    /// wait.
    pub(in crate::wire::link) fn next_bytes(&mut self) -> BytesMut {
        match self.out.is_empty() {
            true => self.later.pop_front().unwrap_or_default(),
            false => self.out.split(),
        }
    }

    /// Queues a message to be written.
    pub(in crate::wire::link) fn send(&mut self, message: &Message) {
        if let Err(cause) = codec::encode(message, &mut self.out) {
            // Every field of what we send is bounded far below a frame's length.
            error!("a message could not be sent: {cause}");
        }
    }
}
