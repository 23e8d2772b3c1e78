//! Frames: how messages lie in a stream of bytes.
//!
//! A frame is its length in four bytes, least significant first, and a message in postcard. Some messages announce bulk
//! bytes, which follow as they are. Nothing is allocated for a length that is not bounded here.

use std::io::{self, Read, Write};

use samebit_device::wgsl::limits::TEXT_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Longest message. The largest is a kernel: its text, and as much again of names of constants.
const MESSAGE_BYTES: usize = 2 * TEXT_BYTES + (64 << 10);

/// Most bulk bytes behind one message.
pub(super) const BULK_BYTES: usize = 1 << 20;

/// Why nothing more can be read from the other side.
#[derive(Debug, Error)]
pub(super) enum FrameError {
    /// The stream broke off inside a frame, or could not be read.
    #[error("it could not be read: {0}")]
    Io(#[from] io::Error),
    /// A length over the bound.
    #[error("it sent {0} bytes at once, more than any message has")]
    TooLong(u32),
    /// Not a message.
    #[error("it sent bytes that are no message")]
    Malformed,
}

/// Writes a message.
pub(super) fn write(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_allocvec(message).map_err(io::Error::other)?;
    to.write_all(&(bytes.len() as u32).to_le_bytes())?;
    to.write_all(&bytes)
}

/// Reads a message; `None` if the stream ends before one begins.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut length = [0; 4];
    // A stream that ends inside the length cannot be told from one that ends before; neither brings a message.
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = u32::from_le_bytes(length);
    if length as usize > MESSAGE_BYTES {
        return Err(FrameError::TooLong(length));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    match postcard::take_from_bytes(&bytes) {
        Ok((message, [])) => Ok(Some(message)),
        _ => Err(FrameError::Malformed),
    }
}

/// Reads the bulk bytes behind a message.
pub(super) fn read_bulk(from: &mut impl Read, size: u32) -> Result<Vec<u8>, FrameError> {
    if size as usize > BULK_BYTES {
        return Err(FrameError::TooLong(size));
    }
    let mut bytes = vec![0; size as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut stream = Vec::new();
        write(&mut stream, &(7_u32, "seven")).expect("a vector takes all");
        write(&mut stream, &(8_u32, "eight")).expect("a vector takes all");
        let mut from = stream.as_slice();
        assert_eq!(read(&mut from).expect("it is whole"), Some((7_u32, "seven".to_owned())));
        assert_eq!(read(&mut from).expect("it is whole"), Some((8_u32, "eight".to_owned())));
        assert_eq!(read::<(u32, String)>(&mut from).expect("it ends well"), None);
    }

    #[test]
    fn what_is_no_message_is_an_error_and_costs_no_memory() {
        let refused = |bytes: &[u8]| read::<(u32, String)>(&mut &*bytes).expect_err("it is no message");
        assert!(matches!(refused(&[0xff; 64]), FrameError::TooLong(u32::MAX)));
        assert!(matches!(refused(&[9, 0, 0, 0, 1, 1]), FrameError::Io(_)), "cut short");
        assert!(matches!(refused(&[4, 0, 0, 0, 1, 1, b'a', 0]), FrameError::Malformed), "a byte too many");
        assert!(matches!(refused(&[3, 0, 0, 0, 1, 9, b'a']), FrameError::Malformed), "a text that is not there");
        assert!(matches!(read_bulk(&mut [].as_slice(), u32::MAX), Err(FrameError::TooLong(_))));
    }
}
