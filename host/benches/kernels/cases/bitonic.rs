//! A bitonic sort: the same network in Rust, not the sort that one would call there.

use rayon::prelude::*;

use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const COUNT: usize = 1 << 18;
/// Elements that a workgroup sorts in its memory.
const BLOCK: usize = 512;

/// The case.
pub(crate) fn case() -> Case {
    let mut buffers = vec![Random::new(10).words(COUNT)];
    let groups = (COUNT / BLOCK) as u32;
    let mut launches = vec![Launch::new("sort_blocks", &[0], [groups, 1, 1])];
    let mut run = 2 * BLOCK;
    while run <= COUNT {
        let mut distance = run / 2;
        while distance >= BLOCK {
            buffers.push(vec![run as u32, distance as u32]);
            launches.push(Launch::new("compare", &[0, buffers.len() - 1], [groups, 1, 1]));
            distance /= 2;
        }
        launches.push(Launch::new("merge_blocks", &[0, buffers.len() - 1], [groups, 1, 1]));
        run *= 2;
    }
    Case {
        name: "bitonic sort",
        size: "256 Ki words, 55 launches",
        text: include_str!("bitonic.wgsl"),
        buffers,
        launches,
        outputs: vec![0],
        restored: vec![0],
        rust,
        agreement: Agreement::Everywhere,
    }
}

fn rust(buffers: &mut [Words]) {
    let keys = &mut buffers[0];
    // What fits into a core's cache is done there; distances beyond it are passes over all.
    let cached = 1 << 14;
    keys.par_chunks_mut(cached).enumerate().for_each(|(index, keys)| {
        let mut run = 2;
        while run <= cached {
            merge(keys, index * cached, run, run / 2);
            run *= 2;
        }
    });
    let mut run = 2 * cached;
    while run <= COUNT {
        let mut distance = run / 2;
        while distance >= cached {
            keys.par_chunks_mut(2 * distance).enumerate().for_each(|(index, keys)| {
                let is_upwards = (index * 2 * distance) & run == 0;
                let (low, high) = keys.split_at_mut(distance);
                low.par_chunks_mut(cached).zip(high.par_chunks_mut(cached)).for_each(|(low, high)| {
                    compare(low, high, is_upwards);
                });
            });
            distance /= 2;
        }
        keys.par_chunks_mut(cached).enumerate().for_each(|(index, keys)| {
            merge(keys, index * cached, run, cached / 2);
        });
        run *= 2;
    }
}

/// Compares over this distance, then over half of it, and so on.
fn merge(keys: &mut [u32], first: usize, run: usize, mut distance: usize) {
    while distance > 0 {
        match distance {
            1 => pairs::<1>(keys, first, run),
            2 => pairs::<2>(keys, first, run),
            4 => pairs::<4>(keys, first, run),
            _ => {
                for (index, keys) in keys.chunks_exact_mut(2 * distance).enumerate() {
                    let (low, high) = keys.split_at_mut(distance);
                    compare(low, high, (first + index * 2 * distance) & run == 0);
                }
            }
        }
        distance /= 2;
    }
}

/// Short distances, known when compiled.
fn pairs<const DISTANCE: usize>(keys: &mut [u32], first: usize, run: usize) {
    // A run of the same direction at a time.
    let stretch = run.min(keys.len());
    for (index, keys) in keys.chunks_exact_mut(stretch).enumerate() {
        let is_upwards = (first + index * stretch) & run == 0;
        for keys in keys.chunks_exact_mut(2 * DISTANCE) {
            for lane in 0..DISTANCE {
                let (a, b) = (keys[lane], keys[lane + DISTANCE]);
                let (low, high) = (a.min(b), a.max(b));
                (keys[lane], keys[lane + DISTANCE]) = if is_upwards { (low, high) } else { (high, low) };
            }
        }
    }
}

fn compare(low: &mut [u32], high: &mut [u32], is_upwards: bool) {
    let pairs = low.iter_mut().zip(high);
    if is_upwards {
        pairs.for_each(|(a, b)| (*a, *b) = ((*a).min(*b), (*a).max(*b)));
    } else {
        pairs.for_each(|(a, b)| (*a, *b) = ((*a).max(*b), (*a).min(*b)));
    }
}
