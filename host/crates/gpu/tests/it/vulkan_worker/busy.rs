//! Workers that have something to do for long, and which of them that is.

use std::time::{Duration, Instant};

use samebit_device::wgsl::{Source, parse};
use samebit_device::{BindingIndex, BufferRange, Grid};

use super::MINUTE;
use crate::worker::{Desk, children, stat};

/// Queues a dispatch that takes longer than anybody waits, and has it begin.
pub(super) async fn endless(desk: &mut Desk) {
    spin(desk, [65_535, 65_535, 1], 1).await;
    std::thread::sleep(Duration::from_millis(300));
}

/// Queues dispatches of so many workgroups, each of some milliseconds.
pub(super) async fn spin(desk: &mut Desk, groups: [u32; 3], dispatches: u32) {
    // lavapipe leaves loops after 65,535 rounds of all together.
    let text = "
        @group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            var x = data[id.x % 64] | 1;
            for (var i = 0u; i < 65000; i++) { x = x * 1664525 + i; if x == 0 { x = data[i % 64]; } }
            data[id.x % 64] = x;
        }";
    let kernel = parse(&Source { text, entry_point: "main", constants: &[] }).expect("the text is valid");
    let kernel = desk.gpu.kernel_create(kernel, text).expect("it compiles");
    let given = [(BindingIndex { group: 0, binding: 0 }, desk.buffer, 0, None)];
    for _ in 0..dispatches {
        desk.gpu.settle().await.expect("there is room");
        desk.gpu.dispatch(kernel, &given, Grid::Direct(groups)).expect("it is valid");
    }
    // The kernel's creation is answered, so all before it has been taken; this has what came after begin.
    if dispatches == 1 {
        let mut never = |_: &[u8]| Ok(());
        let range = BufferRange { buffer: desk.buffer, offset: 0, size: 4 };
        let reading = desk.gpu.buffer_read(range, &mut never);
        begin(reading);
    }
}

/// Starts something and lets go of it.
fn begin<T>(future: impl Future<Output = T>) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = std::pin::pin!(future).poll(&mut context);
}

/// The worker that computes: the one which has used more of a processor than starting takes.
pub(super) fn busy_worker() -> u32 {
    let began = Instant::now();
    loop {
        if let Some(pid) = children().into_iter().find(|pid| cpu_ticks(*pid) > 200) {
            return pid;
        }
        assert!(began.elapsed() < MINUTE, "no worker became busy");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Time on a CPU so far.
fn cpu_ticks(pid: u32) -> u64 {
    stat(pid, 11).parse().unwrap_or(0)
}
