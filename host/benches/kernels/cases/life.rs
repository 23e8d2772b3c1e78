//! The game of life: nine reads with wrapped coordinates, and integers.

use rayon::prelude::*;

use super::each;
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const SIZE: usize = 2048;
const GENERATIONS: usize = 4;

/// The case.
pub(crate) fn case() -> Case {
    let groups = (SIZE / 16) as u32;
    let step = |step: usize| {
        let (from, to) = (step % 2, 1 - step % 2);
        Launch::new("main", &[from, to], [groups, groups, 1]).with("SIZE", SIZE)
    };
    let cells = Random::new(17).words(SIZE * SIZE).into_iter().map(|word| word >> 31).collect();
    Case {
        name: "life",
        size: "2048², 4 generations",
        text: include_str!("life.wgsl"),
        buffers: vec![cells, vec![0; SIZE * SIZE]],
        launches: (0..GENERATIONS).map(step).collect(),
        outputs: vec![0],
        restored: vec![0],
        rust,
        agreement: Agreement::Everywhere,
    }
}

fn rust(buffers: &mut [Words]) {
    let [a, b] = each(buffers);
    for _ in 0..GENERATIONS / 2 {
        generation(a, b);
        generation(b, a);
    }
}

fn generation(before: &[u32], after: &mut [u32]) {
    // Rows of a length that is known, so that no index in them is checked.
    let before = before.as_chunks::<SIZE>().0;
    after.as_chunks_mut::<SIZE>().0.par_iter_mut().enumerate().for_each(|(y, after)| {
        let row = |y: usize| &before[y % SIZE];
        let (above, here, below) = (row(y + SIZE - 1), row(y), row(y + 1));
        let mut columns = [0; SIZE];
        for x in 0..SIZE {
            columns[x] = above[x] + here[x] + below[x];
        }
        let cell = |all: u32, own: u32| u32::from((all == 3) | ((all == 4) & (own == 1)));
        for x in 1..SIZE - 1 {
            after[x] = cell(columns[x - 1] + columns[x] + columns[x + 1], here[x]);
        }
        after[0] = cell(columns[SIZE - 1] + columns[0] + columns[1], here[0]);
        after[SIZE - 1] = cell(columns[SIZE - 2] + columns[SIZE - 1] + columns[0], here[SIZE - 1]);
    });
}
