//! Kernels that nobody can wait for: whoever ends the session is free soon, and so are the threads.

use std::time::{Duration, Instant};

use samebit_reference::ReferenceDevice;

use crate::support::{Lab, device};

/// What may pass until everything has stopped. A tenth of a second is aimed at; other tests may be running.
const SOON: Duration = Duration::from_millis(1000);

/// Threads of this process that belong to the device.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux tells");
    let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("samebit-")).count()
}

/// Launches a kernel and leaves, by closing the session and by dropping it.
fn leave(text: &str, grid: [u32; 3]) {
    for close in [true, false] {
        let device: ReferenceDevice = device();
        let mut lab = Lab::open(&device, i32::MAX as u32);
        let kernel = lab.kernel(text);
        let data = lab.zeros(1024);
        for _ in 0..3 {
            lab.run(kernel, &[data], grid);
        }
        std::thread::sleep(Duration::from_millis(50));
        let begin = Instant::now();
        if close {
            lab.close()
        } else {
            drop(lab)
        }
        drop(device);
        while threads() > 0 {
            assert!(begin.elapsed() < SOON, "{} threads are left", threads());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn serial_the_largest_grid_can_be_left() {
    let text = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
                @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) { data[id.x % 1024] = 1; }";
    leave(text, [65_535; 3]);
}

#[test]
fn serial_large_workgroups_can_be_left() {
    let text = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
                var<workgroup> tile: array<u32, 4096>;
                @compute @workgroup_size(256) fn main(@builtin(local_invocation_index) i: u32) {
                    for (var round = 0u; round < 64; round++) { tile[i + round] += round; workgroupBarrier(); }
                    data[i] = tile[i];
                }";
    leave(text, [65_535, 65_535, 1]);
}

#[test]
fn serial_loops_can_be_left() {
    let text = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
                @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
                    var x = i;
                    loop { x = x * 1664525 + 1013904223; if x == data[i] && x == 7 { break; } }
                    data[i] = x;
                }";
    leave(text, [1, 1, 1]);
    leave(text, [1000, 1, 1]);
}

/// The same number of iterations for everybody.
#[test]
fn serial_uniform_loops_can_be_left() {
    let text = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
                @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
                    var sum = 0u;
                    for (var j = 0u; j < 2000000000; j++) { sum = sum * 3 + data[i]; }
                    data[i] = sum;
                }";
    leave(text, [1000, 1, 1]);
}
