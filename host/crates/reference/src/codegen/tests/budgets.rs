//! Budgets are spent exactly.

use super::check_budget;

fn buffer(words: u32) -> Vec<u32> {
    (0..words).collect()
}

/// Finds by halving where a kernel's budget begins to suffice, and checks both ways all around.
fn check_exact(text: &str, buffers: &[Vec<u32>], workgroups: [u32; 3], exact: u32) {
    for budget in [exact.saturating_sub(1), exact, exact + 1, 1, exact / 2] {
        let enough = check_budget(text, buffers, workgroups, budget);
        assert_eq!(enough, budget >= exact, "budget {budget}");
    }
}

#[test]
fn uniform_loops_count_for_all() {
    let text = "@group(0) @binding(0) var<storage, read_write> a: array<u32>;
        @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
            for (var i = 0u; i < 10000u; i++) { a[id.x] += i; }
        }";
    check_exact(text, &[buffer(16)], [2, 1, 1], 10001);
}

#[test]
fn each_lane_counts_its_own() {
    let text = "@group(0) @binding(0) var<storage, read_write> a: array<u32>;
        @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
            for (var i = 0u; i < id.x * 100u; i++) { a[id.x] += i; }
            if (id.x % 2u == 0u) { for (var i = 0u; i < 50u; i++) { a[id.x] += i; } }
            for (var i = 0u; i < (20u - id.x) * 300u; i++) { a[id.x] += i; }
        }";
    // The first invocation: 1 + 51 + 6001.
    check_exact(text, &[buffer(16)], [2, 1, 1], 1 + 51 + 6001);
}

#[test]
fn lanes_that_returned_do_not_count() {
    let text = "@group(0) @binding(0) var<storage, read_write> a: array<u32>;
        @compute @workgroup_size(5) fn main(@builtin(global_invocation_id) id: vec3u) {
            if (id.x % 3u == 1u) { return; }
            for (var i = 0u; i < 5000u; i++) { if (i > id.x * 100u) { continue; } a[id.x] += i; }
        }";
    check_exact(text, &[buffer(10)], [2, 1, 1], 5001);
}

#[test]
fn loops_around_barriers_count() {
    let text = "@group(0) @binding(0) var<storage, read_write> a: array<u32>;
        var<workgroup> w: array<u32, 8>;
        @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {
            for (var k = 0u; k < 5000u; k++) {
                w[i] = k;
                workgroupBarrier();
                if (i == 3u) { for (var j = 0u; j < 2u; j++) { a[0] += w[(i + j) % 8u]; } }
                workgroupBarrier();
            }
        }";
    check_exact(text, &[buffer(8)], [1, 1, 1], 5001 + 5000 * 3);
}

#[test]
fn loops_without_an_end_end() {
    let text = "@group(0) @binding(0) var<storage, read_write> a: array<u32>;
        @compute @workgroup_size(8) fn main() { loop { if (a[0] == 7u) { break; } } }";
    assert!(!check_budget(text, &[vec![1]], [1, 1, 1], 100_000));
}
