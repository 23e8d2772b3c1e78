//! What a device has hashed of the outputs while their bytes lay with it.
//!
//! An output has a hash from here only if all of it was hashed there, from its beginning on. Nothing here looks at the
//! bytes of the pieces: the hash is as good as the device.

use samebit_device::hash::{self, PIECE_BYTES};
use samebit_spec::{Hash, Name};

use super::{Output, Outputs};

/// What a device has hashed of an output, from its beginning on.
#[derive(Default)]
pub(super) struct Tree {
    pieces: Vec<[u8; 32]>,
    /// What follows the pieces, less than one.
    rest: Vec<u8>,
    size_bytes: u64,
}

impl Tree {
    /// The number of the next piece, if one would begin at the end of an output of this size.
    fn next(&self, size_bytes: u64) -> Option<u64> {
        (self.size_bytes == size_bytes && self.rest.is_empty()).then_some(self.pieces.len() as u64)
    }

    fn append(&mut self, pieces: &[[u8; 32]], rest: Vec<u8>) {
        self.pieces.extend_from_slice(pieces);
        self.size_bytes += pieces.len() as u64 * PIECE_BYTES + rest.len() as u64;
        self.rest = rest;
    }

    /// The hash of an output of this size, if that is all that was hashed.
    pub(super) fn root(&self, size_bytes: u64) -> Option<Hash> {
        let whole = self.size_bytes == size_bytes;
        whole.then(|| hash::root(&self.pieces, &self.rest)).flatten().map(Hash::from_bytes)
    }
}

impl Outputs {
    /// The number that the next piece of an output has, if all of it so far is pieces that a device has hashed.
    pub(crate) fn pieces(&self, name: &Name) -> Option<u64> {
        let growing = self.lock();
        let size_bytes = growing.outputs.get(name).map_or(0, Output::size_bytes);
        match growing.trees.get(name) {
            Some(tree) => tree.next(size_bytes),
            None => (size_bytes == 0).then_some(0),
        }
    }

    /// Notes the hashed pieces of what was appended last, and the bytes that followed them.
    pub(crate) fn hashed(&self, name: &Name, pieces: &[[u8; 32]], rest: Vec<u8>) {
        self.lock().trees.entry(name.clone()).or_default().append(pieces, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Spool;

    #[test]
    fn a_hash_is_known_of_what_was_hashed_whole() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let outputs = Outputs::new(dir.path().to_owned(), 16 << 20);
        let bytes: Vec<u8> = (0..=255).cycle().take(2_000_000).collect();
        let piece = PIECE_BYTES as usize;
        let values = bytes.chunks_exact(piece).enumerate().map(|(index, piece)| {
            use blake3::hazmat::HasherExt;
            let mut hasher = blake3::Hasher::new();
            hasher.set_input_offset(index as u64 * PIECE_BYTES);
            hasher.update(piece).finalize_non_root()
        });
        let values: Vec<_> = values.collect();
        let rest = bytes[values.len() * piece..].to_vec();
        for (name, after) in [("whole", ""), ("longer", "more")] {
            let name = Name::new(name).expect("a name");
            assert_eq!(outputs.pieces(&name), Some(0));
            // In two parts, the first of 20 pieces.
            outputs.append(&name, &bytes[..20 * piece]).expect("within the limit");
            outputs.hashed(&name, &values[..20], Vec::new());
            assert_eq!(outputs.pieces(&name), Some(20));
            outputs.append(&name, &bytes[20 * piece..]).expect("within the limit");
            outputs.hashed(&name, &values[20..], rest.clone());
            assert_eq!(outputs.pieces(&name), None, "a piece would not begin here");
            outputs.append(&name, after.as_bytes()).expect("within the limit");
        }
        let spools = outputs.finish().expect("nothing fails");
        let hash = |name: &str| match &spools[&Name::new(name).expect("a name")] {
            Spool::File { hash, .. } => *hash,
            Spool::Memory(_) => panic!("it is in memory"),
        };
        assert_eq!(hash("whole"), Some(Hash::from_bytes(*blake3::hash(&bytes).as_bytes())));
        assert_eq!(hash("longer"), None);
    }
}
