//! One process at a time.
//!
//! The lock is the operating system's, on an open file, so that it ends with the process however that ends. The process
//! id in the file is for people; nothing is decided by it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Held while the store is open.
#[derive(Debug)]
pub(crate) struct FolderLock {
    /// Closing the file releases the lock.
    _file: File,
}

/// What an attempt to lock came to.
pub(crate) enum Attempt {
    /// The lock is ours.
    Held(FolderLock),
    /// Another one has it, with this process id if it can be read.
    Busy(Option<u32>),
}

impl FolderLock {
    /// Tries once, without waiting.
    pub(crate) fn attempt(path: &Path) -> io::Result<Attempt> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {
                let pid = std::process::id().to_string();
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(pid.as_bytes())?;
                Ok(Attempt::Held(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(Attempt::Busy(holder(&mut file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
