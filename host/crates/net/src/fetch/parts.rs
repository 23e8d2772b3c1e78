//! What is missing of a blob, in parts that come at the same time.
//!
//! A stream's window, which must not be large, bounds what is on its way in one stream; so a long blob comes in several.
//! Pure: nothing is asked or received here.

use iroh_blobs::protocol::{ChunkRanges, ChunkRangesExt};

/// Parts that come at once.
const PARTS: u64 = 4;
/// A part is no shorter than this, in chunks of 1,024 bytes: a stream for less is not worth the question.
const PART_CHUNKS_MIN: u64 = 4 << 10;
/// Parts begin at multiples of so many chunks, which are kept or missing together.
const GROUP_CHUNKS: u64 = 16;
const CHUNK_BYTES: u64 = 1024;

/// Splits what is missing of a blob of this size into parts of about the same length: together they are all of it, and no
/// chunk is in two. Nothing missing is one part without chunks.
pub(super) fn parts(missing: &ChunkRanges, size_bytes: u64) -> Vec<ChunkRanges> {
    let chunks = size_bytes.div_ceil(CHUNK_BYTES).max(1);
    let missing = missing & ChunkRanges::chunks(..chunks);
    let bounds: Vec<u64> = missing.boundaries().iter().map(|chunk| chunk.0).collect();
    let spans = bounds.chunks_exact(2).map(|bounds| bounds[0]..bounds[1]);
    let total: u64 = spans.clone().map(|span| span.end - span.start).sum();
    let length = total.div_ceil((total / PART_CHUNKS_MIN).clamp(1, PARTS)).next_multiple_of(GROUP_CHUNKS);
    let (mut parts, mut part, mut room) = (Vec::new(), ChunkRanges::empty(), length);
    for mut span in spans {
        while !span.is_empty() {
            if room == 0 {
                parts.push(std::mem::replace(&mut part, ChunkRanges::empty()));
                room = length;
            }
            let end = span.end.min(span.start + room);
            part |= ChunkRanges::chunks(span.start..end);
            room -= end - span.start;
            span.start = end;
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(parts: &[ChunkRanges]) -> ChunkRanges {
        parts.iter().fold(ChunkRanges::empty(), |sum, part| {
            assert!((&sum & part).is_empty(), "a chunk is in two parts");
            sum | part.clone()
        })
    }

    #[test]
    fn a_short_blob_comes_whole() {
        for (size_bytes, count) in [(0, 1), (1, 1), (1025, 1), (8 << 20, 2), (1 << 40, 4)] {
            let parts = parts(&ChunkRanges::all(), size_bytes);
            assert_eq!(parts.len(), count, "{size_bytes}");
            assert_eq!(sum(&parts), ChunkRanges::chunks(..size_bytes.div_ceil(CHUNK_BYTES).max(1)), "{size_bytes}");
        }
    }

    #[test]
    fn parts_are_all_that_is_missing_and_begin_where_chunks_are_kept_together() {
        let size_bytes: u64 = (100 << 20) + 5;
        let chunks = size_bytes.div_ceil(CHUNK_BYTES);
        let holes = ChunkRanges::chunks(..32) | ChunkRanges::chunks(4096..20_000) | ChunkRanges::chunks(99_984..);
        for missing in [ChunkRanges::all(), holes, ChunkRanges::chunks(chunks / 16 * 16..), ChunkRanges::empty()] {
            let parts = parts(&missing, size_bytes);
            assert!((1..=PARTS as usize).contains(&parts.len()), "{missing:?}");
            assert_eq!(sum(&parts), missing & ChunkRanges::chunks(..chunks));
            let mut begins = parts.iter().flat_map(|part| part.boundaries().iter().step_by(2));
            assert!(begins.all(|begin| begin.0 % GROUP_CHUNKS == 0), "{parts:?}");
        }
    }
}
