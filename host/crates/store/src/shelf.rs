//! What of the store is in use, what stays anyway, how many bytes each blob takes, and when it was used last.
//!
//! Pure bookkeeping under one lock that nobody holds across a wait. A blob that is pinned or kept is never doomed, and a
//! doomed one is not pinned before it is gone or spared: so whoever has a pin may rely on what the index says from then
//! on. Sizes and times are only kept once somebody asked for them by [`Shelf::open_books`]; a command that ends does not.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use iroh_blobs::api::TempTag;
use samebit_spec::Hash;
use tokio::sync::watch;

use crate::layout::Layout;

/// How long an incomplete blob is left alone after its last use: what was given up may still be on its way to the disk.
const SETTLING_MS: u64 = 2_000;

/// The bookkeeping of one store.
#[derive(Debug)]
pub(crate) struct Shelf {
    layout: Arc<Layout>,
    state: Mutex<State>,
    /// Changes whenever a blob is doomed, spared, gone or no longer read.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    pins: HashMap<Hash, usize>,
    readers: HashMap<Hash, usize>,
    doomed: HashSet<Hash>,
    /// True while iroh-blobs sweeps: then nothing of its own marks is dropped.
    sweeping: bool,
    parked: Vec<TempTag>,
    books: Option<Books>,
}

#[derive(Debug, Default)]
struct Books {
    held: HashMap<Hash, Held>,
    kept: HashSet<Hash>,
    used_bytes: u64,
    kept_bytes: u64,
    now_ms: u64,
}

/// A blob that takes room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// What its files take, in bytes.
    pub(crate) bytes: u64,
    /// True if only a part of it is here.
    pub(crate) incomplete: bool,
    /// When it was used last, in milliseconds since 1970-01-01 UTC.
    pub(crate) used_ms: u64,
}

/// How much room a store takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All blobs with their hash trees, complete or not, in bytes. Files that are only referred to count for nothing.
    pub used_bytes: u64,
    /// Those of them that no eviction takes: published blobs and receipts.
    pub kept_bytes: u64,
}

impl Shelf {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        Self { layout, state: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Begins to keep account, with what was found on disk and what stays.
    pub(crate) fn open_books(&self, found: HashMap<Hash, Held>, kept: HashSet<Hash>) {
        let mut state = self.lock();
        let mut books = Books { kept, ..Books::default() };
        for (hash, held) in found {
            books.now_ms = books.now_ms.max(held.used_ms);
            books.set(hash, held);
        }
        state.books = Some(books);
    }

    /// How much room is taken. `None` if no account is kept.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let state = self.lock();
        state.books.as_ref().map(|books| Usage { used_bytes: books.used_bytes, kept_bytes: books.kept_bytes })
    }

    /// When everything was used last, if account is kept.
    pub(crate) fn uses(&self) -> Option<Vec<(Hash, u64)>> {
        let state = self.lock();
        state.books.as_ref().map(|books| books.held.iter().map(|(hash, held)| (*hash, held.used_ms)).collect())
    }

    /// Counts a pin, once the blob is not doomed any more.
    pub(crate) async fn count_pin(&self, hash: &Hash) {
        self.until(|state| {
            if state.doomed.contains(hash) {
                return false;
            }
            *state.pins.entry(*hash).or_default() += 1;
            state.touch(hash);
            true
        })
        .await;
    }

