//! How much room there is for what jobs bring and write, and how it is made.
//!
//! Two bounds: what the store's blobs may take, which is kept by evicting what nothing holds, and what stays free of the
//! disk. Work is refused that could not fit whatever is evicted, before anything is fetched for it. Without a quota
//! nothing is ever evicted. State, receipts in the chain and compiled modules are not blobs, and are not counted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use samebit_net::message::Refusal;
use samebit_runner::store::{Store, Usage};

use super::metrics::Metrics;
use super::policy::rule;

/// How much more than is needed an eviction frees, as a share of the quota, so that not every job has to evict.
const SPARE_SHARE: u64 = 16;
/// What a blob's hash tree adds to it: 64 bytes for every 16 KiB.
const TREE_SHARE: u64 = 256;

/// The room of one host.
pub(crate) struct Room {
    store: Store,
    path: PathBuf,
    bounds: Bounds,
    /// What was made room for and has not come yet.
    promised: Arc<Promised>,
    /// True if the last eviction failed.
    stuck: AtomicBool,
    metrics: Arc<Metrics>,
}

/// What is bounded.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    /// What blobs may take, in bytes.
    pub(crate) quota_bytes: Option<u64>,
    /// What stays free of the disk, in bytes.
    pub(crate) free_bytes_min: u64,
}

/// What the disk has to hold for jobs, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Blobs that are here and may not go before the jobs have ended.
    pub(crate) here_bytes: u64,
    /// Blobs that are to come.
    pub(crate) coming_bytes: u64,
    /// What may be written.
    pub(crate) output_bytes: u64,
}

/// Where a blob is, for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not here.
    Coming,
    /// Here, and evicted once nobody needs it.
    Here,
    /// Here, and not evicted in any case: it was published, or is somebody's file.
    Stays,
}

/// Room that was made for something, until this is dropped.
pub(crate) struct Promise {
    all: Arc<Promised>,
    bytes: u64,
    unwritten_bytes: AtomicU64,
}

/// What was made room for, in bytes.
#[derive(Default)]
struct Promised {
    /// What is not in the store's accounts yet: they note a blob once it is whole or given up.
    bytes: AtomicU64,
    /// What is not on the disk yet, which notices each byte.
    unwritten_bytes: AtomicU64,
}

