//! Which parts of a session's memory are in use.
//!
//! Calls are resolved to addresses when they are queued, and take effect in that order. So what is freed can be given out
//! again at once: what used it before is done before what uses it next begins.
//!
//! Memory comes from the system as zeros. What is given out a second time has to be cleared, and [`Allocator::allocate`]
//! says how much of it that is.

use std::collections::{BTreeMap, BTreeSet};

/// A range of a session's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where it begins, in bytes.
    pub(crate) address: u64,
    /// How long it is, in bytes.
    pub(crate) bytes: u64,
}

impl Span {
    /// Where it ends, in bytes.
    pub(crate) fn end(self) -> u64 {
        self.address + self.bytes
    }
}

/// What is given out starts at a multiple of this: what WebGPU demands of a binding's offset, so that every binding does
/// too.
const ALIGNMENT_BYTES: u64 = 256;

/// The free ranges below [`Self::end`], and how much is given out.
#[derive(Debug)]
pub(crate) struct Allocator {
    /// Free ranges by address, none next to another.
    free: BTreeMap<u64, u64>,
    /// The same by size.
    by_size: BTreeSet<(u64, u64)>,
    /// Where nothing has ever been given out.
    end: u64,
    /// Where nothing can be given out.
    limit: u64,
}

/// Memory given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allocation {
    /// Where it is.
    pub(crate) span: Span,
    /// How many bytes, from its beginning, may hold what was there before.
    pub(crate) dirty_bytes: u64,
}

impl Allocator {
    /// Gives out memory between two addresses.
    pub(crate) fn new(start: u64, limit: u64) -> Self {
        Self { free: BTreeMap::new(), by_size: BTreeSet::new(), end: start.next_multiple_of(ALIGNMENT_BYTES), limit }
    }

    /// Where nothing has ever been given out.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// What a size is rounded up to.
    pub(crate) fn rounded(bytes: u64) -> u64 {
        bytes.next_multiple_of(ALIGNMENT_BYTES)
    }

    /// Takes the smallest free range that is large enough, or untouched memory, or nothing if there is not enough.
    pub(crate) fn allocate(&mut self, bytes: u64) -> Option<Allocation> {
        let bytes = Self::rounded(bytes);
        if let Some(&(size, address)) = self.by_size.range((bytes, 0)..).next() {
            self.remove(address, size);
            if size > bytes {
                self.insert(address + bytes, size - bytes);
            }
            return Some(Allocation { span: Span { address, bytes }, dirty_bytes: bytes });
        }
        // A free range at the very end counts as the beginning of what is needed.
        let last = self.free.last_key_value().map(|(address, size)| (*address, *size));
        let last = last.filter(|(address, size)| address + size == self.end);
        let address = last.map_or(self.end, |(address, _)| address);
        let end = address.checked_add(bytes).filter(|end| *end <= self.limit)?;
        if let Some((address, size)) = last {
            self.remove(address, size);
        }
        let dirty_bytes = self.end - address;
        self.end = end;
        Some(Allocation { span: Span { address, bytes }, dirty_bytes })
    }

    /// Takes back what was given out.
    pub(crate) fn free(&mut self, span: Span) {
        let Span { mut address, mut bytes } = span;
        if let Some((&before, &size)) = self.free.range(..address).next_back()
            && before + size == address
        {
            self.remove(before, size);
            address = before;
            bytes += size;
        }
        if let Some(&size) = self.free.get(&(address + bytes)) {
            self.remove(address + bytes, size);
            bytes += size;
        }
        self.insert(address, bytes);
    }

    fn insert(&mut self, address: u64, size: u64) {
        self.free.insert(address, size);
        self.by_size.insert((size, address));
    }

    fn remove(&mut self, address: u64, size: u64) {
        self.free.remove(&address);
        self.by_size.remove(&(size, address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allocator() -> Allocator {
        Allocator::new(100, 256 * 100)
    }

    #[test]
    fn what_is_given_out_is_aligned_and_apart() {
        let mut allocator = allocator();
        let first = allocator.allocate(4).expect("there is room");
        let second = allocator.allocate(257).expect("there is room");
        assert_eq!(first, Allocation { span: Span { address: 256, bytes: 256 }, dirty_bytes: 0 });
        assert_eq!(second, Allocation { span: Span { address: 512, bytes: 512 }, dirty_bytes: 0 });
        assert_eq!(allocator.end(), 1024);
    }

    #[test]
    fn neighbors_that_are_free_become_one() {
        let mut allocator = allocator();
        let spans: Vec<_> = (0..6).map(|_| allocator.allocate(256).expect("there is room").span).collect();
        for at in [1, 3, 2] {
            allocator.free(spans[at]);
        }
        let again = allocator.allocate(3 * 256).expect("there is room");
        assert_eq!(again, Allocation { span: Span { address: spans[1].address, bytes: 768 }, dirty_bytes: 768 });
    }

    #[test]
    fn the_smallest_that_fits_is_taken_and_the_rest_kept() {
        let mut allocator = allocator();
        let spans: Vec<_> =
            [5, 1, 3, 1].map(|count| allocator.allocate(count * 256).expect("there is room").span).into();
        allocator.free(spans[0]);
        allocator.free(spans[2]);
        assert_eq!(allocator.allocate(512).map(|found| found.span.address), Some(spans[2].address));
        assert_eq!(allocator.allocate(256).map(|found| found.span.address), Some(spans[2].address + 512));
        assert_eq!(allocator.allocate(256).map(|found| found.span.address), Some(spans[0].address));
    }

    #[test]
    fn a_free_end_grows() {
        let mut allocator = allocator();
        let span = allocator.allocate(512).expect("there is room").span;
        allocator.free(span);
        let larger = allocator.allocate(1024).expect("there is room");
        assert_eq!(larger, Allocation { span: Span { address: span.address, bytes: 1024 }, dirty_bytes: 512 });
    }

    #[test]
    fn there_is_no_more_than_the_limit() {
        let mut allocator = allocator();
        assert_eq!(allocator.allocate(256 * 100), None);
        let all = allocator.allocate(256 * 99).expect("there is room");
        assert_eq!(allocator.allocate(1), None);
        allocator.free(all.span);
        assert!(allocator.allocate(1).is_some());
    }

    #[test]
    fn a_long_random_run_neither_overlaps_nor_leaks() {
        let mut allocator = Allocator::new(0, 1 << 20);
        let mut alive: Vec<Span> = Vec::new();
        let mut seed = 1u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = seed >> 33;
            if random.is_multiple_of(2) && !alive.is_empty() {
                allocator.free(alive.swap_remove(random as usize / 2 % alive.len()));
            } else if let Some(found) = allocator.allocate(random % 9_000 + 1) {
                let span = found.span;
                assert!(span.end() <= 1 << 20 && found.dirty_bytes <= span.bytes);
                assert!(alive.iter().all(|other| span.end() <= other.address || other.end() <= span.address));
                alive.push(span);
            }
        }
        alive.into_iter().for_each(|span| allocator.free(span));
        assert_eq!(allocator.free.len(), 1);
        assert_eq!(allocator.by_size.len(), 1);
        assert!(allocator.allocate(1 << 20).is_some());
    }
}
