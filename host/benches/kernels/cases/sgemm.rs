//! Products of matrices: one element to an invocation, tiles in workgroup memory, and blocks in registers.

use rayon::prelude::*;

use super::{each, floats, floats_mut};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const SIZE: usize = 512;

/// Each invocation an element.
pub(crate) fn naive() -> Case {
    let groups = (SIZE / 16) as u32;
    case("sgemm naive", include_str!("sgemm_naive.wgsl"), groups, Agreement::Bits { driver_part: 1.0 }, by_rows)
}

/// Through tiles of 16 by 16.
pub(crate) fn tiled() -> Case {
    let groups = (SIZE / 16) as u32;
    case("sgemm tiled", include_str!("sgemm_tiled.wgsl"), groups, Agreement::Bits { driver_part: 1.0 }, by_blocks)
}

/// Through tiles of 64 by 64, each invocation 4 by 4 elements.
pub(crate) fn blocked() -> Case {
    case("sgemm blocked", super::BLOCKED, (SIZE / 64) as u32, Agreement::Close(1e-4), by_blocks)
}

fn case(name: &'static str, text: &'static str, groups: u32, agreement: Agreement, rust: fn(&mut [Words])) -> Case {
    let matrix = |seed| Random::new(seed).floats(SIZE * SIZE, -1.0, 1.0);
    Case {
        name,
        size: "512³",
        text,
        buffers: vec![matrix(2), matrix(3), vec![0; SIZE * SIZE]],
        launches: vec![Launch::new("main", &[0, 1, 2], [groups, groups, 1]).with("SIZE", SIZE)],
        outputs: vec![2],
        restored: vec![],
        rust,
        agreement,
    }
}

/// Rows of `c` that are computed together, so that a row of `b` is used that often once it is loaded.
const ROWS: usize = 4;
/// Columns that are computed together: as many sums as fit into the baseline's registers.
const COLUMNS: usize = 8;
/// Rows of a task.
const TASK: usize = 32;

/// Rust's plain way: rows of `b`, each times a number of `a`, onto a row of `c`.
fn by_rows(buffers: &mut [Words]) {
    let [a, b, c] = each(buffers);
    let (a, b) = (floats(a), floats(b));
    floats_mut(c).par_chunks_mut(SIZE).zip(a.par_chunks(SIZE)).for_each(|(c, a)| {
        c.fill(0.0);
        for (a, b) in a.iter().zip(b.chunks_exact(SIZE)) {
            for (c, b) in c.iter_mut().zip(b) {
                *c += a * b;
            }
        }
    });
}

/// Rust's better way: `b` in strips that stay in the cache, and blocks of sums that stay in registers.
fn by_blocks(buffers: &mut [Words]) {
    let [a, b, c] = each(buffers);
    let (a, b) = (floats(a), floats(b));
    // Columns in strips, so that a strip is read in order, and stays in the cache for all rows of a task.
    let strips: Vec<[f32; COLUMNS]> = (0..SIZE / COLUMNS)
        .flat_map(|strip| (0..SIZE).map(move |k| std::array::from_fn(|x| b[k * SIZE + strip * COLUMNS + x])))
        .collect();
    floats_mut(c).par_chunks_mut(SIZE * TASK).zip(a.par_chunks(SIZE * TASK)).for_each(|(c, a)| {
        for (strip, b) in strips.chunks_exact(SIZE).enumerate() {
            for (c, a) in c.chunks_exact_mut(SIZE * ROWS).zip(a.chunks_exact(SIZE * ROWS)) {
                let sums = block(a, b);
                for (row, sums) in sums.iter().enumerate() {
                    let at = row * SIZE + strip * COLUMNS;
                    c[at..at + COLUMNS].copy_from_slice(sums);
                }
            }
        }
    });
}

fn block(a: &[f32], b: &[[f32; COLUMNS]]) -> [[f32; COLUMNS]; ROWS] {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &a[row * SIZE..(row + 1) * SIZE]);
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (k, b) in b.iter().enumerate().take(SIZE) {
        for row in 0..ROWS {
            let a = rows[row][k];
            for x in 0..COLUMNS {
                sums[row][x] += a * b[x];
            }
        }
    }
    sums
}
