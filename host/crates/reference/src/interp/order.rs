//! Orders of workgroups and invocations.

/// Who runs when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// Workgroups by number; between barriers, invocations by index.
    InOrder,
    /// The last first, of both.
    Reversed,
    /// Workgroups in a random order, one after the other; between barriers, invocations in another random order each
    /// time.
    Shuffled(u64),
    /// Several workgroups at once, and another random invocation after every access to shared memory.
    Interleaved(u64),
}

/// SplitMix64: any seed is a good one.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, which is not 0. Slightly uneven, which is fine for orders.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Fisher and Yates.
    pub(super) fn shuffle(&mut self, items: &mut [u32]) {
        for i in (1..items.len()).rev() {
            // There are at most 256 invocations.
            let j = self.below(i as u32 + 1) as usize;
            items.swap(i, j);
        }
    }
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The number that is at `index` in a random order of the numbers below `count`: a Feistel network over just enough
/// bits, walked until the result is below. Needs no memory, whatever the count.
pub(super) fn permuted(index: u64, count: u64, seed: u64) -> u64 {
    let bits = (64 - count.saturating_sub(1).leading_zeros()).max(2).div_ceil(2);
    let mask = (1_u64 << bits) - 1;
    let mut x = index;
    loop {
        let (mut left, mut right) = (x >> bits, x & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (mix(right ^ seed.wrapping_add(round << 56)) & mask));
        }
        x = (left << bits) | right;
        if x < count {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_has_each_number_once() {
        for count in [1, 2, 3, 4, 5, 16, 17, 1000] {
            let mut all: Vec<u64> = (0..count).map(|index| permuted(index, count, 7)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn seeds_differ_and_large_counts_do_not_hang() {
        let order = |seed| (0..100).map(|index| permuted(index, 100, seed)).collect::<Vec<_>>();
        assert_ne!(order(1), order(2));
        let count = 65_535_u64.pow(3);
        assert!((0..1000).all(|index| permuted(index, count, 3) < count));
    }
}
