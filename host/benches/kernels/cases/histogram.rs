//! A histogram: atomics in workgroup memory and in a buffer.

use rayon::prelude::*;

use super::each;
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const WORDS: usize = 1 << 21;
/// Words of a workgroup.
const BLOCK: usize = 256 * 16;

/// The case.
pub(crate) fn case() -> Case {
    Case {
        name: "histogram",
        size: "8 MiB into 256 bins",
        text: include_str!("histogram.wgsl"),
        buffers: vec![Random::new(11).words(WORDS), vec![0; 256]],
        launches: vec![Launch::new("main", &[0, 1], [(WORDS / BLOCK) as u32, 1, 1])],
        outputs: vec![1],
        restored: vec![1],
        rust,
        agreement: Agreement::Everywhere,
    }
}

fn rust(buffers: &mut [Words]) {
    let [words, counts] = each(buffers);
    let sum = |mut sum: [u32; 256], other: [u32; 256]| {
        sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        sum
    };
    let count = |words: &[u32]| {
        // A table for each byte of a word, so that no count waits for the one before.
        let mut tables = [[0u32; 256]; 4];
        for word in words {
            for (table, byte) in tables.iter_mut().zip(word.to_le_bytes()) {
                table[usize::from(byte)] += 1;
            }
        }
        tables.into_iter().fold([0; 256], sum)
    };
    let all = words.par_chunks(1 << 16).map(count).reduce(|| [0; 256], sum);
    counts.copy_from_slice(&all);
}
