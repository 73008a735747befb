//! Messages to bytes and back: a 4-byte big-endian length, then one `MessagePack` value.

use std::io::ErrorKind;

use bytes::{Buf, BufMut, BytesMut};
use rmp_serde::decode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::{AsyncRead, AsyncReadExt};
use tracing::debug;

use crate::domain::ids::DeviceName;
use crate::wire::{Error, Flash, MAX_FRAME, MAX_GREETING, Message};

mod newer;
mod usual;

/// Bytes of the length prefix.
const PREFIX: usize = 4;
/// How deep the values of a message may nest; ours nest twice, the rest is for fields to come.
const MAX_DEPTH: usize = 16;
/// How much is read at once: little from a door, more from a peer that has more to say.
const READ_AT_ONCE: std::ops::RangeInclusive<usize> = 512..=MAX_FRAME;

/// Appends a message's frame.
///
/// # Errors
/// [`Error::TooLong`] if it does not fit into a frame; `out` is then as it was.
pub fn encode(message: &Message, out: &mut BytesMut) -> Result<(), Error> {
    let start = out.len();
    out.put_bytes(0, PREFIX);
    let written = match usual::encode(message, out) {
        Some(()) => Ok(()),
        None => {
            out.truncate(start + PREFIX);
            rmp_serde::encode::write_named(&mut out.writer(), message)
        }
    };
    let length = out.len() - start - PREFIX;
    let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME);
    match (written, prefix, out.get_mut(start..start + PREFIX)) {
        (Ok(()), Some(prefix), Some(place)) => {
            place.copy_from_slice(&prefix.to_be_bytes());
            Ok(())
        }
        _ => {
            out.truncate(start);
            Err(Error::TooLong(MAX_FRAME))
        }
    }
}

/// The message in a frame's content.
///
/// # Errors
/// [`Error::Malformed`] for anything but exactly one message.
pub fn decode(content: &[u8]) -> Result<Message, Error> {
    decode_after(None, content)
}

/// The same, where the flash before was of that door, whose name need not be checked again.
fn decode_after(door: Option<&DeviceName>, content: &[u8]) -> Result<Message, Error> {
    if let Some(message) = usual::decode(content, door) {
        return Ok(message);
    }
    match only_value(content) {
        Err(Ended::Wrong(cause)) => match newer::name_of(content) {
            Some(name) => Ok(Message::Unknown(name)),
            None => {
                debug!("no message: {cause}");
                let why = format!("a frame that is no message: {}", in_short(&cause));
                Err(Error::Malformed(why))
            }
        },
        Err(Ended::Early) => Err(Error::Malformed(
            "a frame with more in it than one message".to_owned(),
        )),
        Ok(message) => Ok(message),
    }
}

/// How a frame is not what it should be.
enum Ended {
    /// Its value is another one.
    Wrong(decode::Error),
    /// Something follows its value.
    Early,
}

/// The one value in a frame's content.
fn only_value<'a, T: Deserialize<'a>>(content: &'a [u8]) -> Result<T, Ended> {
    let mut decoder = rmp_serde::Deserializer::from_read_ref(content);
    decoder.set_max_depth(MAX_DEPTH);
    let value = T::deserialize(&mut decoder).map_err(Ended::Wrong)?;
    // rmp_serde leaves what follows the value unread and says nothing: ask it for one more.
    match IgnoredAny::deserialize(&mut decoder) {
        Err(decode::Error::InvalidMarkerRead(end)) if end.kind() == ErrorKind::UnexpectedEof => {
            Ok(value)
        }
        _ => Err(Ended::Early),
    }
}

/// What is wrong with a frame, for whoever runs the server; the decoder's own words are for whoever
/// writes the client.
fn in_short(cause: &decode::Error) -> &'static str {
    match cause {
        decode::Error::InvalidMarkerRead(_) | decode::Error::InvalidDataRead(_) => {
            "it ends within a value"
        }
        decode::Error::TypeMismatch(_)
        | decode::Error::OutOfRange
        | decode::Error::LengthMismatch(_) => "a value of the wrong kind",
        decode::Error::Utf8Error(_) => "a text that is not UTF-8",
        decode::Error::DepthLimitExceeded => "its values nest too deep",
        decode::Error::Uncategorized(_) | decode::Error::Syntax(_) => {
            "an unknown message, or one with a field missing or out of range"
        }
    }
}

/// Reads messages from a stream of bytes.
#[derive(Debug)]
pub struct FrameReader<R> {
    from: R,
    buffer: BytesMut,
    /// The longest frame that is taken, in bytes without its prefix.
    longest: usize,
    read_at_once: usize,
    /// Whose the last flash was: a door's own connection brings no others.
    door: Option<DeviceName>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader that takes only greetings, up to [`MAX_GREETING`] bytes, for now.
    pub fn new(from: R) -> Self {
        Self {
            from,
            buffer: BytesMut::new(),
            longest: MAX_GREETING,
            read_at_once: *READ_AT_ONCE.start(),
            door: None,
        }
    }

    /// From now on takes frames of full length.
    pub fn greeting_is_over(&mut self) {
        self.longest = MAX_FRAME;
    }

    /// The next message. Dropping the future loses nothing: what was read stays for the next call.
    ///
    /// # Errors
    /// [`Error::Closed`] at the end of the stream, [`Error::Malformed`] and [`Error::TooLong`] for
    /// bytes that are no message, [`Error::Io`] if reading fails.
    pub async fn next(&mut self) -> Result<Message, Error> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(message);
            }
            self.buffer.reserve(self.read_at_once);
            let room = self.buffer.capacity() - self.buffer.len();
            let count = match self.from.read_buf(&mut self.buffer).await {
                // TLS calls it so when its peer just goes. Frames know by themselves when they end.
                Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => 0,
                read => read?,
            };
            if count == 0 {
                return Err(match self.buffer.is_empty() {
                    true => Error::Closed,
                    false => Error::CutOff,
                });
            }
            if count == room {
                self.read_at_once = (self.read_at_once * 2).min(*READ_AT_ONCE.end());
            }
        }
    }

    /// The next message of those that were read already.
    fn buffered(&mut self) -> Result<Option<Message>, Error> {
        let Some((prefix, rest)) = self.buffer.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = match u32::from_be_bytes(*prefix).try_into() {
            Ok(0) => return Err(Error::Malformed("an empty frame".to_owned())),
            Ok(length) if length <= self.longest => length,
            _ => return Err(Error::TooLong(self.longest)),
        };
        let Some(content) = rest.get(..length) else {
            return Ok(None);
        };
        let message = decode_after(self.door.as_ref(), content)?;
        self.buffer.advance(PREFIX + length);
        if let Message::Flash(Flash { door, .. }) = &message
            && self.door.as_ref() != Some(door)
        {
            self.door = Some(door.clone());
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests;
