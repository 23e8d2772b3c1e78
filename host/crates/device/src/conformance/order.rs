//! Calls take effect in their order, however they are queued and batched.

use super::lab::{Failure, Lab, expect_words};
use crate::{BufferCopy, BufferRange, Device};

/// `data[i] = data[i] * 3 + step`, which does not commute with itself for another step.
const STEP: &str = "
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @group(0) @binding(1) var<uniform> step: vec4u;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        if id.x < arrayLength(&data) { data[id.x] = data[id.x] * 3 + step.x; }
    }";

pub(super) async fn keeps_the_order_of_calls(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(STEP)?;
    let data = lab.buffer(&[1; 4])?;
    let copy = lab.zeros(4)?;
    let step = lab.buffer(&[10, 0, 0, 0])?;
    let whole = |buffer| BufferRange { buffer, offset: 0, size: 16 };
    let mut expected = [1u32; 4];
    for round in 0..50u32 {
        lab.run(kernel, &[data, step], [1, 1, 1])?;
        expected = expected.map(|word| word.wrapping_mul(3).wrapping_add(if round == 0 { 10 } else { round - 1 }));
        lab.gpu.buffer_copy(BufferCopy { source: data, source_offset: 0, target: whole(copy) })?;
        lab.write(data, 1, &[round])?;
        expected[1] = round;
        lab.gpu.buffer_fill(BufferRange { buffer: data, offset: 8, size: 4 }, round * 7)?;
        expected[2] = round * 7;
        lab.run(kernel, &[copy, step], [1, 1, 1])?;
        lab.gpu.buffer_copy(BufferCopy {
            source: copy,
            source_offset: 12,
            target: BufferRange { buffer: data, offset: 0, size: 4 },
        })?;
        let factor = if round == 0 { 10 } else { round - 1 };
        expected[0] = expected[3].wrapping_mul(3).wrapping_add(factor);
        lab.write(step, 0, &[round])?;
        if round % 16 == 7 {
            expect_words(&format!("round {round}"), &lab.words(data).await?, &expected)?;
        }
    }
    expect_words("the last round", &lab.words(data).await?, &expected)
}

pub(super) async fn keeps_small_writes_between_dispatches(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(STEP)?;
    let data = lab.zeros(1)?;
    let step = lab.zeros(4)?;
    let mut expected = 0u32;
    for round in 1..3000 {
        lab.write(step, 0, &[round])?;
        lab.run(kernel, &[data, step], [1, 1, 1])?;
        lab.gpu.settle().await?;
        expected = expected.wrapping_mul(3).wrapping_add(round);
    }
    expect_words("the sum", &lab.words(data).await?, &[expected])
}

pub(super) async fn keeps_large_writes_between_dispatches(device: &dyn Device) -> Result<(), Failure> {
    const WORDS: usize = 1 << 18;
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(STEP)?;
    let data = lab.zeros(WORDS)?;
    let step = lab.buffer(&[5, 0, 0, 0])?;
    for round in 0..4 {
        lab.write(data, 0, &vec![round; WORDS - 1])?;
        lab.run(kernel, &[data, step], [WORDS as u32 / 64, 1, 1])?;
        lab.write(data, 0, &[100 + round])?;
    }
    let mut expected = vec![14; WORDS];
    expected[0] = 103;
    expected[WORDS - 1] = 5 * (1 + 3 + 9 + 27);
    expect_words("the data", &lab.words(data).await?, &expected)
}

pub(super) async fn runs_many_dispatches(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let kernel = lab.kernel(STEP)?;
    let data = lab.zeros(100)?;
    let step = lab.buffer(&[1, 0, 0, 0])?;
    let mut expected = 0u32;
    for _ in 0..5000 {
        lab.run(kernel, &[data, step], [2, 1, 1])?;
        lab.gpu.settle().await?;
        expected = expected.wrapping_mul(3).wrapping_add(1);
    }
    lab.gpu.finish().await?;
    expect_words("the data", &lab.words(data).await?, &[expected; 100])
}

pub(super) async fn keeps_what_is_dropped_while_queued(device: &dyn Device) -> Result<(), Failure> {
    let mut lab = Lab::open(device).await?;
    let data = lab.zeros(64)?;
    let mut expected = vec![0; 64];
    for round in 0..64 {
        // A kernel and two buffers, gone before they can have been used.
        let kernel = lab.kernel(STEP)?;
        let step = lab.buffer(&[round, 0, 0, 0])?;
        let source = lab.buffer(&[round; 16])?;
        lab.run(kernel, &[source, step], [1, 1, 1])?;
        let target = BufferRange { buffer: data, offset: u64::from(round) * 4, size: 4 };
        lab.gpu.buffer_copy(BufferCopy { source, source_offset: 8, target })?;
        lab.gpu.buffer_drop(source);
        lab.gpu.buffer_drop(step);
        lab.gpu.kernel_drop(kernel);
        expected[round as usize] = round * 4;
    }
    expect_words("what came of them", &lab.words(data).await?, &expected)
}

/// Large buffers that are written, used and dropped, far more than may be alive at once.
pub(super) async fn settles_under_load(device: &dyn Device) -> Result<(), Failure> {
    const BYTES: usize = 8 << 20;
    let mut lab = Lab::open(device).await?;
    let data = lab.zeros(64)?;
    let bytes = vec![7; BYTES];
    for round in 0..64 {
        lab.gpu.settle().await?;
        let source = lab.zeros(BYTES / 4)?;
        lab.gpu.buffer_write(source, 0, &bytes)?;
        let target = BufferRange { buffer: data, offset: round * 4, size: 4 };
        lab.gpu.buffer_copy(BufferCopy { source, source_offset: round * 4, target })?;
        lab.gpu.buffer_drop(source);
    }
    lab.gpu.finish().await?;
    expect_words("what came of them", &lab.words(data).await?, &[0x0707_0707; 64])
}
