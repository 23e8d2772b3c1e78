//! Prefix sums: many barriers and little work between them.

use rayon::prelude::*;

use super::each;
use crate::random::Random;
use crate::suite::{Agreement, Case, Launch, Words};

const COUNT: usize = 1 << 22;
/// Elements of a workgroup.
const BLOCK: usize = 1024;
/// Elements of a task in Rust.
const TASK: usize = 1 << 16;

/// The case.
pub(crate) fn case() -> Case {
    let groups = (COUNT / BLOCK) as u32;
    Case {
        name: "prefix sum",
        size: "4 Mi words",
        text: include_str!("scan.wgsl"),
        buffers: vec![Random::new(8).words(COUNT), vec![0; COUNT / BLOCK]],
        launches: vec![
            Launch::new("blocks", &[0, 1], [groups, 1, 1]),
            Launch { bindings: vec![(1, 1)], ..Launch::new("totals", &[], [1, 1, 1]) },
            Launch::new("together", &[0, 1], [groups, 1, 1]),
        ],
        outputs: vec![0],
        restored: vec![0],
        rust,
        agreement: Agreement::Everywhere,
    }
}

fn rust(buffers: &mut [Words]) {
    let [data, _] = each(buffers);
    let sums = data.par_chunks(TASK).map(|task| task.iter().fold(0u32, |sum, word| sum.wrapping_add(*word)));
    let mut before: Vec<u32> = sums.collect();
    let mut sum = 0u32;
    for task in &mut before {
        sum = sum.wrapping_add(std::mem::replace(task, sum));
    }
    data.par_chunks_mut(TASK).zip(before).for_each(|(task, mut sum)| {
        for word in task {
            sum = sum.wrapping_add(std::mem::replace(word, sum));
        }
    });
}
