//! Mandelbrot: divergent loops, nothing but arithmetic.

use rayon::prelude::*;

use super::each;
use crate::suite::{Agreement, Case, Launch, Words};

const SIDE: usize = 1024;
const ITERATIONS: u32 = 256;
const LEFT: f32 = -2.0;
const TOP: f32 = -1.25;
const STEP: f32 = 2.5 / SIDE as f32;
/// Points that Rust computes side by side.
const LANES: usize = 8;

/// The case.
pub(crate) fn case() -> Case {
    let view = vec![SIDE as u32, SIDE as u32, ITERATIONS, LEFT.to_bits(), TOP.to_bits(), STEP.to_bits()];
    let groups = (SIDE / 16) as u32;
    Case {
        name: "mandelbrot",
        size: "1024², 256 iterations",
        text: include_str!("mandelbrot.wgsl"),
        buffers: vec![view, vec![0; SIDE * SIDE]],
        launches: vec![Launch::new("main", &[0, 1], [groups, groups, 1])],
        outputs: vec![1],
        restored: vec![],
        rust,
        // A driver may fuse, and a point at the border then leaves a step earlier or later.
        agreement: Agreement::Bits { driver_part: 0.02 },
    }
}

fn rust(buffers: &mut [Words]) {
    let [_, counts] = each(buffers);
    counts.par_chunks_mut(SIDE).enumerate().for_each(|(y, row)| {
        let y = TOP + y as f32 * STEP;
        for (x, counts) in row.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            *counts = steps(std::array::from_fn(|lane| LEFT + (x * LANES + lane) as f32 * STEP), y);
        }
    });
}

fn steps(c: [f32; LANES], y: f32) -> [u32; LANES] {
    let (mut zx, mut zy) = ([0.0; LANES], [0.0; LANES]);
    let mut counts = [0; LANES];
    for _ in 0..ITERATIONS {
        let mut are_inside = 0;
        for lane in 0..LANES {
            let (x2, y2) = (zx[lane] * zx[lane], zy[lane] * zy[lane]);
            let is_inside = u32::from(x2 + y2 <= 4.0);
            counts[lane] += is_inside;
            are_inside |= is_inside;
            zy[lane] = 2.0 * zx[lane] * zy[lane] + y;
            zx[lane] = x2 - y2 + c[lane];
        }
        if are_inside == 0 {
            break;
        }
    }
    counts
}
