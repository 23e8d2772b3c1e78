//! Grids whose counts are read from a buffer when the device gets there.

use super::lab::{Failure, Lab, at, expect_words};
use crate::{BufferId, Device, Grid, KernelId};

/// Counts workgroups, and notes the largest id along each axis.
const COUNT: &str = "
    struct Seen { workgroups: atomic<u32>, x: atomic<u32>, y: atomic<u32>, z: atomic<u32>, grid: array<u32, 3> }
    @group(0) @binding(0) var<storage, read_write> seen: Seen;
    @compute @workgroup_size(1)
    fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
        atomicAdd(&seen.workgroups, 1u);
        atomicMax(&seen.x, id.x); atomicMax(&seen.y, id.y); atomicMax(&seen.z, id.z);
        if all(id == vec3u()) { seen.grid[0] = grid.x; seen.grid[1] = grid.y; seen.grid[2] = grid.z; }
    }";

struct Counter {
    lab: Lab,
    kernel: KernelId,
    seen: BufferId,
}

impl Counter {
    async fn new(device: &dyn Device) -> Result<Self, Failure> {
        let mut lab = Lab::open(device).await?;
        let kernel = lab.kernel(COUNT)?;
        let seen = lab.zeros(7)?;
        Ok(Self { lab, kernel, seen })
    }

    fn dispatch(&mut self, buffer: BufferId, offset: u64) -> Result<(), Failure> {
        let given = [at(0, 0, self.seen)];
        Ok(self.lab.gpu.dispatch(self.kernel, &given, Grid::Indirect { buffer, offset })?)
    }
}

pub(super) async fn takes_counts_from_a_buffer(device: &dyn Device) -> Result<(), Failure> {
    let mut counter = Counter::new(device).await?;
    let mut counts = vec![0; 200];
    for (at, grid) in [(0, [2, 3, 4]), (61, [5, 1, 1]), (62, [1, 1, 7]), (197, [1, 9, 1])] {
        counts.fill(0);
        counts[at..at + 3].copy_from_slice(&grid);
        let buffer = counter.lab.buffer(&counts)?;
        counter.lab.write(counter.seen, 0, &[0; 7])?;
        counter.dispatch(buffer, at as u64 * 4)?;
        let [x, y, z] = grid;
        let expected = [x * y * z, x - 1, y - 1, z - 1, x, y, z];
        expect_words(&format!("{grid:?} at word {at}"), &counter.lab.words(counter.seen).await?, &expected)?;
    }
    // Counts that a kernel has just written count, and the smallest buffer will do.
    let writer = counter.lab.kernel(
        "@group(0) @binding(0) var<storage, read_write> counts: array<u32>;
         @compute @workgroup_size(3) fn main(@builtin(local_invocation_index) i: u32) { counts[i] = i + 1; }",
    )?;
    let buffer = counter.lab.zeros(3)?;
    counter.lab.write(counter.seen, 0, &[0; 7])?;
    counter.lab.run(writer, &[buffer], [1, 1, 1])?;
    counter.dispatch(buffer, 0)?;
    expect_words("counts of a kernel", &counter.lab.words(counter.seen).await?, &[6, 0, 1, 2, 1, 2, 3])
}

pub(super) async fn runs_nothing_for_zero(device: &dyn Device) -> Result<(), Failure> {
    let mut counter = Counter::new(device).await?;
    for grid in [[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]] {
        let buffer = counter.lab.buffer(&grid)?;
        counter.dispatch(buffer, 0)?;
        counter.lab.run(counter.kernel, &[counter.seen], grid)?;
    }
    expect_words("nothing seen", &counter.lab.words(counter.seen).await?, &[0; 7])
}

pub(super) async fn runs_nothing_over_the_limit(device: &dyn Device) -> Result<(), Failure> {
    let mut counter = Counter::new(device).await?;
    for grid in [[65_536, 1, 1], [1, 65_536, 1], [1, 1, 65_536], [u32::MAX; 3], [1, 1, 1 << 31], [0, 65_536, 1]] {
        let buffer = counter.lab.buffer(&grid)?;
        counter.dispatch(buffer, 0)?;
    }
    expect_words("nothing seen", &counter.lab.words(counter.seen).await?, &[0; 7])?;
    let buffer = counter.lab.buffer(&[65_535, 1, 1])?;
    counter.dispatch(buffer, 0)?;
    let expected = [65_535, 65_534, 0, 0, 65_535, 1, 1];
    expect_words("the largest count", &counter.lab.words(counter.seen).await?, &expected)
}
