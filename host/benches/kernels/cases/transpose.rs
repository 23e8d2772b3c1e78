//! A square turned over its diagonal: nothing but memory.

use rayon::prelude::*;

use super::each;
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const SIZE: usize = 2048;
const TILE: usize = 16;

/// The case.
pub(crate) fn case() -> Case {
    let groups = (SIZE / TILE) as u32;
    Case {
        name: "transpose",
        size: "2048²",
        text: include_str!("transpose.wgsl"),
        buffers: vec![Random::new(16).floats(SIZE * SIZE, -1.0, 1.0), vec![0; SIZE * SIZE]],
        launches: vec![Launch::new("main", &[0, 1], [groups, groups, 1]).with("SIZE", SIZE)],
        outputs: vec![1],
        restored: vec![],
        rust,
        agreement: Agreement::Everywhere,
    }
}

fn rust(buffers: &mut [Words]) {
    let [source, turned] = each(buffers);
    turned.par_chunks_mut(SIZE * TILE).enumerate().for_each(|(strip, turned)| {
        for start in (0..SIZE).step_by(TILE) {
            for (row, turned) in turned.chunks_exact_mut(SIZE).enumerate() {
                for (x, turned) in turned[start..start + TILE].iter_mut().enumerate() {
                    *turned = source[(start + x) * SIZE + strip * TILE + row];
                }
            }
        }
    });
}
