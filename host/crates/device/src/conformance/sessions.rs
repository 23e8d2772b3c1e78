//! Sessions know nothing of each other, and end whenever they are dropped.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use super::lab::{Failure, Lab, expect, expect_words};
use crate::{BufferRange, Device};

const BUSY: &str = "
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        var x = id.x;
        for (var i = 0u; i < 20000; i++) { x = x * 1664525 + 1013904223; }
        data[id.x] = x;
    }";

/// What [`BUSY`] leaves in its first words.
fn busy(words: usize) -> Vec<u32> {
    let step = |x: u32| x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (0..words as u32).map(|id| (0..20_000).fold(id, |x, _| step(x))).collect()
}

/// Both give out the same ids.
pub(super) async fn keeps_sessions_apart(device: &dyn Device) -> Result<(), Failure> {
    let mut first = Lab::open(device).await?;
    let mut second = Lab::open(device).await?;
    let one = first.buffer(&[1; 64])?;
    let two = second.buffer(&[2; 64])?;
    let kernel = first.kernel(BUSY)?;
    first.run(kernel, &[one], [1, 1, 1])?;
    second.write(two, 3, &[5])?;
    let mut expected = [2; 64];
    expected[3] = 5;
    expect_words("the second session's", &second.words(two).await?, &expected)?;
    drop(second);
    expect_words("the first session's", &first.words(one).await?, &busy(64))
}

pub(super) async fn hides_what_was_there_before(device: &dyn Device) -> Result<(), Failure> {
    const BYTES: u64 = 16 << 20;
    let zeros = vec![0; BYTES as usize];
    for round in 0..3 {
        let mut lab = Lab::open(device).await?;
        let fresh = lab.gpu.buffer_create(BYTES)?;
        let is_zero = lab.bytes(fresh, 0, BYTES).await? == zeros;
        expect(&format!("zeros in round {round}"), is_zero, true)?;
        lab.gpu.buffer_fill(BufferRange { buffer: fresh, offset: 0, size: BYTES }, 0x5ec2_e75e)?;
        lab.gpu.finish().await?;
        lab.gpu.buffer_drop(fresh);
        let again = lab.gpu.buffer_create(BYTES)?;
        let is_zero = lab.bytes(again, 0, BYTES).await? == zeros;
        expect(&format!("zeros in memory used again in round {round}"), is_zero, true)?;
    }
    Ok(())
}

pub(super) async fn survives_being_dropped_in_flight(device: &dyn Device) -> Result<(), Failure> {
    for queued in [0, 1, 300] {
        let mut lab = Lab::open(device).await?;
        let data = lab.zeros(64 * 16)?;
        let kernel = lab.kernel(BUSY)?;
        for _ in 0..queued {
            lab.run(kernel, &[data], [16, 1, 1])?;
        }
    }
    let mut lab = Lab::open(device).await?;
    let data = lab.zeros(64)?;
    let kernel = lab.kernel(BUSY)?;
    lab.run(kernel, &[data], [1, 1, 1])?;
    expect_words("the next session's", &lab.words(data).await?, &busy(64))
}

/// The job's wall time ran out while it read: the read is dropped where it is, and then the session, or not.
pub(super) async fn survives_an_unfinished_read(device: &dyn Device) -> Result<(), Failure> {
    for goes_on in [false, true] {
        let mut lab = Lab::open(device).await?;
        let data = lab.zeros(64 * 256)?;
        let kernel = lab.kernel(BUSY)?;
        lab.run(kernel, &[data], [256, 1, 1])?;
        {
            let mut sink = |_: &[u8]| Ok(());
            let range = BufferRange { buffer: data, offset: 0, size: 64 * 256 * 4 };
            let read = pin!(lab.gpu.buffer_read(range, &mut sink));
            // Whether it was done already or not, it is dropped now.
            let _ = read.poll(&mut Context::from_waker(Waker::noop()));
        }
        if goes_on {
            expect_words("the read after it", &lab.words(data).await?[..8], &busy(8))?;
        }
    }
    Ok(())
}
