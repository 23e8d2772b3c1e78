//! Smith-Waterman: a row of its own for each invocation, in integers.

use rayon::prelude::*;

use super::each;
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const PAIRS: usize = 4096;
const LENGTH: usize = 128;
/// Sequences that Rust aligns side by side.
const LANES: usize = 8;

/// The case.
pub(crate) fn case() -> Case {
    let mut random = Random::new(13);
    let mut sequence = |count: usize| -> Words {
        (0..count * LENGTH / 4)
            .map(|_| u32::from_le_bytes(std::array::from_fn(|_| b"ACGT"[random.below(4) as usize])))
            .collect()
    };
    Case {
        name: "smith-waterman",
        size: "4096 pairs of 128 letters",
        text: include_str!("smith_waterman.wgsl"),
        buffers: vec![sequence(1), sequence(PAIRS), vec![0; PAIRS]],
        launches: vec![Launch::new("main", &[0, 1, 2], [(PAIRS / 64) as u32, 1, 1])],
        outputs: vec![2],
        restored: vec![],
        rust,
        agreement: Agreement::Everywhere,
    }
}

fn rust(buffers: &mut [Words]) {
    let [query, others, scores] = each(buffers);
    let (query, others): (&[u8], &[u8]) = (bytemuck::cast_slice(query), bytemuck::cast_slice(others));
    scores.par_chunks_mut(LANES).zip(others.par_chunks(LENGTH * LANES)).for_each(|(scores, others)| {
        scores.copy_from_slice(&align(query, others).map(i32::cast_unsigned));
    });
}

fn align(query: &[u8], others: &[u8]) -> [i32; LANES] {
    let mut row = [[0i32; LANES]; LENGTH];
    let mut best = [0; LANES];
    for y in 0..LENGTH {
        let letters: [i32; LANES] = std::array::from_fn(|lane| i32::from(others[lane * LENGTH + y]));
        let mut diagonal = [0; LANES];
        let mut left = [0; LANES];
        for (up, other) in row.iter_mut().zip(query) {
            let other = i32::from(*other);
            for lane in 0..LANES {
                let paired = diagonal[lane] + if letters[lane] == other { 3 } else { -2 };
                left[lane] = 0.max(paired).max(up[lane].max(left[lane]) - 4);
                diagonal[lane] = up[lane];
                up[lane] = left[lane];
                best[lane] = best[lane].max(left[lane]);
            }
        }
    }
    best
}
