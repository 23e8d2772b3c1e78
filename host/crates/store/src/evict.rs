//! Keeping the store within a size: what nothing pins goes, least recently used first.
//!
//! Published blobs and receipts stay, and so does whatever somebody holds a [`Pin`](crate::Pin) of. Modules, inputs,
//! outputs and logs that receipts name may go: a receipt is worth as much without them, and whoever checks it fetches
//! them from somebody else who has them. Parts of blobs that nobody fetches any more go like whole ones.
//!
//! A blob leaves in an order that a crash cannot harm: first the marks of receipts on it, then its entry in the index,
//! then its file. What a crash leaves is a file without an entry, which counts, and goes at its turn.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use iroh_blobs::api::blobs::BlobStatus;
use samebit_spec::Hash;

use crate::books::{Usage, Why};
use crate::hashing::blocking;
use crate::{DatabaseError, Store, recent};

/// How long those who serve a blob get to stop.
const READERS_TIME: Duration = Duration::from_secs(2);

/// What an eviction came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Blobs that are gone.
    pub blobs: u64,
    /// How much room they took, in bytes.
    pub bytes: u64,
}

impl Store {
    /// Begins to keep account of what blobs take and when they are used, which [`Store::usage`] and [`Store::evict`]
    /// need. Reads the store's folders; call it before there is much to do.
    pub async fn keep_accounts(&self) -> Result<Usage, DatabaseError> {
        let published = self.published().await?.into_iter().map(|hash| (hash, Why::Published));
        let receipts = self.receipt_files().await?.into_iter().map(|hash| (hash, Why::Receipt));
        let kept = published.chain(receipts).collect();
        let layout = self.layout().clone();
        let scanned = blocking(move |_| {
            let uses = recent::load(&layout);
            let mut found = layout.scan()?;
            for (hash, held) in &mut found {
                held.used_ms = uses.get(hash).copied().unwrap_or(held.used_ms);
            }
            Ok::<_, io::Error>(found)
        });
        let found = scanned.await.flatten().map_err(DatabaseError::new)?;
        self.shelf().open_books(found, kept);
        Ok(self.usage())
    }

    /// How much room the store takes. Nothing, before [`Store::keep_accounts`].
    pub fn usage(&self) -> Usage {
        self.shelf().usage().unwrap_or_default()
    }

    /// True if this blob takes room, and an eviction may free it while nobody has a pin of it. False, before
    /// [`Store::keep_accounts`].
    pub fn may_evict(&self, hash: &Hash) -> bool {
        self.shelf().may_evict(hash)
    }

    /// Writes down when blobs were used last, for the next opening.
    pub async fn save_uses(&self) {
        let Some(uses) = self.shelf().uses() else { return };
        let layout = self.layout().clone();
        let saved = blocking(move |_| recent::save(&layout, &uses)).await.flatten();
        if let Err(error) = saved {
            tracing::debug!("when blobs were used last could not be written down: {error}");
        }
    }

    /// Removes what was used least recently, until the store takes at most so many bytes or everything left is held.
    ///
    /// Those who are being served a blob that goes are told by [`Reading::evicted`](crate::Reading::evicted); files that
    /// are open stay readable where the operating system allows it. This goes on if the future is dropped.
    pub async fn evict(&self, bytes_max: u64) -> Result<Evicted, DatabaseError> {
        if self.usage().used_bytes <= bytes_max {
            return Ok(Evicted::default());
        }
        let store = self.clone();
        let evicted = tokio::spawn(async move {
            // One at a time: a second one would find the victims of the first gone.
            let _alone = store.evicting().await;
            store.weigh_incomplete().await?;
            let before = store.usage().used_bytes;
            let victims = store.shelf().doom(bytes_max);
            let removed = store.remove(&victims).await;
            store.shelf().release(&victims);
            let bytes = before.saturating_sub(store.usage().used_bytes);
            Ok(Evicted { blobs: removed?, bytes })
        });
        evicted.await.map_err(DatabaseError::new)?
    }

    /// Looks again at what was incomplete: its last bytes may have come to the disk after whoever fetched it left.
    async fn weigh_incomplete(&self) -> Result<(), DatabaseError> {
        for hash in self.shelf().incomplete() {
            self.shelf().weigh(&hash);
            let status = self.index().status(*hash.as_bytes()).await.map_err(DatabaseError::new)?;
            if matches!(status, BlobStatus::Complete { .. }) {
                self.shelf().complete(&hash);
            }
        }
        Ok(())
    }

    /// Removes doomed blobs, apart from those that somebody does not stop reading.
    async fn remove(&self, doomed: &[Hash]) -> Result<u64, DatabaseError> {
        if doomed.is_empty() {
            return Ok(0);
        }
        let _ = tokio::time::timeout(READERS_TIME, self.shelf().until_unread(doomed)).await;
        let read: HashSet<_> = self.shelf().read(doomed).into_iter().collect();
        let victims: HashSet<_> = doomed.iter().filter(|hash| !read.contains(*hash)).copied().collect();
        self.untag(&victims).await?;
        let victims = self.sweep(victims).await?;
        let count = victims.len() as u64;
        let layout = self.layout().clone();
        let removed = blocking(move |_| {
            for path in victims.iter().flat_map(|hash| layout.parts(hash)) {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        tracing::warn!("{} could not be removed: {error}", path.display());
                    }
                    _ => {}
                }
            }
        });
        removed.await.map_err(DatabaseError::new)?;
        Ok(count)
    }

    /// Removes the marks that receipts put on these.
    async fn untag(&self, victims: &HashSet<Hash>) -> Result<(), DatabaseError> {
        let tags = self.blob_tags().await?;
        for (name, _) in tags.into_iter().filter(|(_, hash)| victims.contains(hash)) {
            self.index().tags().delete(name).await.map_err(DatabaseError::new)?;
        }
        Ok(())
    }

    /// Removes these from the index, and gives those that are not in it any more.
    async fn sweep(&self, victims: HashSet<Hash>) -> Result<Vec<Hash>, DatabaseError> {
        self.shelf().sweeping(true);
        let swept = async {
            let mut listed = self.index().blobs().list().stream().await.map_err(DatabaseError::new)?;
            let mut stay = Vec::new();
            while let Some(hash) = listed.next().await {
                let hash = hash.map_err(DatabaseError::new)?;
                if !victims.contains(&Hash::from_bytes(*hash.as_bytes())) {
                    stay.push(hash);
                }
            }
            self.sweeper().sweep(stay).await
        };
        let swept = swept.await;
        self.shelf().sweeping(false);
        swept?;
        let mut gone = Vec::new();
        for hash in victims {
            let status = self.index().status(*hash.as_bytes()).await.map_err(DatabaseError::new)?;
            if matches!(status, BlobStatus::NotFound) {
                gone.push(hash);
            }
        }
        Ok(gone)
    }
}
