//! Frames: a length in four bytes, big-endian, and as many bytes.
//!
//! A frame is read in pieces, so that a peer that announces a long one and sends nothing costs no memory. The same on
//! every transport: a QUIC stream, a Unix socket, a pipe in a test.

use std::io;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How much of a frame is made room for before it has arrived, in bytes.
const PIECE_BYTES: usize = 16 << 10;

/// Why no frame could be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The other side announced more than it may send.
    #[error("frame too long: {bytes} bytes announced, at most {bytes_max} are allowed")]
    TooLong {
        /// What was announced.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The stream ended within a frame.
    #[error("frame cut short: the stream ended within it")]
    Truncated,
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Io(#[from] io::Error),
}

/// Reads the length of the next frame. `None` if the stream ended before it.
pub async fn read_length(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<usize>, FrameError> {
    let mut prefix = [0; 4];
    let mut filled = 0;
    while filled < prefix.len() {
        match stream.read(&mut prefix[filled..]).await? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(FrameError::Truncated),
            count => filled += count,
        }
    }
    Ok(Some(usize::try_from(u32::from_be_bytes(prefix)).unwrap_or(usize::MAX)))
}

/// Reads the bytes of a frame whose length was read.
pub async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: usize,
    bytes_max: usize,
) -> Result<Vec<u8>, FrameError> {
    if bytes > bytes_max {
        return Err(FrameError::TooLong { bytes, bytes_max });
    }
    let mut body = Vec::new();
    while body.len() < bytes {
        let filled = body.len();
        body.resize(bytes.min(filled + PIECE_BYTES.max(filled)), 0);
        stream.read_exact(&mut body[filled..]).await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FrameError::Truncated,
            _ => FrameError::Io(error),
        })?;
    }
    Ok(body)
}

/// Reads a frame of at most `bytes_max` bytes. `None` if the stream ended before it.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), bytes_max: usize) -> Result<Option<Vec<u8>>, FrameError> {
    match read_length(stream).await? {
        Some(bytes) => read_body(stream, bytes, bytes_max).await.map(Some),
        None => Ok(None),
    }
}

/// Writes a frame, in one piece where the transport lets it.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(body);
    stream.write_all(&frame).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_comes_out_as_it_went_in() {
        for bytes in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 5 * PIECE_BYTES + 3] {
            let body = vec![7; bytes];
            let mut stream = Vec::new();
            write(&mut stream, &body).await.expect("written");
            let mut stream = stream.as_slice();
            assert_eq!(read(&mut stream, bytes).await.expect("read"), Some(body));
            assert_eq!(read(&mut stream, bytes).await.expect("end"), None);
        }
    }

    #[tokio::test]
    async fn what_is_too_long_is_refused_by_its_announcement() {
        let error = read(&mut [0xff, 0xff, 0xff, 0xff].as_slice(), 10).await.expect_err("refused");
        assert!(matches!(error, FrameError::TooLong { bytes: 0xffff_ffff, bytes_max: 10 }), "{error}");
    }

    #[tokio::test]
    async fn a_cut_is_no_end() {
        for stream in [[0, 0, 0].as_slice(), &[0, 0, 0, 2, 1], &[0, 0, 0, 2]] {
            let error = read(&mut { stream }, 10).await.expect_err("cut");
            assert!(matches!(error, FrameError::Truncated), "{error}");
        }
    }
}
