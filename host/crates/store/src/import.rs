//! Making blobs of files and bytes.
//!
//! Everything is read once through our own handle and hashed on all cores; only what the store does not have yet goes
//! on to iroh-blobs, which reads it again for its hash tree and must come to the same hash. So a file that is written
//! to meanwhile is an error, and importing what is there already costs one fast pass.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use iroh_blobs::BlobFormat;
use iroh_blobs::api::blobs::{AddPathOptions, ImportMode};
use samebit_spec::{BlobRef, Hash};
use tempfile::{NamedTempFile, TempPath};
use thiserror::Error;

use crate::hashing::{CopyError, Stop, blocking, copy_file, hash_bytes, hash_file, read_file};
use crate::read::MEMORY_BYTES_MAX;
use crate::stamp::Stamp;
use crate::{DatabaseError, Pin, ReadError, Store, references};

/// From this size on, [`ImportBy::Auto`] refers to a file instead of copying it.
pub const REFERENCE_FROM_BYTES: u64 = 16 << 20;

/// Whose file a blob's bytes stay in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportBy {
    /// The store gets a copy. The file may go.
    Copy,
    /// The store notes where the file is, with symbolic links resolved. The file must stay as it is.
    ///
    /// Empty files and files inside the store's own folder are copied anyway.
    Reference,
    /// By reference from [`REFERENCE_FROM_BYTES`] on, if the path can be noted. Else a copy.
    Auto,
}

/// Why something cannot become a blob.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is no such file.
    #[error("cannot import {}: there is no such file", .0.display())]
    Missing(PathBuf),
    /// A folder is no blob.
    #[error("cannot import {}: it is a folder; name a file in it, or pack it into one", .0.display())]
    IsFolder(PathBuf),
    /// A pipe, socket or device has no fixed bytes.
    #[error("cannot import {}: it is not a regular file; write its bytes to one first", .0.display())]
    NotRegular(PathBuf),
    /// The file may not be read.
    #[error("cannot import {}: permission denied", .0.display())]
    Permission(PathBuf),
    /// Somebody wrote to the file meanwhile.
    #[error("cannot import {}: it was changed while it was being read; import it when nobody writes to it", .0.display())]
    Changed(PathBuf),
    /// The bytes are not those that the device has hashed: they were changed on the way, or it hashes wrongly.
    #[error("cannot import {}: its bytes are not those that the device hashed; run the job again, or without that device", .0.display())]
    Differs(PathBuf),
    /// The path cannot be noted.
    #[error("cannot refer to {}: its path is not UTF-8; import it as a copy", .0.display())]
    NotText(PathBuf),
    /// Only files in [`Store::scratch_dir`] can be taken over.
    #[error("cannot take over {}: it is not in the store's scratch folder; import it instead", .0.display())]
    OutsideScratch(PathBuf),
    /// The file could not be read, or its copy not be written.
    #[error("cannot import {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What the store has already could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The index does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ImportError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::PermissionDenied => Self::Permission(path),
            _ => Self::Io { path, source },
        }
    }
}

impl Store {
    /// Makes a blob of a file.
    pub async fn import_file(&self, path: &Path, by: ImportBy) -> Result<(BlobRef, Pin), ImportError> {
        let source = std::path::absolute(path).map_err(|error| ImportError::io(path, error))?;
        let (root, scratch) = (self.layout().root.clone(), self.layout().scratch.clone());
        let taken = blocking(move |stop| take(&source, by, &root, &scratch, stop)).await;
        match taken.map_err(|error| ImportError::io(path, error))?? {
            Taken::Bytes(bytes) => self.import_bytes(bytes).await,
            Taken::Copy(copy, blob) => self.place(copy, blob).await,
            Taken::Reference(path, blob, stamp) => match self.refer(path.clone(), blob).await {
                // A file that was cut meanwhile ends before iroh-blobs expects it to.
                Err(ImportError::Database(_)) if !stamp.is_of(&path) => Err(ImportError::Changed(path)),
                done => done,
            },
        }
    }

    /// Makes a blob of bytes in memory.
    pub async fn import_bytes(&self, bytes: Bytes) -> Result<(BlobRef, Pin), ImportError> {
        if bytes.is_empty() {
            // It is in every store, and nowhere on disk.
            let blob = BlobRef { hash: hash_bytes(&bytes), size_bytes: 0 };
            return Ok((blob, self.pin(&blob.hash).await?));
        }
        let scratch = self.layout().scratch.clone();
        let spooled = blocking(move |_| {
            let mut file = NamedTempFile::new_in(scratch)?;
            file.write_all(&bytes)?;
            let blob = BlobRef { hash: hash_bytes(&bytes), size_bytes: bytes.len() as u64 };
            Ok((file.into_temp_path(), blob))
        });
        let (file, blob) = spooled
            .await
            .flatten()
            .map_err(|source| ImportError::Io { path: self.layout().scratch.clone(), source })?;
        self.place(file, blob).await
    }

    /// Makes a hashed file in the scratch folder the store's own copy of a blob.
    pub(crate) async fn place(&self, file: TempPath, blob: BlobRef) -> Result<(BlobRef, Pin), ImportError> {
        let pin = self.pin(&blob.hash).await?;
        if blob.size_bytes == 0 {
            // It is in every store, and nowhere on disk.
            return Ok((blob, pin));
        }
        let _placing = self.placing().await;
        if self.owns(&blob.hash).await? {
            return Ok((blob, pin));
        }
        Ok((blob, self.move_in(file, &blob.hash, pin).await?))
    }

