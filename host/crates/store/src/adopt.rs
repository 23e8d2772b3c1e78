//! Taking over files that were written in the scratch folder.
//!
//! They become blobs by being moved. A hash that somebody else says they have saves one of two passes over the bytes,
//! never both.

use std::fs;
use std::path::{Path, PathBuf};

use samebit_spec::BlobRef;
use tempfile::TempPath;

use crate::hashing::{Stop, blocking, hash_file};
use crate::import::Source;
use crate::stamp::Stamp;
use crate::{ImportError, Pin, Store};

impl Store {
    /// Makes a blob of a file in [`Store::scratch_dir`] by moving it, without a copy.
    ///
    /// The writer must be done with the file. It is gone afterwards, also if this fails after the first checks.
    pub async fn adopt_file(&self, path: &Path) -> Result<(BlobRef, Pin), ImportError> {
        let (source, scratch) = (path.to_owned(), self.layout().scratch.clone());
        let adopted = blocking(move |stop| adopt(&source, &scratch, stop)).await;
        let (file, blob) = adopted.map_err(|error| ImportError::io(path, error))??;
        self.place(file, blob).await
    }

    /// The same for a file whose hash the caller has been told. The bytes are still hashed before the blob exists, but once
    /// instead of twice; if they are others, this fails and the blob does not exist. Where the store has the blob already,
    /// the file is adopted for what it is.
    pub async fn adopt_hashed(&self, path: &Path, expected: BlobRef) -> Result<(BlobRef, Pin), ImportError> {
        let (source, scratch) = (path.to_owned(), self.layout().scratch.clone());
        let opened = blocking(move |_| check_scratch(&source, &scratch)).await;
        let opened = opened.map_err(|error| ImportError::io(path, error))??;
        let differs = || ImportError::Differs(path.to_owned());
        if opened.source.stamp.size_bytes() != expected.size_bytes {
            return Err(differs());
        }
        let pin = self.pin(&expected.hash).await?;
        // Until the file is entered or gone again: nobody else's file gets this name meanwhile.
        let placing = self.placing().await;
        // What is there already would be taken for these bytes without a look at them.
        if expected.size_bytes == 0 || self.owns(&expected.hash).await? {
            let (source, scratch) = (path.to_owned(), self.layout().scratch.clone());
            let adopted = blocking(move |stop| adopt(&source, &scratch, stop)).await;
            let (file, blob) = adopted.map_err(|error| ImportError::io(path, error))??;
            if blob == expected {
                return Ok((blob, pin));
            }
            drop(placing);
            return self.place(file, blob).await;
        }
        let file = TempPath::try_from_path(&opened.path).map_err(|error| ImportError::io(path, error))?;
        match self.move_in(file, &expected.hash, pin).await {
            Ok(pin) => Ok((expected, pin)),
            Err(ImportError::Changed(target)) => {
                self.put_right(target).await?;
                Err(differs())
            }
            Err(error) => Err(error),
        }
    }

    /// Gives a file, which the index has entered for what it is, the name of what it is: an entry without bytes would look
    /// like a blob that is here. Only while [`placing`](Store::placing).
    async fn put_right(&self, file: PathBuf) -> Result<(), ImportError> {
        let found = file.clone();
        let hashed = blocking(move |stop| hash_file(&fs::File::open(found)?, stop)).await.flatten();
        let (hash, _) = hashed.map_err(|error| ImportError::io(&file, error))?;
        let pin = self.pin(&hash).await?;
        let right = self.layout().file(&hash);
        fs::rename(&file, &right).map_err(|error| ImportError::io(&file, error))?;
        self.enter(right, &hash, pin).await.map(drop)
    }
}

/// Checks and hashes a file that was written in the scratch folder.
fn adopt(path: &Path, scratch: &Path, stop: &Stop) -> Result<(TempPath, BlobRef), ImportError> {
    let failed = |error| ImportError::io(path, error);
    let InScratch { source, path: found } = check_scratch(path, scratch)?;
    let (hash, size_bytes) = hash_file(&source.file, stop).map_err(failed)?;
    source.check_unchanged(path)?;
    let file = TempPath::try_from_path(&found).map_err(failed)?;
    Ok((file, BlobRef { hash, size_bytes }))
}

/// A file that was written in the scratch folder, open.
struct InScratch {
    source: Source,
    path: PathBuf,
}

/// Checks that a file was written in the scratch folder, and is one.
fn check_scratch(path: &Path, scratch: &Path) -> Result<InScratch, ImportError> {
    let failed = |error| ImportError::io(path, error);
    let path = std::path::absolute(path).map_err(failed)?;
    let scratch = scratch.canonicalize().map_err(failed)?;
    let folder = path.parent().map(Path::canonicalize).transpose().map_err(failed)?;
    if !folder.is_some_and(|folder| folder.starts_with(scratch)) {
        return Err(ImportError::OutsideScratch(path));
    }
    let metadata = fs::symlink_metadata(&path).map_err(failed)?;
    if metadata.is_symlink() {
        return Err(ImportError::NotRegular(path));
    }
    let source = Source::open(&path)?;
    if source.stamp != Stamp::of_metadata(&metadata) {
        return Err(ImportError::Changed(path));
    }
    Ok(InScratch { source, path })
}
