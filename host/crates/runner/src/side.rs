//! One side of a comparison: bytes that are claimed, or that a re-run gave, in memory or in a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use samebit_engine::spec::Name;
use samebit_engine::{Input, Spool};
use samebit_proof::{ByteComparer, ByteDifference, Step};
use samebit_store::Blob;
use tracing::debug;

use crate::Replayed;
use crate::hashing::blocking;

/// How much of each stream is held at once while two are compared.
pub(crate) const BUFFER_BYTES: usize = 1 << 18;

/// Bytes to compare.
#[derive(Debug, Clone)]
pub(crate) enum Side {
    /// In memory.
    Memory(Bytes),
    /// In a file. Whoever made this keeps it from being deleted.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its length when it was hashed.
        size_bytes: u64,
    },
}

impl From<Blob> for Side {
    fn from(blob: Blob) -> Self {
        match blob {
            Blob::Bytes(bytes) => Self::Memory(bytes),
            Blob::File(file) => Self::File { path: file.path().to_owned(), size_bytes: file.size_bytes() },
        }
    }
}

impl Side {
    /// What the re-run wrote: an output, or its log. Good as long as the re-run is kept.
    pub(crate) fn of_replay(replayed: &Replayed, name: Option<&Name>) -> Option<Self> {
        let Some(name) = name else { return Some(Self::Memory(replayed.log.clone().into())) };
        replayed.outputs.get(name).map(|spool| match spool {
            Spool::Memory(bytes) => Self::Memory(bytes.clone()),
            Spool::File { path, size_bytes, .. } => Self::File { path: path.to_path_buf(), size_bytes: *size_bytes },
        })
    }

    /// Reads it from the beginning.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn BufRead>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Self::File { path, .. } => Box::new(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?)),
        })
    }

    /// The same as a guest's input.
    pub(crate) fn input(&self) -> io::Result<Input> {
        Ok(match self {
            Self::Memory(bytes) => Input::Bytes(bytes.clone()),
            Self::File { path, size_bytes } => {
                Input::File { file: Arc::new(File::open(path)?), size_bytes: *size_bytes }
            }
        })
    }
}

/// The first byte in which two sides differ. Failing to find it changes no verdict.
pub(crate) async fn first_difference(claimed: Side, replayed: Side) -> Option<ByteDifference> {
    let compared = blocking(move || {
        let (mut claimed, mut replayed) = (claimed.reader()?, replayed.reader()?);
        let mut comparer = ByteComparer::default();
        loop {
            match comparer.step(claimed.fill_buf()?, replayed.fill_buf()?) {
                Step::Equal(len) => {
                    claimed.consume(len);
                    replayed.consume(len);
                }
                Step::Differs(difference) => return Ok(Some(difference)),
                Step::End => return Ok(None),
            }
        }
    });
    compared.await.unwrap_or_else(|error| {
        debug!("the first differing byte could not be looked for: {error}");
        None
    })
}