    /// Moves a file to where the store has its own copy of a blob. Only while [`placing`](Store::placing).
    pub(crate) async fn move_in(&self, file: TempPath, hash: &Hash, pin: Pin) -> Result<Pin, ImportError> {
        let target = self.layout().file(hash);
        file.persist(&target).map_err(|error| ImportError::Io { path: target.clone(), source: error.error })?;
        self.enter(target, hash, pin).await
    }

    /// Notes somebody's file as the place of a blob.
    async fn refer(&self, path: PathBuf, blob: BlobRef) -> Result<(BlobRef, Pin), ImportError> {
        let pin = self.pin(&blob.hash).await?;
        let known = references::look_up(self.layout(), &blob.hash).is_some_and(|known| known == path);
        if known && self.contains(&blob.hash).await? {
            return Ok((blob, pin));
        }
        // First the note: a note without an entry in the index does no harm, an entry without a note has no bytes.
        references::note(self.layout(), &blob.hash, &path)
            .map_err(|source| ImportError::Io { path: self.layout().reference(&blob.hash), source })?;
        Ok((blob, self.enter(path, &blob.hash, pin).await?))
    }

    /// Enters a file into the index where it lies. Goes on if the future is dropped, and holds the pin meanwhile: an entry
    /// must not come into being behind the back of an eviction.
    pub(crate) async fn enter(&self, path: PathBuf, hash: &Hash, pin: Pin) -> Result<Pin, ImportError> {
        let (store, hash) = (self.clone(), *hash);
        let entered = tokio::spawn(async move {
            let options =
                AddPathOptions { path: path.clone(), mode: ImportMode::TryReference, format: BlobFormat::Raw };
            let tag = store.index().add_path_with_opts(options).temp_tag().await.map_err(DatabaseError::new)?;
            store.shelf().weigh(&hash);
            if tag.hash().as_bytes() == hash.as_bytes() { Ok(pin) } else { Err(ImportError::Changed(path)) }
        });
        entered.await.map_err(DatabaseError::new)?
    }
}

/// A user's file after it was read.
enum Taken {
    Bytes(Bytes),
    Copy(TempPath, BlobRef),
    Reference(PathBuf, BlobRef, Stamp),
}

fn take(path: &Path, by: ImportBy, root: &Path, scratch: &Path, stop: &Stop) -> Result<Taken, ImportError> {
    let failed = |error| ImportError::io(path, error);
    let source = Source::open(path)?;
    let size_bytes = source.stamp.size_bytes();
    if let Some(target) = reference_target(path, by, size_bytes, root)? {
        // Opened by the very path that will be noted, which a symbolic link may have stopped leading to.
        let source = Source::open(&target)?;
        source.stamp.settle();
        let (hash, size_bytes) = hash_file(&source.file, stop).map_err(failed)?;
        source.check_unchanged(path)?;
        return Ok(Taken::Reference(target, BlobRef { hash, size_bytes }, source.stamp));
    }
    if size_bytes <= MEMORY_BYTES_MAX {
        let bytes = read_file(&source.file, size_bytes as usize).map_err(failed)?;
        source.check_unchanged(path)?;
        return Ok(Taken::Bytes(bytes.into()));
    }
    let scratch_failed = |source| ImportError::Io { path: scratch.to_owned(), source };
    let mut copy = NamedTempFile::new_in(scratch).map_err(scratch_failed)?;
    let (hash, size_bytes) = copy_file(&source.file, copy.as_file_mut(), stop).map_err(|error| match error {
        CopyError::Source(error) => failed(error),
        CopyError::Target(error) => scratch_failed(error),
    })?;
    source.check_unchanged(path)?;
    Ok(Taken::Copy(copy.into_temp_path(), BlobRef { hash, size_bytes }))
}

/// The path to note, if the file is to be referred to and can be.
fn reference_target(path: &Path, by: ImportBy, size_bytes: u64, root: &Path) -> Result<Option<PathBuf>, ImportError> {
    let wanted = match by {
        ImportBy::Copy => false,
        ImportBy::Reference => size_bytes > 0,
        ImportBy::Auto => size_bytes >= REFERENCE_FROM_BYTES,
    };
    if !wanted {
        return Ok(None);
    }
    let target = path.canonicalize().map_err(|error| ImportError::io(path, error))?;
    let root = root.canonicalize().map_err(|error| ImportError::io(root, error))?;
    match target.to_str() {
        _ if target.starts_with(root) => Ok(None),
        Some(_) => Ok(Some(target)),
        None if by == ImportBy::Auto => Ok(None),
        None => Err(ImportError::NotText(path.to_owned())),
    }
}

/// An open regular file, and what it was when it was opened.
pub(crate) struct Source {
    pub(crate) file: File,
    pub(crate) stamp: Stamp,
}

impl Source {
    /// Opens a file. Looks first, since opening a pipe would wait for its other end.
    pub(crate) fn open(path: &Path) -> Result<Self, ImportError> {
        let failed = |error| ImportError::io(path, error);
        let metadata = fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(ImportError::IsFolder(path.to_owned()));
        }
        if !metadata.is_file() {
            return Err(ImportError::NotRegular(path.to_owned()));
        }
        let file = File::open(path).map_err(failed)?;
        let stamp = Stamp::of(&file).map_err(failed)?;
        Ok(Self { file, stamp })
    }

    pub(crate) fn check_unchanged(&self, path: &Path) -> Result<(), ImportError> {
        let now = Stamp::of(&self.file).map_err(|error| ImportError::io(path, error))?;
        if now == self.stamp { Ok(()) } else { Err(ImportError::Changed(path.to_owned())) }
    }
}
