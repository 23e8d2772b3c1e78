//! N-body: all pairs, square roots and divisions.

use rayon::prelude::*;

use super::{each, floats, floats_mut};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const BODIES: usize = 8192;
const SOFTENING: f32 = 0.01;
/// Bodies that Rust computes side by side.
const LANES: usize = 8;

/// The case.
pub(crate) fn case() -> Case {
    Case {
        name: "n-body",
        size: "8192 bodies, all pairs",
        text: include_str!("nbody.wgsl"),
        buffers: vec![Random::new(1).floats(BODIES * 4, 0.0, 1.0), vec![0; BODIES * 4]],
        launches: vec![Launch::new("main", &[0, 1], [(BODIES / 64) as u32, 1, 1])],
        outputs: vec![1],
        restored: vec![],
        rust,
        agreement: Agreement::Close(1e-4),
    }
}

fn rust(buffers: &mut [Words]) {
    let [bodies, accelerations] = each(buffers);
    let bodies = floats(bodies).as_chunks::<4>().0;
    let accelerations = floats_mut(accelerations);
    accelerations.par_chunks_mut(LANES * 4).zip(bodies.par_chunks(LANES)).for_each(|(out, here)| {
        let axis = |axis: usize| -> [f32; LANES] { std::array::from_fn(|lane| here[lane][axis]) };
        let (hx, hy, hz) = (axis(0), axis(1), axis(2));
        let (mut sx, mut sy, mut sz) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for [x, y, z, mass] in bodies {
            for lane in 0..LANES {
                let (dx, dy, dz) = (x - hx[lane], y - hy[lane], z - hz[lane]);
                let inverse = 1.0 / (dx * dx + dy * dy + dz * dz + SOFTENING).sqrt();
                let pull = mass * inverse * inverse * inverse;
                sx[lane] += dx * pull;
                sy[lane] += dy * pull;
                sz[lane] += dz * pull;
            }
        }
        for (lane, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *out = [sx[lane], sy[lane], sz[lane], 0.0];
        }
    });
}
