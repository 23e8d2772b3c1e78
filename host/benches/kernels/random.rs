//! Inputs that follow from a seed: splitmix64.

/// Draws words and numbers.
pub(crate) struct Random(u64);

impl Random {
    /// The same seed draws the same.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any word.
    pub(crate) fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word >> 32) as u32
    }

    /// Any word below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.word() % end
    }

    /// A number between `low` and `high`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.word() >> 8) as f32 / 16_777_216.0)
    }

    /// So many words.
    pub(crate) fn words(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.word()).collect()
    }

    /// So many numbers between `low` and `high`, as a buffer holds them.
    pub(crate) fn floats(&mut self, count: usize, low: f32, high: f32) -> Vec<u32> {
        (0..count).map(|_| self.between(low, high).to_bits()).collect()
    }
}
