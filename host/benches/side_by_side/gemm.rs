//! The plugin `gemm` against its own kernel in a plain program.

use std::time::Instant;

use samebit_gpu::exact::Way;

use crate::measure::Figure;
use crate::plain::Gpu;
use crate::samebit::{self, Driver};
use crate::work::{MATRIX, Work};

/// Where the elements begin in the matrices of `work.rs`.
const HEADER_BYTES: usize = 128;

pub(crate) fn sandboxed(work: &Work) -> Figure {
    job(work, Driver::Worker)
}

/// The same with the driver in the process that runs the job.
pub(crate) fn in_process(work: &Work) -> Figure {
    job(work, Driver::InProcess)
}

/// The same by exact programs.
pub(crate) fn portable(work: &Work) -> Figure {
    job(work, Driver::Exact(Way::Portable))
}

/// The same by exact programs, in Vulkan's way.
pub(crate) fn vulkan(work: &Work) -> Figure {
    job(work, Driver::Exact(Way::Vulkan))
}

fn job(work: &Work, driver: Driver) -> Figure {
    samebit::job(work, driver, "gemm.wasm", &[], &[("a", "a.npy"), ("b", "b.npy")])
}

pub(crate) fn plain(work: &Work) -> Figure {
    let started = Instant::now();
    let read = |name| std::fs::read(work.path(name)).expect("the input is there");
    let (a, b) = (read("a.npy"), read("b.npy"));
    let gpu = Gpu::open();
    let wgsl = include_str!("../../../plugins/gemm/kernels/gemm.wgsl");
    let pipeline = gpu.pipeline(wgsl, "gemm");
    let n = MATRIX as u32;
    // rows, columns, inner, first row, strides of a (row, inner), strides of b (column, inner)
    let shape: Vec<u8> = [n, n, n, 0, n, 1, 1, n].iter().flat_map(|number| number.to_le_bytes()).collect();
    let (shape, a, b) = (gpu.upload(&shape), gpu.upload(&a[HEADER_BYTES..]), gpu.upload(&b[HEADER_BYTES..]));
    let c = gpu.storage((MATRIX * MATRIX * 4) as u64);
    let mut encoder = gpu.encoder();
    gpu.dispatch(&mut encoder, &pipeline, &[(0, &shape), (1, &a), (2, &b), (3, &c)], [n / 64, n / 64, 1]);
    gpu.read(encoder, &c, |bytes| {
        std::fs::write(work.path("plain-c.npy"), bytes).expect("writable");
        std::hint::black_box(blake3::hash(bytes));
    });
    Figure::taken(started.elapsed())
}
