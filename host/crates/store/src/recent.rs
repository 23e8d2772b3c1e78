//! When blobs were used last, on disk: the file `recent`, replaced as a whole.
//!
//! Times of access in the file system are unreliable, and setting others would make files look changed that somebody
//! reads. A database would be written on every read. This is written now and then: an order that is a minute old does as
//! well, and after a crash a blob that is not in it counts as used when it was written. A file that is damaged is none.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};

use samebit_spec::Hash;
use tempfile::NamedTempFile;

use crate::layout::Layout;

/// What the file begins with.
const MAGIC: &[u8] = b"samebit recent 1\n";
/// A hash, and milliseconds since 1970-01-01 UTC in big-endian order.
const ENTRY_BYTES: usize = 40;
/// More than any store has: ten million blobs.
const FILE_BYTES_MAX: u64 = 400 << 20;

/// The times that are on disk.
pub(crate) fn load(layout: &Layout) -> HashMap<Hash, u64> {
    let mut bytes = Vec::new();
    let read = File::open(layout.recent()).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    let Some(entries) = bytes.strip_prefix(MAGIC).filter(|_| read.is_ok()) else { return HashMap::new() };
    let entry = |entry: &[u8; ENTRY_BYTES]| {
        let (hash, time) = entry.split_first_chunk::<32>()?;
        Some((Hash::from_bytes(*hash), u64::from_be_bytes(*time.first_chunk()?)))
    };
    entries.as_chunks().0.iter().filter_map(entry).collect()
}

/// Writes the times, whole or not at all.
pub(crate) fn save(layout: &Layout, uses: &[(Hash, u64)]) -> io::Result<()> {
    let mut bytes = MAGIC.to_vec();
    for (hash, time) in uses {
        bytes.extend_from_slice(hash.as_bytes());
        bytes.extend_from_slice(&time.to_be_bytes());
    }
    let mut file = NamedTempFile::new_in(&layout.scratch)?;
    file.write_all(&bytes)?;
    file.persist(layout.recent()).map_err(|error| error.error)?;
    Ok(())
}
