//! What of the store is in use, what stays anyway, how many bytes each blob takes, and when it was used last.
//!
//! Bookkeeping under one lock that nobody holds across a wait. A blob that is pinned or kept is never doomed, and a
//! doomed one is not pinned before it is gone or spared: so whoever has a pin may rely on what the index says from then
//! on. Sizes and times are only kept once somebody asked for them by [`Shelf::open_books`]; a command that ends does not.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use iroh_blobs::api::TempTag;
use samebit_spec::Hash;
use tokio::sync::watch;

use crate::books::{Books, Held, Usage, Why};
use crate::layout::Layout;

/// The bookkeeping of one store.
#[derive(Debug)]
pub(crate) struct Shelf {
    layout: Arc<Layout>,
    state: Mutex<State>,
    /// Changes whenever a blob is doomed, spared or gone, or is no longer read while any is doomed.
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
    /// The latest weighing of each blob that is being weighed, by number.
    weighing: HashMap<Hash, u64>,
    weighing_next: u64,
}

impl Shelf {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        Self { layout, state: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Begins to keep account, with what was found on disk and what stays.
    pub(crate) fn open_books(&self, found: HashMap<Hash, Held>, kept: HashSet<(Hash, Why)>) {
        let mut state = self.lock();
        state.books = Some(Books::new(found, kept));
    }

    /// How much room is taken. `None` if no account is kept.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let state = self.lock();
        state.books.as_ref().map(Books::usage)
    }

    /// True if a blob takes room, and does not stay anyway.
    pub(crate) fn may_evict(&self, hash: &Hash) -> bool {
        let state = self.lock();
        state.books.as_ref().is_some_and(|books| books.may_evict(hash))
    }

    /// When everything was used last, if account is kept.
    pub(crate) fn uses(&self) -> Option<Vec<(Hash, u64)>> {
        let state = self.lock();
        state.books.as_ref().map(|books| books.held().map(|(hash, held)| (*hash, held.used_ms)).collect())
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

    /// Counts a pin off. What was written of the blob was written under pins, so it is weighed with the last of them, and
    /// with every one until all of it is here.
    pub(crate) fn count_off(&self, hash: &Hash, tag: Option<TempTag>) {
        let mut state = self.lock();
        let is_last = match state.pins.get_mut(hash) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => {
                state.pins.remove(hash);
                true
            }
        };
        state.touch(hash);
        let is_to_weigh = state.books.as_ref().is_some_and(|books| is_last || !books.is_whole(hash));
        let dropped = if state.sweeping {
            state.parked.extend(tag);
            None
        } else {
            tag
        };
        drop(state);
        drop(dropped);
        if is_to_weigh {
            self.weigh(hash);
        }
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
        // Nobody waits for readers of anything else.
        let is_awaited = !state.doomed.is_empty();
        drop(state);
        if is_awaited {
            self.changed.send_replace(());
        }
    }

    /// Tells of what comes to be doomed, spared or gone from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// True if one of these is doomed.
    pub(crate) fn is_doomed(&self, hashes: &[Hash]) -> bool {
        let state = self.lock();
        hashes.iter().any(|hash| state.doomed.contains(hash))
    }

    /// Returns once nobody reads any of these, which are doomed.
    pub(crate) async fn until_unread(&self, hashes: &[Hash]) {
        self.until(|state| !hashes.iter().any(|hash| state.readers.contains_key(hash))).await;
    }

    /// Notes that a blob was used.
    pub(crate) fn touch(&self, hash: &Hash) {
        self.lock().touch(hash);
    }

    /// Notes that a blob stays for a reason, or does not any more.
    pub(crate) fn keep(&self, hash: &Hash, why: Why, stays: bool) {
        let mut state = self.lock();
        if let Some(books) = &mut state.books {
            books.keep(hash, why, stays);
        }
    }

    /// Looks again how much room a blob takes. Of several at once, the one that looked last is believed.
    pub(crate) fn weigh(&self, hash: &Hash) {
        let Some(number) = self.lock().begin_weighing(hash) else { return };
        let (bytes, incomplete) = self.layout.weigh(hash);
        self.lock().end_weighing(hash, number, bytes, incomplete);
    }

    /// All that looked incomplete when it was weighed.
    pub(crate) fn incomplete(&self) -> Vec<Hash> {
        let state = self.lock();
        let held = state.books.iter().flat_map(Books::held);
        held.filter(|(_, held)| held.incomplete).map(|(hash, _)| *hash).collect()
    }

    /// Notes that a blob is complete, whatever its files look like for another moment.
    pub(crate) fn complete(&self, hash: &Hash) {
        let mut state = self.lock();
        if let Some(books) = &mut state.books {
            books.complete(hash);
        }
    }

    /// Dooms those that were used least recently, until the rest would take at most so many bytes.
    pub(crate) fn doom(&self, bytes_max: u64) -> Vec<Hash> {
        let mut state = self.lock();
        let State { pins, books: Some(books), .. } = &*state else { return Vec::new() };
        let victims = books.least_recent(bytes_max, |hash| pins.contains_key(hash));
        state.doomed.extend(&victims);
        drop(state);
        if !victims.is_empty() {
            self.changed.send_replace(());
        }
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
    /// `None` if no account is kept.
    fn begin_weighing(&mut self, hash: &Hash) -> Option<u64> {
        self.books.as_ref()?;
        self.weighing_next += 1;
        self.weighing.insert(*hash, self.weighing_next);
        Some(self.weighing_next)
    }

    /// Notes what was found, unless somebody began to look after that: what they find is newer, whoever is done first.
    fn end_weighing(&mut self, hash: &Hash, number: u64, bytes: u64, incomplete: bool) {
        if self.weighing.get(hash) != Some(&number) {
            return;
        }
        self.weighing.remove(hash);
        if let Some(books) = &mut self.books {
            books.weigh(*hash, bytes, incomplete);
        }
    }

    fn touch(&mut self, hash: &Hash) {
        if let Some(books) = &mut self.books {
            books.touch(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State { books: Some(Books::default()), ..State::default() }
    }

    fn used_bytes(state: &State) -> u64 {
        state.books.as_ref().map_or(0, |books| books.usage().used_bytes)
    }

    #[test]
    fn what_was_seen_before_is_not_written_over_what_was_seen_after() {
        let (mut state, hash) = (state(), Hash::of(b"a blob"));
        let [early, late] = [0; 2].map(|_| state.begin_weighing(&hash).expect("account is kept"));
        state.end_weighing(&hash, late, 7, false);
        state.end_weighing(&hash, early, 3, true);
        assert_eq!(used_bytes(&state), 7);
        let [early, late] = [0; 2].map(|_| state.begin_weighing(&hash).expect("account is kept"));
        state.end_weighing(&hash, early, 3, true);
        state.end_weighing(&hash, late, 9, false);
        assert_eq!(used_bytes(&state), 9);
        assert!(state.weighing.is_empty());
    }
}
