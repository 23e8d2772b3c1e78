//! Reading, hashing and copying files off the async threads.
//!
//! Files are read by position through one open handle into a buffer, never by memory map: a map of a file that somebody
//! truncates kills the process.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use samebit_spec::Hash;

/// Large enough for every core to get a share, small enough to be hashed while still in cache.
const BUFFER_BYTES: usize = 1 << 20;
/// Below this, spreading the work costs more than it saves (blake3's own advice).
const PARALLEL_FROM_BYTES: usize = 128 << 10;

/// Set when nobody waits for the work any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

/// Stops the work when the future that waits for it is dropped.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on a thread that may block. Dropping the future makes the work end at its next buffer.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce(&Stop) -> T + Send + 'static) -> io::Result<T> {
    let stop = Stop::default();
    let guard = StopOnDrop(stop.clone());
    let done = tokio::task::spawn_blocking(move || work(&stop)).await;
    drop(guard);
    done.map_err(|error| io::Error::other(format!("a worker thread failed: {error}")))
}

/// The hash of bytes in memory, on all cores where that pays.
pub(crate) fn hash_bytes(bytes: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    update(&mut hasher, bytes);
    finish(&hasher)
}

/// Which end of a copy failed.
pub(crate) enum CopyError {
    Source(io::Error),
    Target(io::Error),
}

/// The hash and length of a file's bytes.
pub(crate) fn hash_file(file: &File, stop: &Stop) -> io::Result<(Hash, u64)> {
    copy_file(file, &mut io::sink(), stop).map_err(|error| match error {
        CopyError::Source(error) | CopyError::Target(error) => error,
    })
}

/// Copies a file's bytes from its beginning, and gives the hash and length of what was copied.
///
/// What comes next is read while what is there is hashed: reading costs half as much as hashing even from memory.
pub(crate) fn copy_file(file: &File, target: &mut (impl Write + Send), stop: &Stop) -> Result<(Hash, u64), CopyError> {
    let mut hasher = blake3::Hasher::new();
    let (mut buffer, mut spare) = (vec![0; BUFFER_BYTES], Vec::new());
    let mut filled = read_full_at(file, 0, &mut buffer).map_err(CopyError::Source)?;
    let mut offset = 0;
    loop {
        stop.check().map_err(CopyError::Source)?;
        let bytes = &buffer[..filled];
        offset += filled as u64;
        if filled < BUFFER_BYTES {
            update(&mut hasher, bytes);
            target.write_all(bytes).map_err(CopyError::Target)?;
            return Ok((finish(&hasher), offset));
        }
        spare.resize(BUFFER_BYTES, 0);
        let take = || {
            update(&mut hasher, bytes);
            target.write_all(bytes)
        };
        let (taken, read) = rayon::join(take, || read_full_at(file, offset, &mut spare));
        taken.map_err(CopyError::Target)?;
        filled = read.map_err(CopyError::Source)?;
        std::mem::swap(&mut buffer, &mut spare);
    }
}

/// All bytes of a file that should have `size_bytes` of them. A file that grew gives one byte more.
pub(crate) fn read_file(file: &File, size_bytes: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size_bytes + 1];
    let filled = read_full_at(file, 0, &mut bytes)?;
    bytes.truncate(filled);
    Ok(bytes)
}

fn update(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    if bytes.len() < PARALLEL_FROM_BYTES {
        hasher.update(bytes);
    } else {
        hasher.update_rayon(bytes);
    }
}

fn finish(hasher: &blake3::Hasher) -> Hash {
    Hash::from_bytes(*hasher.finalize().as_bytes())
}

/// Fills the buffer from `offset`, less at the end of the file.
fn read_full_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(file, offset + filled as u64, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_blake3_around_buffer_and_chunk_edges() {
        let folder = tempfile::tempdir().expect("folder");
        for size in [0, 1, 1023, 1024, 1025, PARALLEL_FROM_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, 3 * BUFFER_BYTES]
        {
            let bytes: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            let path = folder.path().join("file");
            std::fs::write(&path, &bytes).expect("write");
            let expected = Hash::of(&bytes);
            assert_eq!(hash_bytes(&bytes), expected, "{size}");
            let file = File::open(&path).expect("open");
            assert_eq!(hash_file(&file, &Stop::default()).expect("hash"), (expected, size as u64), "{size}");
            assert_eq!(read_file(&file, size).expect("read"), bytes, "{size}");
        }
    }

    #[test]
    fn stops_when_nobody_waits() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("file");
        std::fs::write(&path, b"x").expect("write");
        let stop = Stop::default();
        drop(StopOnDrop(stop.clone()));
        let error = hash_file(&File::open(&path).expect("open"), &stop).expect_err("stopped");
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
