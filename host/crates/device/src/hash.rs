//! BLAKE3 of what lies in buffers, by parts.
//!
//! BLAKE3 is a tree over chunks of 1 KiB, so whoever holds a part of the input can hash it, and somebody else join the
//! parts. A device hashes *pieces*, subtrees of 64 KiB, where they lie; their chaining values and the rest of the input,
//! less than a piece, give the hash of the whole. Nothing here is trusted with the tree's shape but the `blake3` crate.

use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// The size of a piece. The number of the first chunk of a piece is 64 times the piece's number.
pub const PIECE_BYTES: u64 = 64 << 10;

/// The hash of an input: of its whole pieces the chaining values, and what follows them, less than a piece.
///
/// `None` for a single piece and nothing else: it is a root itself, and its value does not tell the root's.
pub fn root(pieces: &[ChainingValue], rest: &[u8]) -> Option<[u8; 32]> {
    let units = pieces.len() + usize::from(!rest.is_empty());
    match (pieces, units) {
        ([], _) => Some(*blake3::hash(rest).as_bytes()),
        (_, 1) => None,
        _ => {
            let tree = Tree { pieces, rest };
            let left = left_of(units);
            let (left, right) = (tree.value(0, left), tree.value(left, units - left));
            Some(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes())
        }
    }
}

struct Tree<'a> {
    pieces: &'a [ChainingValue],
    rest: &'a [u8],
}

impl Tree<'_> {
    /// The value over so many units from one on. It goes as deep as there are bits in a length.
    fn value(&self, first: usize, units: usize) -> ChainingValue {
        match (units, self.pieces.get(first)) {
            (1, Some(value)) => *value,
            (1, None) => {
                let mut hasher = Hasher::new();
                hasher.set_input_offset(first as u64 * PIECE_BYTES);
                hasher.update(self.rest).finalize_non_root()
            }
            _ => {
                let left = left_of(units);
                let (left, right) = (self.value(first, left), self.value(first + left, units - left));
                merge_subtrees_non_root(&left, &right, Mode::Hash)
            }
        }
    }
}

/// How many of several units are on the left: the largest power of two that leaves something on the right.
fn left_of(units: usize) -> usize {
    units.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces' values as a device would give them.
    fn parts(input: &[u8]) -> (Vec<ChainingValue>, &[u8]) {
        let whole = input.len() - input.len() % PIECE_BYTES as usize;
        let pieces = input[..whole].chunks(PIECE_BYTES as usize).enumerate().map(|(index, piece)| {
            let mut hasher = Hasher::new();
            hasher.set_input_offset(index as u64 * PIECE_BYTES);
            hasher.update(piece).finalize_non_root()
        });
        (pieces.collect(), &input[whole..])
    }

    #[test]
    fn parts_give_the_hash_of_the_whole() {
        let input: Vec<u8> = (0..20 << 16).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let piece = PIECE_BYTES as usize;
        let near = |length: usize| [length - 1, length, length + 1];
        let lengths = [0, 1, 1023, 1024, 1025].into_iter().chain((1..18).flat_map(|count| near(count * piece)));
        for length in lengths {
            let (pieces, rest) = parts(&input[..length]);
            let expected = (length != piece).then(|| *blake3::hash(&input[..length]).as_bytes());
            assert_eq!(root(&pieces, rest), expected, "{length} bytes");
        }
    }
}
