//! Where two byte streams part, found chunk by chunk.

use core::fmt;

use serde::Serialize;

use crate::difference::Grouped;

/// The first byte that differs between a claimed and a replayed blob. `None` stands for a blob that ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ByteDifference {
    /// How many bytes before it are equal.
    pub offset: u64,
    /// The claimed byte.
    pub claimed: Option<u8>,
    /// The replayed byte.
    pub replayed: Option<u8>,
}

impl fmt::Display for ByteDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |f: &mut fmt::Formatter<'_>, who: &str, byte: Option<u8>| match byte {
            Some(byte) => write!(f, "{who} {byte:#04x}"),
            None => write!(f, "{who} ends there"),
        };
        write!(f, "differs at byte {}: ", Grouped(self.offset))?;
        side(f, "claimed", self.claimed)?;
        f.write_str(", ")?;
        side(f, "replayed", self.replayed)
    }
}

/// Compares two blobs that arrive in chunks of any size, and keeps none of them.
///
/// It is driven like [`BufRead`](std::io::BufRead): offer what each side has, and consume as much of both as
/// [`Step::Equal`] says.
///
/// ```
/// use samebit_proof::{ByteComparer, Step};
///
/// let (mut claimed, mut replayed) = (&b"samebit"[..], &b"sameBit"[..]);
/// let mut comparer = ByteComparer::default();
/// let difference = loop {
///     match comparer.step(&claimed[..claimed.len().min(3)], replayed) {
///         Step::Equal(len) => (claimed, replayed) = (&claimed[len..], &replayed[len..]),
///         Step::Differs(difference) => break Some(difference),
///         Step::End => break None,
///     }
/// };
/// assert_eq!(difference.map(|difference| difference.offset), Some(4));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ByteComparer {
    offset: u64,
}

/// What one step of a [`ByteComparer`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many bytes, at least one, are equal: consume them on both sides and go on.
    Equal(usize),
    /// The first difference. The comparison is over.
    Differs(ByteDifference),
    /// Both blobs ended together. They are equal.
    End,
}

impl ByteComparer {
    /// How many equal bytes were seen.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Compares as many bytes as both chunks have. An empty chunk says that its blob has ended.
    pub fn step(&mut self, claimed: &[u8], replayed: &[u8]) -> Step {
        let len = claimed.len().min(replayed.len());
        // Whole slices compare at memory speed; the position is looked for only where they are known to differ.
        let equal = if claimed[..len] == replayed[..len] {
            len
        } else {
            claimed.iter().zip(replayed).take_while(|(claimed, replayed)| claimed == replayed).count()
        };
        self.offset += equal as u64;
        let (claimed, replayed) = (claimed.get(equal).copied(), replayed.get(equal).copied());
        match (claimed, replayed) {
            (None, None) if equal == 0 => Step::End,
            // One chunk is used up, but its blob may have more: only an empty chunk means the end.
            (None, _) | (_, None) if equal > 0 => Step::Equal(equal),
            _ => Step::Differs(ByteDifference { offset: self.offset, claimed, replayed }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(mut claimed: &[u8], mut replayed: &[u8], chunks: (usize, usize)) -> Option<ByteDifference> {
        let mut comparer = ByteComparer::default();
        loop {
            let (left, right) = (&claimed[..claimed.len().min(chunks.0)], &replayed[..replayed.len().min(chunks.1)]);
            match comparer.step(left, right) {
                Step::Equal(len) => {
                    assert!(len > 0, "a step without progress would never end");
                    (claimed, replayed) = (&claimed[len..], &replayed[len..]);
                }
                Step::Differs(difference) => return Some(difference),
                Step::End => return None,
            }
        }
    }

    #[test]
    fn every_difference_is_found_whatever_the_chunks() {
        let claimed: Vec<u8> = (0..40).collect();
        for chunks in [(1, 1), (3, 7), (7, 3), (64, 64), (40, 1), (1, 40)] {
            assert_eq!(compare(&claimed, &claimed, chunks), None);
            for index in 0..claimed.len() {
                let mut replayed = claimed.clone();
                replayed[index] ^= 0x80;
                let found = ByteDifference {
                    offset: index as u64,
                    claimed: Some(claimed[index]),
                    replayed: Some(replayed[index]),
                };
                assert_eq!(compare(&claimed, &replayed, chunks), Some(found));
                let short = &claimed[..index];
                let ends = ByteDifference { offset: index as u64, claimed: Some(claimed[index]), replayed: None };
                assert_eq!(compare(&claimed, short, chunks), Some(ends));
                let ends = ByteDifference { offset: index as u64, claimed: None, replayed: Some(claimed[index]) };
                assert_eq!(compare(short, &claimed, chunks), Some(ends));
            }
        }
        assert_eq!(compare(b"", b"", (1, 1)), None);
    }

    #[test]
    fn differences_read_as_text() {
        let difference = ByteDifference { offset: 1024, claimed: Some(0x3f), replayed: Some(0x40) };
        assert_eq!(difference.to_string(), "differs at byte 1,024: claimed 0x3f, replayed 0x40");
        let difference = ByteDifference { offset: 0, claimed: None, replayed: Some(0) };
        assert_eq!(difference.to_string(), "differs at byte 0: claimed ends there, replayed 0x00");
    }
}
