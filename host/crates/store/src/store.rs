//! Opening and closing a store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use iroh_blobs::store::fs::FsStore;
use iroh_blobs::store::fs::options::{InlineOptions, Options};
use samebit_spec::Hash;
use thiserror::Error;

use crate::DatabaseError;
use crate::hashing::blocking;
use crate::layout::{Kind, Layout};
use crate::lock::{Attempt, FolderLock};
use crate::shelf::Shelf;
use crate::sweep::{Sweeper, sweeper};

/// How often a busy store is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// A store of blobs in a folder. Clones are handles to the same store.
///
/// End with [`Store::close`]. A store that is dropped instead is closed in the background, and its folder stays locked
/// until that is done.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Arc<Layout>,
    index: FsStore,
    /// What is in use, and when it was last.
    shelf: Arc<Shelf>,
    /// Removes what is evicted.
    sweeper: Sweeper,
    /// Held by the one eviction at a time.
    evicting: tokio::sync::Mutex<()>,
    /// Taken by [`Store::close`].
    lock: Mutex<Option<FolderLock>>,
    /// Held while a file is moved to its place, so that a file somebody may be reading is never replaced.
    placing: tokio::sync::Mutex<()>,
}

/// Why a store cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store {} is in use{}: wait until that ends, or name another store", path.display(), by(*pid))]
    Busy {
        /// The store's folder.
        path: PathBuf,
        /// The process that has it open, if it could be told.
        pid: Option<u32>,
    },
    /// The path leads to a file.
    #[error("cannot open the store {}: it is not a folder; name another path", .0.display())]
    NotAFolder(PathBuf),
    /// The folder holds something else.
    #[error("cannot make a store in {}: the folder is not empty and not a store; name another or an empty one", .0.display())]
    NotAStore(PathBuf),
    /// The folder is a store of a version that this program does not know.
    #[error("cannot open the store {}: its format is {found:?}; use the version of samebit that made it", path.display())]
    FormatUnknown {
        /// The store's folder.
        path: PathBuf,
        /// What its format file says.
        found: String,
    },
    /// The path cannot be written down as text, which iroh-blobs needs.
    #[error("cannot open the store {}: its path is not UTF-8; name another path", .0.display())]
    NotText(PathBuf),
    /// A file or folder could not be read or made.
    #[error("cannot open the store {}: {source}", path.display())]
    Io {
        /// The store's folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The index is damaged.
    #[error("cannot open the store {}: {source}", path.display())]
    Database {
        /// The store's folder.
        path: PathBuf,
        /// The cause.
        source: DatabaseError,
    },
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
}

