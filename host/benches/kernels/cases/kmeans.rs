//! The assignment step of k-means: the nearest of 64 centers in eight dimensions.

use rayon::prelude::*;

use super::{each, floats};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch};

const POINTS: usize = 1 << 17;
const CENTERS: usize = 64;
const DIMENSIONS: usize = 8;
/// Points that Rust computes side by side.
const LANES: usize = 8;

/// The case.
pub(crate) fn case() -> Case {
    let mut random = Random::new(12);
    let points = random.floats(POINTS * DIMENSIONS, 0.0, 1.0);
    let centers = random.floats(CENTERS * DIMENSIONS, 0.0, 1.0);
    Case {
        name: "k-means",
        size: "131,072 points, 64 centers, 8 dimensions",
        text: include_str!("kmeans.wgsl"),
        buffers: vec![points, centers, vec![0; POINTS]],
        launches: vec![Launch::new("main", &[0, 1, 2], [(POINTS / 64) as u32, 1, 1])],
        outputs: vec![2],
        restored: vec![],
        rust: |buffers| {
            let [points, centers, nearest] = each(buffers);
            let points = floats(points).as_chunks::<DIMENSIONS>().0;
            let centers = floats(centers).as_chunks::<DIMENSIONS>().0;
            nearest.par_chunks_mut(LANES * 128).zip(points.par_chunks(LANES * 128)).for_each(|(nearest, points)| {
                for (nearest, points) in nearest.as_chunks_mut().0.iter_mut().zip(points.as_chunks().0) {
                    *nearest = assign(points, centers);
                }
            });
        },
        // Sums of products that are fused on one side and not on the other may decide a tie otherwise.
        agreement: Agreement::Words { part: 1e-4 },
    }
}

fn assign(points: &[[f32; DIMENSIONS]; LANES], centers: &[[f32; DIMENSIONS]]) -> [u32; LANES] {
    let axes: [[f32; LANES]; DIMENSIONS] = std::array::from_fn(|axis| std::array::from_fn(|lane| points[lane][axis]));
    let mut best = [0; LANES];
    let mut best_distance = [3.0e38f32; LANES];
    for (index, center) in centers.iter().enumerate() {
        let mut distance = [0.0; LANES];
        for (axis, center) in axes.iter().zip(center) {
            for lane in 0..LANES {
                let way = axis[lane] - center;
                distance[lane] += way * way;
            }
        }
        for lane in 0..LANES {
            let is_nearer = distance[lane] < best_distance[lane];
            best[lane] = if is_nearer { index as u32 } else { best[lane] };
            best_distance[lane] = if is_nearer { distance[lane] } else { best_distance[lane] };
        }
    }
    best
}
