//! A sparse matrix by a vector: reads from anywhere, and loops of different lengths.

use rayon::prelude::*;

use super::{each, floats, floats_mut};
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const ROWS: usize = 1 << 17;
/// Entries of a row: up to twice as many.
const ENTRIES: u32 = 16;

/// The case.
pub(crate) fn case() -> Case {
    let mut random = Random::new(14);
    let mut starts = vec![0];
    let mut end = 0;
    for _ in 0..ROWS {
        end += random.below(2 * ENTRIES + 1);
        starts.push(end);
    }
    let columns = (0..end).map(|_| random.below(ROWS as u32)).collect();
    let values = random.floats(end as usize, -1.0, 1.0);
    let x = random.floats(ROWS, -1.0, 1.0);
    Case {
        name: "spmv",
        size: "131,072 rows, 16 entries each on average",
        text: include_str!("spmv.wgsl"),
        buffers: vec![starts, columns, values, x, vec![0; ROWS]],
        launches: vec![Launch::new("main", &[0, 1, 2, 3, 4], [(ROWS / 64) as u32, 1, 1])],
        outputs: vec![4],
        restored: vec![],
        rust,
        agreement: Agreement::Bits { driver_part: 1.0 },
    }
}

fn rust(buffers: &mut [Words]) {
    let [starts, columns, values, x, y] = each(buffers);
    let (values, x) = (floats(values), floats(x));
    floats_mut(y).par_chunks_mut(1024).zip(starts.par_windows(1025).step_by(1024)).for_each(|(y, starts)| {
        for (y, ends) in y.iter_mut().zip(starts.windows(2)) {
            let entries = ends[0] as usize..ends[1] as usize;
            let pairs = values[entries.clone()].iter().zip(&columns[entries]);
            *y = pairs.fold(0.0, |sum, (value, column)| sum + value * x[*column as usize]);
        }
    });
}
