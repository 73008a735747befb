//! What is on its way to a peer, and how far it has come.

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::domain::ids::EventId;
use crate::wire::frames::TAKES_NOTHING;
use crate::wire::timer::Timer;
use crate::wire::{Error, Message, WRITE_WITHIN, codec};

/// Frames to be written, and which of them open doors.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: BytesMut,
    /// How many of the bytes the kernel has taken.
    taken: usize,
    /// Where the frame of each `Open` ends, and its event.
    opens: Vec<(usize, EventId)>,
    timer: Timer,
}

impl Outgoing {
    /// Adds a message; says of which event it is the `Open`, if it is one.
    pub(super) fn add(&mut self, message: &Message, open: Option<EventId>) -> Result<(), Error> {
        codec::encode(message, &mut self.bytes)?;
        self.opens
            .extend(open.map(|event| (self.bytes.len(), event)));
        Ok(())
    }

    /// Writes everything. If it fails, or is dropped, [`Self::unsent`] knows how far it came.
    pub(super) async fn write(
        &mut self,
        write: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), Error> {
        while let Some(rest) = self.bytes.get(self.taken..).filter(|rest| !rest.is_empty()) {
            let taken = self.timer.within(WRITE_WITHIN, write.write(rest)).await;
            match taken.ok_or(Error::TimedOut(TAKES_NOTHING))?? {
                0 => return Err(Error::Closed),
                taken => self.taken += taken,
            }
        }
        // What TLS has taken may still wait for the kernel to take it.
        let flushed = self.timer.within(WRITE_WITHIN, write.flush()).await;
        flushed.ok_or(Error::TimedOut(TAKES_NOTHING))??;
        self.bytes.clear();
        self.taken = 0;
        self.opens.clear();
        Ok(())
    }

    /// The events whose `Open` the peer cannot have, because its frame was not written to its end.
    pub(super) fn unsent(&self) -> impl Iterator<Item = EventId> {
        self.opens
            .iter()
            .filter(|(end, _)| *end > self.taken)
            .map(|(_, event)| *event)
    }
}