impl Promise {
    /// Notes that so much more of it is on the disk.
    pub(crate) fn wrote(&self, bytes: u64) {
        let taken = self
            .unwritten_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)));
        let (Ok(left) | Err(left)) = taken;
        self.all.unwritten_bytes.fetch_sub(bytes.min(left), Ordering::Relaxed);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.wrote(u64::MAX);
        self.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Room {
    /// The room of a store, which keeps accounts, in a folder.
    pub(crate) fn new(store: Store, path: &Path, bounds: Bounds, metrics: Arc<Metrics>) -> Self {
        let (promised, stuck) = Default::default();
        Self { store, path: path.to_owned(), bounds, promised, stuck, metrics }
    }

    /// What blobs take, and may take.
    pub(crate) fn usage(&self) -> (Usage, Option<u64>) {
        (self.store.usage(), self.bounds.quota_bytes)
    }

    /// Refuses work that could not be done, if all that may go were evicted.
    pub(crate) fn check(&self, needs: &Needs) -> Result<(), Refusal> {
        let Bounds { quota_bytes, free_bytes_min } = self.bounds;
        let Usage { used_bytes, kept_bytes } = self.store.usage();
        let more = needs.coming_bytes.saturating_add(needs.output_bytes);
        let wanted = needs.here_bytes.saturating_add(more);
        if let Some(quota) = quota_bytes.filter(|quota| *quota < kept_bytes.saturating_add(wanted)) {
            let text = format!(
                "this host keeps at most {quota} bytes of blobs: {kept_bytes} of them stay, and this job with those before \
                 it may take {wanted}; lower its limit on outputs, or submit elsewhere"
            );
            return Err(Refusal::new(rule::HOST_DISK_QUOTA, text));
        }
        if quota_bytes.is_some_and(|quota| quota < used_bytes) && self.stuck.load(Ordering::Relaxed) {
            let text = "this host can make no room in its store: its operator has to look; submit elsewhere";
            return Err(Refusal::new(rule::HOST_DISK_QUOTA, text));
        }
        let may_go = quota_bytes.map_or(0, |_| used_bytes.saturating_sub(kept_bytes).saturating_sub(needs.here_bytes));
        match self.free().map(|free| (free, free.saturating_add(may_go))) {
            Some((free, room)) if room < free_bytes_min.saturating_add(more) => Err(Refusal::new(
                rule::HOST_DISK_FREE,
                format!(
                    "this host's disk is too full: {free} bytes are free, {free_bytes_min} stay so, and this job with \
                     those before it may take {more} more; lower its limit on outputs, or submit elsewhere"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Makes room for so many bytes by evicting, if there is a quota and less is left. What was taken on is done even if
    /// there is not enough.
    pub(crate) async fn make(&self, bytes: u64) -> Promise {
        let bytes = bytes.saturating_add(bytes / TREE_SHARE);
        let Promised { bytes: promised, unwritten_bytes: unwritten } = &*self.promised;
        let promised = promised.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let unwritten = unwritten.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let promise = Promise { all: self.promised.clone(), bytes, unwritten_bytes: AtomicU64::new(bytes) };
        let Some(quota) = self.bounds.quota_bytes else { return promise };
        let used = self.store.usage().used_bytes;
        let short =
            self.free().map_or(0, |free| self.bounds.free_bytes_min.saturating_add(unwritten).saturating_sub(free));
        let most = quota.saturating_sub(promised).min(used.saturating_sub(short));
        if used > most {
            self.evict(most.saturating_sub(quota / SPARE_SHARE)).await;
        }
        promise
    }

    async fn evict(&self, bytes_max: u64) {
        let evicted = self.store.evict(bytes_max).await;
        self.stuck.store(evicted.is_err(), Ordering::Relaxed);
        match evicted {
            Ok(evicted) => {
                self.metrics.evicted(evicted.blobs, evicted.bytes);
                tracing::info!(blobs = evicted.blobs, bytes = evicted.bytes, "evicted");
                self.store.save_uses().await;
            }
            Err(error) => tracing::warn!("nothing could be evicted: {error}"),
        }
    }

    /// What is free of the disk, if that can be told.
    fn free(&self) -> Option<u64> {
        free_bytes(&self.path).unwrap_or_else(|error| {
            tracing::warn!("how much of the disk is free cannot be told: {error}");
            None
        })
    }
}

/// Bytes that this user can still write where `path` is. `None` where that cannot be told.
#[cfg(unix)]
fn free_bytes(path: &Path) -> io::Result<Option<u64>> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(Some(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Bytes that this user can still write where `path` is. `None` where that cannot be told.
#[cfg(not(unix))]
fn free_bytes(_path: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A store with two blobs, one of them published, and what each takes.
    async fn store(folder: &Path) -> (Store, u64) {
        let store = Store::open(&folder.join("store"), Duration::ZERO).await.expect("a store");
        store.keep_accounts().await.expect("accounts");
        let (kept, _pin) = store.import_bytes(vec![1; 100_000].into()).await.expect("imported");
        store.publish(&kept.hash).await.expect("published");
        drop(store.import_bytes(vec![2; 100_000].into()).await.expect("imported"));
        let used = store.usage().used_bytes;
        (store, used / 2)
    }

    fn refused(room: &Room, output_bytes: u64) -> Option<String> {
        room.check(&Needs { output_bytes, ..Needs::default() }).err().map(|refusal| refusal.rule.to_string())
    }

    #[tokio::test]
    async fn what_could_not_fit_is_refused_and_room_is_made_for_what_can() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, each) = store(folder.path()).await;
        let metrics = Arc::new(Metrics::default());
        let room = |quota_bytes, free_bytes_min| {
            Room::new(store.clone(), folder.path(), Bounds { quota_bytes, free_bytes_min }, metrics.clone())
        };
        let quota = Some(2 * each + 1_000);
        assert_eq!(refused(&room(None, 0), 1_000), None);
        assert_eq!(refused(&room(quota, 0), each + 1_000), None, "the other one may go");
        assert_eq!(refused(&room(quota, 0), each + 1_001).as_deref(), Some("host.disk-quota"));
        assert_eq!(refused(&room(None, u64::MAX), 0).as_deref(), Some("host.disk-free"));
        drop(room(None, u64::MAX).make(u64::MAX).await);
        assert_eq!(store.usage().used_bytes, 2 * each, "without a quota nothing goes");
        let room = room(quota, 0);
        let promise = room.make(500).await;
        assert_eq!(store.usage().used_bytes, 2 * each, "there is room");
        let second = room.make(600).await;
        assert_eq!(store.usage().used_bytes, each, "not for both");
        let left = || {
            let Promised { bytes, unwritten_bytes } = &*room.promised;
            (bytes.load(Ordering::Relaxed), unwritten_bytes.load(Ordering::Relaxed))
        };
        second.wrote(100);
        assert_eq!(left(), (501 + 602, 501 + 502), "on the disk, and not in the accounts");
        second.wrote(u64::MAX);
        drop((promise, second));
        assert_eq!(left(), (0, 0));
        store.close().await.expect("closed");
    }

    #[tokio::test]
    async fn a_full_disk_makes_room_too_if_there_is_a_quota() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, each) = store(folder.path()).await;
        let bounds = Bounds { quota_bytes: Some(1 << 40), free_bytes_min: u64::MAX / 2 };
        let room = Room::new(store.clone(), folder.path(), bounds, Arc::default());
        assert_eq!(refused(&room, 0).as_deref(), Some("host.disk-free"));
        drop(room.make(0).await);
        assert_eq!(store.usage().used_bytes, each);
        store.close().await.expect("closed");
    }
}
