//! What a kernel sees of the buffers that are bound to it.

use super::lab::{Failure, Lab, at, expect_words};
use crate::{BindingIndex, Device, Grid};

pub(super) async fn binds_uniforms_and_storage(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "struct Params { factor: u32, offset: vec3u }
         @group(0) @binding(0) var<uniform> params: Params;
         @group(0) @binding(1) var<storage> source: array<u32>;
         @group(0) @binding(2) var<storage, read_write> target_: array<u32>;
         @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
             target_[id.x] = source[id.x] * params.factor + params.offset.z;
         }",
    )?;
    let params = lab.buffer(&[10, 0, 0, 0, 1, 2, 3, 0])?;
    let source = lab.buffer(&[1, 2, 3, 4])?;
    let target = lab.zeros(4)?;
    lab.run(kernel, &[params, source, target], [1, 1, 1])?;
    expect_words("the result", &lab.words(target).await?, &[13, 23, 33, 43])?;
    // One buffer may be read in two roles.
    lab.run(kernel, &[params, params, target], [1, 1, 1])?;
    expect_words("the result of one buffer read twice", &lab.words(target).await?, &[103, 3, 3, 3])
}

const COPY: &str = "
    @group(0) @binding(0) var<storage> source: array<u32>;
    @group(0) @binding(1) var<storage, read_write> target_: array<u32>;
    @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
        target_[id.x] = source[id.x] + arrayLength(&source);
    }";

pub(super) async fn binds_at_offsets(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(COPY)?;
    let source = lab.buffer(&(0..256).collect::<Vec<_>>())?;
    let target = lab.zeros(256)?;
    let index = |binding| BindingIndex { group: 0, binding };
    let given = [(index(1), target, 512, Some(256)), (index(0), source, 256, Some(8))];
    lab.gpu.dispatch(kernel, &given, Grid::Direct([2, 1, 1]))?;
    let mut expected = [0; 256];
    expected[128..130].copy_from_slice(&[66, 67]);
    expect_words("the target", &lab.words(target).await?, &expected)
}

pub(super) async fn shows_the_length_that_was_bound(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(COPY)?;
    let source = lab.zeros(1000)?;
    let target = lab.zeros(1)?;
    for (offset, size, length) in [(0, None, 1000), (256, None, 936), (0, Some(4), 1), (512, Some(128), 32)] {
        let given = [(BindingIndex { group: 0, binding: 0 }, source, offset, size), at(0, 1, target)];
        lab.gpu.dispatch(kernel, &given, Grid::Direct([1, 1, 1]))?;
        expect_words(&format!("the length of {size:?} bytes from {offset}"), &lab.words(target).await?, &[length])?;
    }
    Ok(())
}

/// Group 1 is left out, and the binding numbers are anything.
pub(super) async fn binds_several_groups(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(
        "@group(0) @binding(3) var<storage, read_write> a: array<u32>;
         @group(2) @binding(999) var<storage, read_write> b: array<u32>;
         @group(2) @binding(0) var<storage> c: array<u32>;
         @group(3) @binding(1) var<uniform> d: vec4u;
         @compute @workgroup_size(1) fn main() { a[0] = c[0] + d.w; b[0] = c[1] + d.x; }",
    )?;
    let a = lab.zeros(1)?;
    let b = lab.zeros(1)?;
    let c = lab.buffer(&[100, 200])?;
    let d = lab.buffer(&[1, 2, 3, 4])?;
    let given = [at(3, 1, d), at(2, 999, b), at(0, 3, a), at(2, 0, c)];
    lab.gpu.dispatch(kernel, &given, Grid::Direct([1, 1, 1]))?;
    expect_words("the first result", &lab.words(a).await?, &[104])?;
    expect_words("the second result", &lab.words(b).await?, &[201])
}
