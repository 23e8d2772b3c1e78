//! Reading blobs, and never handing out bytes that were not hashed.
//!
//! iroh-blobs verifies what it serves to others, but not what it reads for us: its reader and its export give wrong
//! bytes after a flipped byte on disk. So everything that leaves the store is hashed here.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use iroh_blobs::api::blobs::BlobStatus;
use samebit_spec::Hash;
use thiserror::Error;

use crate::hashing::{Stop, blocking, hash_bytes, hash_file, read_file};
use crate::layout::Layout;
use crate::stamp::Stamp;
use crate::{Blob, DatabaseError, FileBlob, Store, references};

/// Blobs up to this size are handed out in memory, larger ones as open files.
pub const MEMORY_BYTES_MAX: u64 = 1 << 20;

/// Why a blob cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store does not have it, or not all of it.
    #[error("blob {0} is not in the store: import the file that it was, or fetch it")]
    Missing(Hash),
    /// The store's own copy was damaged.
    #[error("blob {hash} is damaged: its bytes now have the hash {found}; import or fetch it again")]
    Corrupt {
        /// The blob.
        hash: Hash,
        /// What its bytes hash to.
        found: Hash,
    },
    /// The blob is a file that was imported by reference and is not there any more.
    #[error("blob {hash} is gone: it was the file {}, which is not there; bring it back, or import it from elsewhere", path.display())]
    ReferenceGone {
        /// The blob.
        hash: Hash,
        /// Where the file was.
        path: PathBuf,
    },
    /// A file does not have the bytes that it had when it was imported or opened.
    #[error("the file {} was changed after it was imported or opened; bring back what it was, or import it again", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The index does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// A file that should hold a blob.
enum Place {
    Owned(PathBuf),
    Reference(PathBuf),
}

impl Store {
    /// Opens a blob and hashes its bytes. The blob is what was hashed: see [`Blob::check_unchanged`] for afterwards.
    pub async fn open_blob(&self, hash: &Hash) -> Result<Blob, ReadError> {
        self.open_within(hash, MEMORY_BYTES_MAX).await
    }

    /// Opens a blob, in memory if it has at most `memory_bytes_max` bytes.
    pub(crate) async fn open_within(&self, hash: &Hash, memory_bytes_max: u64) -> Result<Blob, ReadError> {
        let size_bytes = self.size_bytes(hash).await?;
        self.shelf().touch(hash);
        if *hash == Hash::of(b"") {
            return Ok(Blob::Bytes(Bytes::new()));
        }
        let in_memory = usize::try_from(size_bytes).ok().filter(|_| size_bytes <= memory_bytes_max);
        self.try_places(hash, true, move |place, stop| match in_memory {
            Some(size_bytes) => place.read(size_bytes),
            None => place.open(stop),
        })
        .await
    }

    /// True if the store has a good copy of its own, not a reference to somebody's file.
    pub(crate) async fn owns(&self, hash: &Hash) -> Result<bool, ReadError> {
        if !self.contains(hash).await? {
            return Ok(false);
        }
        match self.try_places(hash, false, |place, stop| place.open(stop)).await {
            Ok(_) => Ok(true),
            Err(ReadError::Missing(_) | ReadError::Corrupt { .. } | ReadError::Changed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The size that the index gives a blob. It is no more than a hint: the index may be damaged.
    async fn size_bytes(&self, hash: &Hash) -> Result<u64, ReadError> {
        match self.index().status(*hash.as_bytes()).await.map_err(DatabaseError::new)? {
            BlobStatus::Complete { size } => Ok(size),
            BlobStatus::Partial { .. } | BlobStatus::NotFound => Err(ReadError::Missing(*hash)),
        }
    }

    /// Tries the files that should hold a blob, one after the other, until `work` has read the right bytes from one.
    pub(crate) async fn try_places<T: Send + 'static>(
        &self,
        hash: &Hash,
        references: bool,
        work: impl Fn(OpenPlace, &Stop) -> io::Result<(Hash, T)> + Send + 'static,
    ) -> Result<T, ReadError> {
        let hash = *hash;
        let places = places(self.layout(), &hash, references);
        let root = self.layout().root.clone();
        let tried = blocking(move |stop| {
            let mut failed = None;
            for place in places {
                match place.attempt(&hash, stop, &work) {
                    Ok(done) => return Ok(done),
                    Err(error) => failed = failed.or(error),
                }
            }
            Err(failed.unwrap_or(ReadError::Missing(hash)))
        });
        tried.await.map_err(|source| ReadError::Io { path: root, source })?
    }
}

fn places(layout: &Layout, hash: &Hash, references: bool) -> Vec<Place> {
    let mut places = vec![Place::Owned(layout.file(hash)), Place::Owned(layout.fetched(hash))];
    if references {
        places.extend(references::look_up(layout, hash).map(Place::Reference));
    }
    places
}

/// A place whose file is there.
pub(crate) struct OpenPlace {
    pub(crate) file: File,
    path: PathBuf,
    stamp: Stamp,
}

impl OpenPlace {
    /// All bytes, with their hash.
    fn read(self, size_bytes: usize) -> io::Result<(Hash, Blob)> {
        let bytes = read_file(&self.file, size_bytes)?;
        Ok((hash_bytes(&bytes), Blob::Bytes(bytes.into())))
    }

    /// The open file, with the hash of its bytes.
    fn open(self, stop: &Stop) -> io::Result<(Hash, Blob)> {
        self.stamp.settle();
        let (found, _) = hash_file(&self.file, stop)?;
        Ok((found, Blob::File(FileBlob::new(self.file, self.path, self.stamp))))
    }
}

impl Place {
    /// Reads the file. `None` as an error: there is no such file, and none was promised.
    fn attempt<T>(
        &self,
        hash: &Hash,
        stop: &Stop,
        work: &impl Fn(OpenPlace, &Stop) -> io::Result<(Hash, T)>,
    ) -> Result<T, Option<ReadError>> {
        let (Self::Owned(path) | Self::Reference(path)) = self;
        let io = |source| Some(ReadError::Io { path: path.clone(), source });
        let changed = || Some(ReadError::Changed { path: path.clone() });
        let file = match open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(match self {
                    Self::Owned(_) => None,
                    Self::Reference(path) => Some(ReadError::ReferenceGone { hash: *hash, path: path.clone() }),
                });
            }
            Err(error) => return Err(io(error)),
        };
        let stamp = Stamp::of(&file).map_err(io)?;
        let watch = file.try_clone().map_err(io)?;
        let (found, done) = work(OpenPlace { file, path: path.clone(), stamp: stamp.clone() }, stop).map_err(io)?;
        if Stamp::of(&watch).map_err(io)? != stamp {
            return Err(changed());
        }
        match self {
            _ if found == *hash => Ok(done),
            Self::Owned(_) => Err(Some(ReadError::Corrupt { hash: *hash, found })),
            Self::Reference(_) => Err(changed()),
        }
    }
}

/// Opens a file that is one: opening a pipe that took a file's place would wait for ever.
fn open_regular(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file any more"))
    }
}
