//! Inputs as a run sees them: bytes of a known length that can be read anywhere.
//!
//! Whoever builds an [`Input`] has verified its hash, and makes sure afterwards that a file did not change meanwhile.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

/// An input's bytes.
#[derive(Debug, Clone)]
pub enum Input {
    /// In memory.
    Bytes(Bytes),
    /// In an open file, from its beginning.
    File {
        /// The file, read by position only.
        file: Arc<File>,
        /// Its length.
        size_bytes: u64,
    },
}

impl Input {
    /// The length in bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size_bytes, .. } => *size_bytes,
        }
    }

    /// True if the range lies within the input.
    pub(crate) fn contains(&self, offset: u64, size: u64) -> bool {
        offset.checked_add(size).is_some_and(|end| end <= self.size_bytes())
    }

    /// Fills `target` with the bytes from `offset`. The range must lie within the input.
    pub(crate) fn read_at(&self, offset: u64, target: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => {
                let from = usize::try_from(offset).map_err(io::Error::other)?;
                let source = bytes
                    .get(from..)
                    .and_then(|rest| rest.get(..target.len()))
                    .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
                target.copy_from_slice(source);
                Ok(())
            }
            Self::File { file, .. } => read_file_at(file, offset, target),
        }
    }
}

#[cfg(unix)]
fn read_file_at(file: &File, offset: u64, target: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, target, offset)
}

#[cfg(windows)]
fn read_file_at(file: &File, mut offset: u64, mut target: &mut [u8]) -> io::Result<()> {
    while !target.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, target, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset += read as u64;
        target = &mut target[read..];
    }
    Ok(())
}