    /// Counts a pin off. What was written of the blob was written under it, so it is weighed now.
    pub(crate) fn count_off(&self, hash: &Hash, tag: Option<TempTag>) {
        self.weigh(hash);
        let mut state = self.lock();
        match state.pins.get_mut(hash) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(state.pins.remove(hash)),
        }
        state.touch(hash);
        let dropped = if state.sweeping {
            state.parked.extend(tag);
            None
        } else {
            tag
        };
        drop(state);
        drop(dropped);
    }

    /// Counts a reader of these, unless one of them is just going.
    pub(crate) fn count_reader(&self, hashes: &[Hash]) -> bool {
        let mut state = self.lock();
        if hashes.iter().any(|hash| state.doomed.contains(hash)) {
            return false;
        }
        for hash in hashes {
            *state.readers.entry(*hash).or_default() += 1;
            state.touch(hash);
        }
        true
    }

    /// Counts a reader off.
    pub(crate) fn count_reader_off(&self, hashes: &[Hash]) {
        let mut state = self.lock();
        for hash in hashes {
            match state.readers.get_mut(hash) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(state.readers.remove(hash)),
            }
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Returns once one of these is doomed.
    pub(crate) async fn until_doomed(&self, hashes: &[Hash]) {
        self.until(|state| hashes.iter().any(|hash| state.doomed.contains(hash))).await;
    }

    /// Returns once nobody reads any of these.
    pub(crate) async fn until_unread(&self, hashes: &[Hash]) {
        self.until(|state| !hashes.iter().any(|hash| state.readers.contains_key(hash))).await;
    }

    /// Notes that a blob was used.
    pub(crate) fn touch(&self, hash: &Hash) {
        self.lock().touch(hash);
    }

    /// Notes that a blob stays, or does not any more.
    pub(crate) fn keep(&self, hash: &Hash, stays: bool) {
        let mut state = self.lock();
        let Some(books) = &mut state.books else { return };
        let changed = if stays { books.kept.insert(*hash) } else { books.kept.remove(hash) };
        let bytes = books.held.get(hash).map_or(0, |held| held.bytes);
        match (changed, stays) {
            (true, true) => books.kept_bytes += bytes,
            (true, false) => books.kept_bytes -= bytes,
            (false, _) => {}
        }
    }

    /// Looks again how much room a blob takes.
    pub(crate) fn weigh(&self, hash: &Hash) {
        if self.lock().books.is_none() {
            return;
        }
        let (bytes, incomplete) = self.layout.weigh(hash);
        let mut state = self.lock();
        let Some(books) = &mut state.books else { return };
        let used_ms = books.held.get(hash).map_or_else(unix_ms, |held| held.used_ms);
        books.set(*hash, Held { bytes, incomplete, used_ms });
    }

    /// Looks again at all that was incomplete: its last bytes may have come to the disk after whoever fetched it left.
    pub(crate) fn weigh_incomplete(&self) {
        let incomplete: Vec<_> = match &self.lock().books {
            Some(books) => books.held.iter().filter(|(_, held)| held.incomplete).map(|(hash, _)| *hash).collect(),
            None => return,
        };
        incomplete.iter().for_each(|hash| self.weigh(hash));
    }

    /// Dooms those that were used least recently, until the rest would take at most so many bytes.
    pub(crate) fn doom(&self, bytes_max: u64) -> Vec<Hash> {
        let mut state = self.lock();
        let State { pins, books: Some(books), .. } = &*state else { return Vec::new() };
        let settled = unix_ms().saturating_sub(SETTLING_MS);
        let may_go = |(hash, held): &(&Hash, &Held)| {
            !pins.contains_key(*hash) && !books.kept.contains(*hash) && (!held.incomplete || held.used_ms <= settled)
        };
        let mut candidates: Vec<_> = books.held.iter().filter(may_go).map(|(hash, held)| (*hash, *held)).collect();
        candidates.sort_unstable_by_key(|(hash, held)| (held.used_ms, *hash));
        let mut rest = books.used_bytes;
        let victims = candidates.into_iter().take_while(|(_, held)| {
            let goes = rest > bytes_max;
            rest -= if goes { held.bytes } else { 0 };
            goes
        });
        let victims: Vec<_> = victims.map(|(hash, _)| hash).collect();
        state.doomed.extend(&victims);
        drop(state);
        self.changed.send_replace(());
        victims
    }

    /// Ends the doom of these, whether they are gone or not. What they take is looked at again.
    pub(crate) fn release(&self, hashes: &[Hash]) {
        hashes.iter().for_each(|hash| self.weigh(hash));
        let mut state = self.lock();
        for hash in hashes {
            state.doomed.remove(hash);
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Those of these that somebody still reads.
    pub(crate) fn read(&self, hashes: &[Hash]) -> Vec<Hash> {
        let state = self.lock();
        hashes.iter().filter(|hash| state.readers.contains_key(*hash)).copied().collect()
    }

    /// Notes that iroh-blobs begins or ends to sweep.
    pub(crate) fn sweeping(&self, sweeps: bool) {
        let parked = {
            let mut state = self.lock();
            state.sweeping = sweeps;
            if sweeps { Vec::new() } else { std::mem::take(&mut state.parked) }
        };
        drop(parked);
    }

    /// Returns once something is done, trying whenever something has changed.
    async fn until(&self, mut done: impl FnMut(&mut State) -> bool) {
        let mut changed = self.changed.subscribe();
        while !done(&mut self.lock()) {
            // The sender is ours: it cannot be gone.
            let _ = changed.changed().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn touch(&mut self, hash: &Hash) {
        if let Some(books) = &mut self.books {
            // Later than everything before, so that the order is that of uses whatever the clock does.
            books.now_ms = unix_ms().max(books.now_ms + 1);
            if let Some(held) = books.held.get_mut(hash) {
                held.used_ms = books.now_ms;
            }
        }
    }
}

impl Books {
    /// Notes what a blob takes. One that takes nothing is not there.
    fn set(&mut self, hash: Hash, held: Held) {
        let before = if held.bytes > 0 { self.held.insert(hash, held) } else { self.held.remove(&hash) };
        let before = before.map_or(0, |held| held.bytes);
        self.used_bytes = self.used_bytes + held.bytes - before;
        if self.kept.contains(&hash) {
            self.kept_bytes = self.kept_bytes + held.bytes - before;
        }
    }
}

fn unix_ms() -> u64 {
    let since: Duration = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
