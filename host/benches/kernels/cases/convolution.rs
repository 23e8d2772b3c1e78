//! A filter of 5 by 5 with clamped coordinates.

use rayon::prelude::*;

use super::{each, floats, floats_mut};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const WIDTH: usize = 2048;
const HEIGHT: usize = 1024;
const SIDE: usize = 5;

/// The case.
pub(crate) fn case() -> Case {
    let (width, height) = (WIDTH as u32, HEIGHT as u32);
    let mut random = Random::new(7);
    let weights = random.floats(SIDE * SIDE, -1.0, 1.0);
    let picture = random.floats(WIDTH * HEIGHT, 0.0, 1.0);
    Case {
        name: "convolution",
        size: "2048 × 1024, 5 × 5",
        text: include_str!("convolution.wgsl"),
        buffers: vec![vec![width, height], weights, picture, vec![0; WIDTH * HEIGHT]],
        launches: vec![Launch::new("main", &[0, 1, 2, 3], [width / 16, height / 16, 1])],
        outputs: vec![3],
        restored: vec![],
        rust,
        agreement: Agreement::Bits { driver_part: 1.0 },
    }
}

fn rust(buffers: &mut [Words]) {
    let [_, weights, source, filtered] = each(buffers);
    let (weights, source) = (floats(weights).as_chunks::<SIDE>().0, floats(source));
    let clamped = |y: usize, by: usize, last: usize| (y + by).saturating_sub(SIDE / 2).min(last);
    floats_mut(filtered).par_chunks_mut(WIDTH).enumerate().for_each(|(y, out)| {
        let rows: [&[f32]; SIDE] = std::array::from_fn(|dy| {
            let y = clamped(y, dy, HEIGHT - 1);
            &source[y * WIDTH..(y + 1) * WIDTH]
        });
        let at = |x: usize| {
            let taps = (0..SIDE).flat_map(|dy| (0..SIDE).map(move |dx| (dy, dx)));
            taps.fold(0.0, |sum, (dy, dx)| sum + weights[dy][dx] * rows[dy][clamped(x, dx, WIDTH - 1)])
        };
        // Inside, nothing is clamped, and a row of taps is a sum of shifted rows.
        let inside = SIDE / 2..WIDTH - SIDE / 2;
        let middle = &mut out[inside.clone()];
        middle.fill(0.0);
        for dy in 0..SIDE {
            for dx in 0..SIDE {
                let weight = weights[dy][dx];
                for (out, value) in middle.iter_mut().zip(&rows[dy][dx..]) {
                    *out += weight * value;
                }
            }
        }
        for x in (0..inside.start).chain(inside.end..WIDTH) {
            out[x] = at(x);
        }
    });
}
