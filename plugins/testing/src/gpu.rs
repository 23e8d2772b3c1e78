//! Short ways to the GPU for guests that get far enough to use it.

use crate::bindings::samebit::job::gpu::{Binding, Buffer, Kernel, KernelDescriptor, Workgroups};

/// Copies `source` to `target`, an element an invocation.
pub const COPY: &str = "
@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> target_: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < min(arrayLength(&source), arrayLength(&target_)) { target_[id.x] = source[id.x] + 1u; }
}";

/// A kernel that must be taken.
pub fn kernel(wgsl: &str) -> Result<Kernel, String> {
    let descriptor = KernelDescriptor { wgsl: wgsl.to_owned(), entry_point: "main".to_owned(), constants: Vec::new() };
    Kernel::create(&descriptor).map_err(|error| format!("a kernel was refused: {error:?}"))
}

/// A buffer that must be given.
pub fn buffer(size: u64) -> Result<Buffer, String> {
    Buffer::create(size).map_err(|error| format!("a buffer of {size} bytes was refused: {error:?}"))
}

/// All of a buffer, bound in group 0.
pub fn bind(binding: u32, buffer: &Buffer) -> Binding<'_> {
    Binding { group: 0, binding, buffer, offset: 0, size: None }
}

/// Workgroups along x.
pub fn along_x(x: u32) -> Workgroups {
    Workgroups { x, y: 1, z: 1 }
}
