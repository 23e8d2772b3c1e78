//! What each blob of a store takes, what stays, and when everything was used last. Pure bookkeeping, apart from the clock.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use samebit_spec::Hash;

/// How long an incomplete blob is left alone after its last use: what was given up may still be on its way to the disk.
const SETTLING_MS: u64 = 2_000;

/// The accounts of one store.
#[derive(Debug, Default)]
pub(crate) struct Books {
    held: HashMap<Hash, Held>,
    kept: HashSet<(Hash, Why)>,
    used_bytes: u64,
    kept_bytes: u64,
    now_ms: u64,
    turns: u64,
}

/// Why a blob stays. One may stay for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    /// It was published.
    Published,
    /// It is a kept receipt.
    Receipt,
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
    /// Which of those that were used in the same millisecond was last.
    pub(crate) turn: u64,
}

/// How much room a store takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All blobs with their hash trees, complete or not, in bytes. Files that are only referred to count for nothing.
    pub used_bytes: u64,
    /// Those of them that no eviction takes: published blobs and receipts.
    pub kept_bytes: u64,
}

impl Books {
    /// With what was found on disk, and what stays.
    pub(crate) fn new(found: HashMap<Hash, Held>, kept: HashSet<(Hash, Why)>) -> Self {
        let mut books = Self { kept, ..Self::default() };
        let now_ms = unix_ms();
        for (hash, mut held) in found {
            // A file may say anything, and a time to come would stay the latest for ever.
            held.used_ms = held.used_ms.min(now_ms);
            books.now_ms = books.now_ms.max(held.used_ms);
            books.set(hash, held);
        }
        books
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage { used_bytes: self.used_bytes, kept_bytes: self.kept_bytes }
    }

    /// True if a blob takes room, and does not stay anyway.
    pub(crate) fn may_evict(&self, hash: &Hash) -> bool {
        self.held.contains_key(hash) && !self.is_kept(hash)
    }

    /// All blobs that take room.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&Hash, &Held)> {
        self.held.iter()
    }

    /// Notes a use, later than everything before: the order is that of uses, whatever the clock does.
    pub(crate) fn touch(&mut self, hash: &Hash) {
        self.now_ms = self.now_ms.max(unix_ms());
        self.turns += 1;
        if let Some(held) = self.held.get_mut(hash) {
            (held.used_ms, held.turn) = (self.now_ms, self.turns);
        }
    }

    /// Notes what a blob takes. To come is a use.
    pub(crate) fn weigh(&mut self, hash: Hash, bytes: u64, incomplete: bool) {
        let known = self.held.get(&hash).copied();
        self.set(hash, Held { bytes, incomplete, ..known.unwrap_or_default() });
        if known.is_none() {
            self.touch(&hash);
        }
    }

    /// True if all of a blob was here when it was weighed, so that it cannot have grown.
    pub(crate) fn is_whole(&self, hash: &Hash) -> bool {
        self.held.get(hash).is_some_and(|held| !held.incomplete)
    }

    /// Notes that a blob is complete.
    pub(crate) fn complete(&mut self, hash: &Hash) {
        if let Some(held) = self.held.get_mut(hash) {
            held.incomplete = false;
        }
    }

    /// Notes that a blob stays for a reason, or does not any more.
    pub(crate) fn keep(&mut self, hash: &Hash, why: Why, stays: bool) {
        let before = self.is_kept(hash);
        if stays {
            self.kept.insert((*hash, why))
        } else {
            self.kept.remove(&(*hash, why))
        };
        let bytes = self.held.get(hash).map_or(0, |held| held.bytes);
        match (before, self.is_kept(hash)) {
            (false, true) => self.kept_bytes += bytes,
            (true, false) => self.kept_bytes -= bytes,
            _ => {}
        }
    }

    fn is_kept(&self, hash: &Hash) -> bool {
        [Why::Published, Why::Receipt].iter().any(|why| self.kept.contains(&(*hash, *why)))
    }

    /// Those that were used least recently and may go, until the rest would take at most so many bytes.
    pub(crate) fn least_recent(&self, bytes_max: u64, is_pinned: impl Fn(&Hash) -> bool) -> Vec<Hash> {
        let settled = unix_ms().saturating_sub(SETTLING_MS);
        let may_go = |(hash, held): &(&Hash, &Held)| {
            !is_pinned(hash) && !self.is_kept(hash) && (!held.incomplete || held.used_ms <= settled)
        };
        let mut candidates: Vec<_> = self.held().filter(may_go).map(|(hash, held)| (*hash, *held)).collect();
        candidates.sort_unstable_by_key(|(hash, held)| (held.used_ms, held.turn, *hash));
        let mut rest = self.used_bytes;
        let goes = |(_, held): &(Hash, Held)| {
            let goes = rest > bytes_max;
            rest -= if goes { held.bytes } else { 0 };
            goes
        };
        candidates.into_iter().take_while(goes).map(|(hash, _)| hash).collect()
    }

    /// Notes what a blob takes. One that takes nothing is not there.
    fn set(&mut self, hash: Hash, held: Held) {
        let before = if held.bytes > 0 { self.held.insert(hash, held) } else { self.held.remove(&hash) };
        let before = before.map_or(0, |held| held.bytes);
        self.used_bytes = self.used_bytes + held.bytes - before;
        if self.is_kept(&hash) {
            self.kept_bytes = self.kept_bytes + held.bytes - before;
        }
    }
}

fn unix_ms() -> u64 {
    let since: Duration = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reason_to_stay_does_not_end_with_another() {
        let (mut books, hash) = (Books::default(), Hash::of(b"a receipt"));
        books.weigh(hash, 10, false);
        let kept = |books: &Books| (books.usage().kept_bytes, books.least_recent(0, |_| false).len());
        assert_eq!(kept(&books), (0, 1));
        books.keep(&hash, Why::Receipt, true);
        books.keep(&hash, Why::Published, true);
        assert_eq!(kept(&books), (10, 0));
        books.keep(&hash, Why::Published, false);
        books.keep(&hash, Why::Published, false);
        assert_eq!(kept(&books), (10, 0));
        books.keep(&hash, Why::Receipt, false);
        assert_eq!(kept(&books), (0, 1));
    }
}
