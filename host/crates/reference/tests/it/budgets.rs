//! Budgets of loop iterations: exact to the iteration, per invocation, and told only where a guest waits.

use samebit_device::{FinishError, ReadError};

use crate::support::{Lab, device};

/// Each invocation runs as many iterations as its word says, in two loops, one inside the other.
const LOOPS: &str = "
    @group(0) @binding(0) var<storage, read_write> counts: array<u32>;
    @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
        var left = counts[id.x];
        var sum = 0u;
        loop {
            if left == 0 { break; }
            left -= 1;
            for (var i = 0u; i < 3 && left > 0; i++) { left -= 1; sum += i; }
            sum += left;
        }
        counts[id.x] = sum;
    }";

/// How many iterations an invocation of [`LOOPS`] begins, the last ones of each loop included, in which it is left.
fn iterations(mut left: u32) -> u32 {
    let mut count = 0;
    loop {
        count += 1;
        if left == 0 {
            return count;
        }
        left -= 1;
        let mut i = 0;
        loop {
            count += 1;
            if !(i < 3 && left > 0) {
                break;
            }
            left -= 1;
            i += 1;
        }
    }
}

#[test]
fn a_budget_is_exact() {
    let device = device();
    for count in [1, 7, 1000, 54_321] {
        let needed = iterations(count);
        for (budget, enough) in [(needed, true), (needed - 1, false), (needed + 1, true)] {
            // One invocation of many has that much to do, in each place of a workgroup.
            for place in [0, 5, 63] {
                let mut lab = Lab::open(&device, budget);
                let kernel = lab.kernel(LOOPS);
                let data = lab.zeros(64);
                let bytes = count.to_le_bytes();
                lab.gpu.buffer_write(data, place * 4, &bytes).expect("it is in range");
                lab.run(kernel, &[data], [8, 1, 1]);
                let spent = matches!(lab.finish(), Err(FinishError::BudgetSpent));
                assert_eq!(spent, !enough, "{count} at {place} with {budget}, {needed} needed");
                assert_eq!(lab.words(data).is_ok(), enough);
            }
        }
    }
}

/// The budget is of a launch, not of a session.
#[test]
fn every_launch_has_its_own_budget() {
    let mut lab = Lab::open(&device(), 1000);
    let kernel = lab.kernel(LOOPS);
    let data = lab.zeros(64);
    for _ in 0..50 {
        lab.gpu.buffer_write(data, 0, &[200, 0, 0, 0]).expect("it is in range");
        lab.run(kernel, &[data], [8, 1, 1]);
    }
    assert_eq!(lab.finish(), Ok(()));
}

#[test]
fn a_loop_without_end_spends_the_budget_of_every_job() {
    let text = "
        @group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            loop { if data[id.x] == 1 { break; } }
        }";
    let mut lab = Lab::open(&device(), 1 << 24);
    let kernel = lab.kernel(text);
    let data = lab.zeros(1 << 16);
    lab.run(kernel, &[data], [1024, 1, 1]);
    pollster::block_on(lab.gpu.settle()).expect("settling tells nothing");
    assert!(matches!(lab.words(data), Err(ReadError::BudgetSpent)));
    lab.close();
}
