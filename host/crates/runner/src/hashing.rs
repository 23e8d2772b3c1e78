//! Work that blocks, off the async threads.

use std::io::{self, Read};

use samebit_engine::Spool;
use samebit_engine::spec::{BlobRef, Hash};

/// How much of a file is read at once.
const BUFFER_BYTES: usize = 1 << 20;

/// Runs `work` on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| io::Error::other(format!("a worker failed: {error}")))?
}

/// The name of an output that is not stored.
pub(crate) fn blob_of(spool: &Spool) -> io::Result<BlobRef> {
    if let Spool::Memory(bytes) = spool {
        return Ok(BlobRef::of(bytes));
    }
    let (hash, size_bytes) = hash(&mut spool.reader()?)?;
    Ok(BlobRef { hash, size_bytes })
}

/// The hash and length of what a reader gives.
pub(crate) fn hash(reader: &mut dyn Read) -> io::Result<(Hash, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut size_bytes = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok((Hash::from_bytes(*hasher.finalize().as_bytes()), size_bytes)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        size_bytes += count as u64;
    }
}