impl Store {
    /// Opens the store in a folder, and makes it if there is none.
    ///
    /// If another process has it open, this waits up to `wait` for that to end.
    pub async fn open(dir: &Path, wait: Duration) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { path: dir.to_owned(), source };
        let root = std::path::absolute(dir).map_err(io)?;
        if root.to_str().is_none() {
            return Err(OpenError::NotText(root));
        }
        let layout = Layout::new(root);
        let layout = blocking(move |_| check_folder(&layout).map(|()| layout)).await.map_err(io)??;
        let lock = lock_within(&layout, wait).await?;
        let layout = blocking(move |_| prepare(&layout).map(|()| layout)).await.map_err(io)??;
        let mut options = Options::new(&layout.index);
        // The whole database is read whenever it is opened: with small blobs inside, that takes 100 ms for 5,000.
        options.inline = InlineOptions::NO_INLINE;
        let (sweeper, collection) = sweeper();
        options.gc = Some(collection);
        let index = FsStore::load_with_opts(layout.database(), options)
            .await
            .map_err(|error| OpenError::Database { path: layout.root.clone(), source: DatabaseError::new(error) })?;
        let (layout, lock) = (Arc::new(layout), Mutex::new(Some(lock)));
        let shelf = Arc::new(Shelf::new(layout.clone()));
        let (placing, evicting) = Default::default();
        Ok(Self { inner: Arc::new(Inner { layout, index, shelf, sweeper, evicting, lock, placing }) })
    }

    /// Where outputs are written before they become blobs by [`Store::adopt_file`]. Emptied at the next opening.
    pub fn scratch_dir(&self) -> &Path {
        &self.inner.layout.scratch
    }

    /// True if the index has all of a blob. Its bytes are not looked at.
    pub async fn contains(&self, hash: &Hash) -> Result<bool, DatabaseError> {
        self.index().has(*hash.as_bytes()).await.map_err(DatabaseError::new)
    }

    /// Writes what is pending, stops the index, and frees the folder for other processes.
    ///
    /// Other handles to this store give errors from then on. Closing twice is no error.
    pub async fn close(&self) -> Result<(), DatabaseError> {
        let lock = self.inner.take_lock();
        if lock.is_none() {
            return Ok(());
        }
        self.save_uses().await;
        // The lock is dropped after this, in every case.
        let closed = self.index().shutdown().await.map_err(DatabaseError::new);
        self.inner.sweeper.end();
        closed
    }

    /// The index, for the crate that moves blobs between machines. What is read through it directly is not verified.
    pub fn index(&self) -> &iroh_blobs::api::Store {
        &self.inner.index
    }

    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.inner.layout
    }

    pub(crate) fn shelf(&self) -> &Arc<Shelf> {
        &self.inner.shelf
    }

    pub(crate) fn sweeper(&self) -> &Sweeper {
        &self.inner.sweeper
    }

    pub(crate) async fn evicting(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.evicting.lock().await
    }

    pub(crate) async fn placing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.placing.lock().await
    }
}

impl Inner {
    fn take_lock(&self) -> Option<FolderLock> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Inner {
    /// Keeps the lock until the index is closed: it stays open for a moment after its last handle is gone.
    fn drop(&mut self) {
        let Some(lock) = self.take_lock() else { return };
        let (index, sweeper) = (self.index.clone(), self.sweeper.clone());
        let close = move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build()
                && let Err(error) = runtime.block_on(index.shutdown())
            {
                tracing::warn!("a store was dropped and could not be closed: {error:#}");
            }
            sweeper.end();
            drop(lock);
        };
        if let Err(error) = std::thread::Builder::new().spawn(close) {
            tracing::warn!("a store was dropped and could not be closed: {error}");
        }
    }
}

/// Refuses what is not a store and not empty, before anything is written to it.
fn check_folder(layout: &Layout) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: layout.root.clone(), source };
    match std::fs::metadata(&layout.root) {
        Ok(metadata) if !metadata.is_dir() => return Err(OpenError::NotAFolder(layout.root.clone())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => layout.create_root().map_err(io)?,
        Err(error) => return Err(io(error)),
    }
    match layout.kind().map_err(io)? {
        Kind::Store | Kind::Empty => Ok(()),
        Kind::Foreign => Err(OpenError::NotAStore(layout.root.clone())),
        Kind::Unknown(found) => Err(OpenError::FormatUnknown { path: layout.root.clone(), found }),
    }
}

/// Makes the folder ready for its index. Only for the holder of the lock.
fn prepare(layout: &Layout) -> Result<(), OpenError> {
    // Again, under the lock: another process may have made the store since.
    check_folder(layout)?;
    let ready = || {
        if layout.kind()? == Kind::Empty {
            layout.mark()?;
        }
        layout.prepare()
    };
    ready().map_err(|source| OpenError::Io { path: layout.root.clone(), source })
}

async fn lock_within(layout: &Layout, wait: Duration) -> Result<FolderLock, OpenError> {
    let started = Instant::now();
    loop {
        let attempt = FolderLock::attempt(&layout.lock());
        match attempt.map_err(|source| OpenError::Io { path: layout.lock(), source })? {
            Attempt::Held(lock) => return Ok(lock),
            Attempt::Busy(pid) if started.elapsed() >= wait => {
                return Err(OpenError::Busy { path: layout.root.clone(), pid });
            }
            Attempt::Busy(_) => tokio::time::sleep(RETRY.min(wait)).await,
        }
    }
}
