//! A blob whose bytes were just hashed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::ReadError;
use crate::stamp::Stamp;

/// A verified blob: small ones in memory, large ones as an open file.
#[derive(Debug, Clone)]
pub enum Blob {
    /// The bytes.
    Bytes(Bytes),
    /// A file that holds the bytes.
    File(FileBlob),
}

/// An open file whose bytes had the blob's hash when it was opened.
///
/// Hashing happens before use, and a file can be written to in between. Whoever signs something about the bytes asks
/// [`Blob::check_unchanged`] after the last read.
#[derive(Debug, Clone)]
pub struct FileBlob {
    file: Arc<File>,
    path: PathBuf,
    stamp: Stamp,
}

impl Blob {
    /// The length in bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.size_bytes(),
        }
    }

    /// Makes sure that nobody wrote to the file since it was hashed, as far as its metadata tells.
    pub fn check_unchanged(&self) -> Result<(), ReadError> {
        match self {
            Self::Bytes(_) => Ok(()),
            Self::File(file) => file.check_unchanged(),
        }
    }
}

impl FileBlob {
    pub(crate) fn new(file: File, path: PathBuf, stamp: Stamp) -> Self {
        Self { file: Arc::new(file), path, stamp }
    }

    /// The open file. Read it by position: the handle is shared.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Where the file was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The length in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.stamp.size_bytes()
    }

    fn check_unchanged(&self) -> Result<(), ReadError> {
        let now = Stamp::of(&self.file).map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
        if now == self.stamp { Ok(()) } else { Err(ReadError::Changed { path: self.path.clone() }) }
    }
}
