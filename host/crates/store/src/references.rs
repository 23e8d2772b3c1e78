//! The paths of blobs that are somebody else's files: one small text file per hash.
//!
//! A later import of the same bytes from elsewhere replaces the path. The paths are UTF-8, since iroh-blobs cannot
//! store any others (it panics).

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use samebit_spec::Hash;

use crate::layout::Layout;

/// Longer than any path that an operating system opens.
const PATH_BYTES_MAX: u64 = 64 << 10;

/// Where the referenced file is, if one is noted. A note that cannot be read is none.
pub(crate) fn look_up(layout: &Layout, hash: &Hash) -> Option<PathBuf> {
    let mut text = String::new();
    File::open(layout.reference(hash)).ok()?.take(PATH_BYTES_MAX).read_to_string(&mut text).ok()?;
    let path = PathBuf::from(text);
    path.is_absolute().then_some(path)
}

/// Notes where the referenced file is.
pub(crate) fn note(layout: &Layout, hash: &Hash, path: &Path) -> io::Result<()> {
    let text = path.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut file = tempfile::NamedTempFile::new_in(&layout.scratch)?;
    file.write_all(text.as_bytes())?;
    file.persist(layout.reference(hash)).map_err(|error| error.error)?;
    Ok(())
}
