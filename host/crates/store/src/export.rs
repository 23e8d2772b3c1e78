//! Writing a blob to a file of the user's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use samebit_spec::Hash;
use tempfile::NamedTempFile;
use thiserror::Error;

use crate::hashing::{CopyError, blocking, copy_file};
use crate::{ReadError, Store};

/// Why a blob cannot be exported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The target is a folder.
    #[error("cannot write {}: a folder has that name; name another file", .0.display())]
    TargetIsFolder(PathBuf),
    /// The target cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Target {
        /// The target.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The blob cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Store {
    /// Writes a blob to `target`, whole or not at all.
    ///
    /// The bytes go to a new file beside the target, which takes the target's name once their hash is right. An
    /// existing file is replaced, and so is a symbolic link itself: what it leads to is left alone.
    pub async fn export(&self, hash: &Hash, target: &Path) -> Result<(), ExportError> {
        let failed = |source| ExportError::Target { path: target.to_owned(), source };
        let target = std::path::absolute(target).map_err(failed)?;
        if fs::symlink_metadata(&target).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(ExportError::TargetIsFolder(target));
        }
        let folder =
            target.parent().map(Path::to_owned).ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        if !self.contains(hash).await.map_err(ReadError::from)? {
            return Err(ReadError::Missing(*hash).into());
        }
        let written = if *hash == Hash::of(b"") {
            blocking(move |_| beside(&folder)).await.flatten()
        } else {
            self.copy_out(hash, folder).await?
        };
        let written = written.map_err(failed)?;
        blocking(move |_| written.persist(target).map_err(|error| error.error)).await.flatten().map_err(failed)?;
        Ok(())
    }

    /// A verified copy of a blob in a new file in `folder`. Trouble with the new file is the inner result.
    async fn copy_out(&self, hash: &Hash, folder: PathBuf) -> Result<io::Result<NamedTempFile>, ReadError> {
        let wanted = *hash;
        self.try_places(hash, true, move |place, stop| {
            let copied = beside(&folder).map_err(CopyError::Target).and_then(|mut file| {
                let (found, _) = copy_file(&place.file, file.as_file_mut(), stop)?;
                Ok((found, Ok(file)))
            });
            match copied {
                Ok(copied) => Ok(copied),
                Err(CopyError::Source(error)) => Err(error),
                // No other place would do better, so this counts as read.
                Err(CopyError::Target(error)) => Ok((wanted, Err(error))),
            }
        })
        .await
    }
}

/// A new file with the permissions that any new file gets. It is removed unless it is persisted.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".samebit-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
