//! Holding on to blobs: against eviction, and while they are served.

use std::sync::Arc;

use iroh_blobs::HashAndFormat;
use iroh_blobs::api::TempTag;
use samebit_spec::Hash;
use tokio::sync::watch;

use crate::shelf::Shelf;
use crate::{DatabaseError, Store};

/// Keeps a blob in the store until it is dropped.
///
/// Whoever makes a blob durable with [`Store::keep`] drops its pin after that, not before. What the store has of a blob
/// that is pinned, it has until the pin is dropped; so whoever asks whether a blob is there asks after pinning it.
#[derive(Debug)]
#[must_use = "a blob that is neither pinned nor kept may be removed"]
pub struct Pin {
    hash: Hash,
    shelf: Arc<Shelf>,
    tag: Option<TempTag>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.shelf.count_off(&self.hash, self.tag.take());
    }
}

/// Somebody else is being served blobs, which may be evicted meanwhile.
#[derive(Debug)]
pub struct Reading {
    hashes: Vec<Hash>,
    shelf: Arc<Shelf>,
    /// Changes with what is doomed. Seen as it was when nothing of this was.
    changed: watch::Receiver<()>,
}

impl Reading {
    /// Returns once one of the blobs is to go. Whoever serves it then stops, and drops this.
    pub async fn evicted(&mut self) {
        while !self.is_evicted() {
            // The shelf is here, and so is the sender.
            let _ = self.changed.changed().await;
            self.changed.mark_changed();
        }
    }

    /// True once one of the blobs is to go. Locks nothing while no blob of the store is.
    pub fn is_evicted(&mut self) -> bool {
        if !self.changed.has_changed().unwrap_or(true) {
            return false;
        }
        self.changed.mark_unchanged();
        let is_doomed = self.shelf.is_doomed(&self.hashes);
        if is_doomed {
            // So it stays, for whoever asks again.
            self.changed.mark_changed();
        }
        is_doomed
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shelf.count_reader_off(&self.hashes);
    }
}

impl Store {
    /// Keeps a blob, here or on its way, until the pin is dropped.
    pub async fn pin(&self, hash: &Hash) -> Result<Pin, DatabaseError> {
        let shelf = self.shelf();
        shelf.count_pin(hash).await;
        // Counted off again if what follows fails or is given up.
        let mut pin = Pin { hash: *hash, shelf: shelf.clone(), tag: None };
        let content = HashAndFormat::raw((*hash.as_bytes()).into());
        pin.tag = Some(self.index().tags().temp_tag(content).await.map_err(DatabaseError::new)?);
        Ok(pin)
    }

    /// Notes that blobs are served to somebody else, which counts as a use and does not keep them. `None` if one is just
    /// being evicted.
    pub fn reading(&self, hashes: Vec<Hash>) -> Option<Reading> {
        let shelf = self.shelf().clone();
        // Before they are looked at: what is doomed from then on is a change.
        let changed = shelf.changes();
        shelf.count_reader(&hashes).then_some(()).map(|()| Reading { hashes, shelf, changed })
    }
}
