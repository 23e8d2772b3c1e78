//! What a file's metadata says about whether its bytes may have changed.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How long after a change the next one may still get the same time: kernels stamp files with a clock that ticks every
/// 1 to 10 ms, some file systems are coarser.
const TICK: Duration = Duration::from_millis(20);

/// A file's identity, length and times.
///
/// Two equal stamps mean that nobody wrote to the file between them in an ordinary way. It is no proof against someone
/// who owns the file and sets its times back, or who writes through a memory map: only hashing again is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    size_bytes: u64,
    modified: Option<SystemTime>,
    /// Device, inode and change time, which no ordinary program can set.
    #[cfg(unix)]
    unix: (u64, u64, i64, i64),
}

impl Stamp {
    /// The stamp of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::of_metadata(&file.metadata()?))
    }

    /// The stamp that metadata gives.
    pub(crate) fn of_metadata(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            size_bytes: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            unix: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// True if the file at this path has this stamp.
    pub(crate) fn is_of(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|metadata| Self::of_metadata(&metadata) == *self)
    }

    /// The length.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Waits, at most one tick, until a further change to the file must give it another stamp.
    ///
    /// Without this a file written and stamped within one tick of the clock could be written again unnoticed.
    pub(crate) fn settle(&self) {
        let age = self.changed().and_then(|changed| SystemTime::now().duration_since(changed).ok());
        if let Some(wait) = age.and_then(|age| TICK.checked_sub(age)) {
            std::thread::sleep(wait);
        }
    }

    #[cfg(unix)]
    fn changed(&self) -> Option<SystemTime> {
        let (_, _, seconds, nanoseconds) = self.unix;
        let since_epoch = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(since_epoch)
    }

    #[cfg(not(unix))]
    fn changed(&self) -> Option<SystemTime> {
        self.modified
    }
}
