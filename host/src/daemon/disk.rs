//! How much room the disk has.

use std::io;
use std::path::Path;

/// Bytes that this user can still write where `path` is. `None` where that cannot be told.
#[cfg(unix)]
pub(crate) fn free_bytes(path: &Path) -> io::Result<Option<u64>> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(Some(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Bytes that this user can still write where `path` is. `None` where that cannot be told.
#[cfg(not(unix))]
pub(crate) fn free_bytes(_path: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}
