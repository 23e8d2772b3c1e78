//! The product of two vectors: memory, and a tree of sums in workgroup memory.

use rayon::prelude::*;

use super::{each, floats};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const COUNT: usize = 1 << 22;
/// Elements of a workgroup.
const BLOCK: usize = 256 * 16;
/// Sums that Rust keeps side by side.
const LANES: usize = 16;

/// The case.
pub(crate) fn case() -> Case {
    let mut random = Random::new(9);
    let vectors = [random.floats(COUNT, 0.0, 1.0), random.floats(COUNT, 0.0, 1.0)];
    let [a, b] = vectors;
    Case {
        name: "dot product",
        size: "4 Mi numbers",
        text: include_str!("reduce.wgsl"),
        buffers: vec![a, b, vec![0; COUNT / BLOCK], vec![0]],
        launches: vec![
            Launch::new("blocks", &[0, 1, 2], [(COUNT / BLOCK) as u32, 1, 1]),
            Launch { bindings: vec![(2, 2), (3, 3)], ..Launch::new("last", &[], [1, 1, 1]) },
        ],
        outputs: vec![3],
        restored: vec![],
        rust,
        agreement: Agreement::Close(1e-4),
    }
}

fn rust(buffers: &mut [Words]) {
    let [a, b, _, total] = each(buffers);
    let blocks = floats(a).par_chunks(1 << 16).zip(floats(b).par_chunks(1 << 16));
    let sum: f32 = blocks
        .map(|(a, b)| {
            let mut sums = [0.0; LANES];
            for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
                for lane in 0..LANES {
                    sums[lane] += a[lane] * b[lane];
                }
            }
            sums.iter().sum::<f32>()
        })
        .sum();
    total[0] = sum.to_bits();
}
