//! A separable blur: rows through workgroup memory, columns from the buffer.

use rayon::prelude::*;

use super::{each, floats, floats_mut};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const WIDTH: usize = 2048;
const HEIGHT: usize = 1024;
const RADIUS: usize = 7;
const TAPS: usize = 2 * RADIUS + 1;

/// The case.
pub(crate) fn case() -> Case {
    let weights: Vec<f32> = (0..TAPS).map(|i| (-0.05 * (i as f32 - RADIUS as f32).powi(2)).exp() / 7.0).collect();
    let picture = Random::new(6).floats(WIDTH * HEIGHT, 0.0, 1.0);
    let none = vec![0; WIDTH * HEIGHT];
    let (width, height) = (WIDTH as u32, HEIGHT as u32);
    Case {
        name: "blur",
        size: "2048 × 1024, radius 7, two passes",
        text: include_str!("blur.wgsl"),
        buffers: vec![vec![width, height], bytemuck::cast_slice(&weights).to_vec(), picture, none.clone(), none],
        launches: vec![
            Launch::new("rows", &[0, 1, 2, 3], [width / 256, height, 1]),
            Launch::new("columns", &[0, 1, 3, 4], [width / 64, height, 1]),
        ],
        outputs: vec![4],
        restored: vec![],
        rust,
        agreement: Agreement::Bits { driver_part: 1.0 },
    }
}

fn rust(buffers: &mut [Words]) {
    let [_, weights, source, between, blurred] = each(buffers);
    let weights: &[f32; TAPS] = floats(weights).try_into().expect("as many as the case makes");
    let source = floats(source);
    let between = floats_mut(between);
    between.par_chunks_mut(WIDTH).zip(source.par_chunks(WIDTH)).for_each(|(out, row)| {
        let mut wide = [0.0; WIDTH + 2 * RADIUS];
        wide[..RADIUS].fill(row[0]);
        wide[RADIUS..RADIUS + WIDTH].copy_from_slice(row);
        wide[RADIUS + WIDTH..].fill(row[WIDTH - 1]);
        for (x, out) in out.iter_mut().enumerate() {
            *out = (0..TAPS).fold(0.0, |sum, i| sum + weights[i] * wide[x + i]);
        }
    });
    let between = &*between;
    floats_mut(blurred).par_chunks_mut(WIDTH).enumerate().for_each(|(y, out)| {
        out.fill(0.0);
        for (i, weight) in weights.iter().enumerate() {
            let y = (y + i).saturating_sub(RADIUS).min(HEIGHT - 1);
            for (out, value) in out.iter_mut().zip(&between[y * WIDTH..(y + 1) * WIDTH]) {
                *out += weight * value;
            }
        }
    });
}
