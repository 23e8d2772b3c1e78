//! Heat flow: five reads and a write for each element, back and forth between two buffers.

use rayon::prelude::*;

use super::{each, floats, floats_mut};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const SIZE: usize = 2048;
const STEPS: usize = 8;
const RATE: f32 = 0.2;

/// The case.
pub(crate) fn case() -> Case {
    let groups = (SIZE / 16) as u32;
    let step = |step: usize| {
        let (from, to) = (step % 2, 1 - step % 2);
        Launch::new("main", &[from, to], [groups, groups, 1]).with("SIZE", SIZE)
    };
    Case {
        name: "stencil",
        size: "2048², 5 points, 8 steps",
        text: include_str!("stencil.wgsl"),
        buffers: vec![Random::new(5).floats(SIZE * SIZE, 0.0, 1.0), vec![0; SIZE * SIZE]],
        launches: (0..STEPS).map(step).collect(),
        outputs: vec![0],
        restored: vec![0],
        rust,
        agreement: Agreement::Bits { driver_part: 1.0 },
    }
}

fn rust(buffers: &mut [Words]) {
    let [a, b] = each(buffers);
    for _ in 0..STEPS / 2 {
        step(floats(a), floats_mut(b));
        step(floats(b), floats_mut(a));
    }
}

fn step(before: &[f32], after: &mut [f32]) {
    // Rows of a length that is known, so that no index in them is checked.
    let before = before.as_chunks::<SIZE>().0;
    after.as_chunks_mut::<SIZE>().0.par_iter_mut().enumerate().for_each(|(y, after)| {
        *after = before[y];
        if y == 0 || y == SIZE - 1 {
            return;
        }
        let [above, here, below] = [&before[y - 1], &before[y], &before[y + 1]];
        for x in 1..SIZE - 1 {
            let around = here[x - 1] + here[x + 1] + above[x] + below[x];
            after[x] = here[x] + RATE * (around - 4.0 * here[x]);
        }
    });
}
