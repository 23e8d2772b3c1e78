//! Compiled kernels, kept for the next session that has the same.
//!
//! A job makes its kernels anew each time it runs, and a verifier runs it again: compiling is most of the time that a
//! small job takes. What is kept is known by the hash of the generated code, so it does not matter where it came from.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmtime::Module;

/// Most kernels that are kept.
const KERNELS_MAX: usize = 256;
/// Most machine code that is kept, in bytes.
const BYTES_MAX: usize = 64 << 20;

/// Compiled kernels by the hash of their WebAssembly.
#[derive(Default)]
pub(crate) struct Cache {
    entries: Mutex<Entries<Module>>,
}

impl Cache {
    /// The kernel of that hash, if it is kept.
    pub(crate) fn get(&self, hash: &blake3::Hash) -> Option<Module> {
        self.lock().get(hash.as_bytes())
    }

    /// Keeps a kernel, at the cost of those that were not used for the longest time.
    pub(crate) fn put(&self, hash: &blake3::Hash, module: &Module) {
        let image = module.image_range();
        let bytes = image.end.addr() - image.start.addr();
        self.lock().put(*hash.as_bytes(), module.clone(), bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Entries<Module>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Entries<T> {
    by_key: BTreeMap<[u8; 32], Entry<T>>,
    bytes: usize,
    uses: u64,
}

struct Entry<T> {
    value: T,
    bytes: usize,
    last_use: u64,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), bytes: 0, uses: 0 }
    }
}

impl<T: Clone> Entries<T> {
    fn get(&mut self, key: &[u8; 32]) -> Option<T> {
        let entry = self.by_key.get_mut(key)?;
        self.uses += 1;
        entry.last_use = self.uses;
        Some(entry.value.clone())
    }

    fn put(&mut self, key: [u8; 32], value: T, bytes: usize) {
        if bytes > BYTES_MAX || self.by_key.contains_key(&key) {
            return;
        }
        while self.by_key.len() >= KERNELS_MAX || self.bytes + bytes > BYTES_MAX {
            let oldest = self.by_key.iter().min_by_key(|(_, entry)| entry.last_use).map(|(key, _)| *key);
            let Some(entry) = oldest.and_then(|key| self.by_key.remove(&key)) else { break };
            self.bytes -= entry.bytes;
        }
        self.uses += 1;
        self.bytes += bytes;
        self.by_key.insert(key, Entry { value, bytes, last_use: self.uses });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> [u8; 32] {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        key
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut entries = Entries::default();
        for number in 0..KERNELS_MAX {
            entries.put(key(number), number, 1);
        }
        assert_eq!(entries.get(&key(0)), Some(0));
        entries.put(key(1000), 1000, 1);
        assert_eq!(entries.get(&key(1)), None);
        assert_eq!(entries.get(&key(0)), Some(0));
        assert_eq!(entries.get(&key(1000)), Some(1000));
        assert_eq!((entries.by_key.len(), entries.bytes), (KERNELS_MAX, KERNELS_MAX));
    }

    #[test]
    fn bytes_are_bounded_as_well() {
        let mut entries = Entries::default();
        for number in 0..8 {
            entries.put(key(number), number, BYTES_MAX / 4);
        }
        assert_eq!(entries.by_key.len(), 4);
        entries.put(key(9), 9, BYTES_MAX + 1);
        assert_eq!(entries.get(&key(9)), None);
        entries.put(key(10), 10, BYTES_MAX);
        assert_eq!((entries.by_key.len(), entries.bytes), (1, BYTES_MAX));
        entries.put(key(10), 11, 1);
        assert_eq!((entries.get(&key(10)), entries.bytes), (Some(10), BYTES_MAX));
    }
}
