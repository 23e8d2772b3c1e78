//! The kernels, each with its WGSL beside it and the same in Rust.

mod bitonic;
mod black_scholes;
mod blur;
mod convolution;
mod histogram;
mod kmeans;
mod life;
mod mandelbrot;
mod monte_carlo;
mod nbody;
mod reduce;
mod scan;
mod sgemm;
mod sha256;
mod smith_waterman;
mod spmv;
mod stencil;
mod transpose;

use crate::suite::{Case, Words};

/// All of them.
pub(crate) const ALL: &[fn() -> Case] = &[
    mandelbrot::case,
    nbody::case,
    sgemm::naive,
    sgemm::tiled,
    sgemm::blocked,
    sha256::case,
    stencil::case,
    blur::case,
    convolution::case,
    scan::case,
    reduce::case,
    bitonic::case,
    histogram::case,
    kmeans::case,
    smith_waterman::case,
    monte_carlo::case,
    black_scholes::case,
    spmv::case,
    transpose::case,
    life::case,
];

/// A kernel that does nothing.
pub(crate) const EMPTY: &str = include_str!("cases/empty.wgsl");

/// A product of matrices in blocks, of the size that its constant says.
pub(crate) const BLOCKED: &str = include_str!("cases/sgemm_blocked.wgsl");

/// A longer kernel, to compile.
pub(crate) const TRACER: &str = include_str!("cases/tracer.wgsl");

/// A case's buffers, one by one.
fn each<const N: usize>(buffers: &mut [Words]) -> &mut [Words; N] {
    buffers.try_into().expect("as many buffers as the case makes")
}

/// The floats of a buffer.
fn floats(words: &[u32]) -> &[f32] {
    bytemuck::cast_slice(words)
}

/// The floats of a buffer, to be written.
fn floats_mut(words: &mut [u32]) -> &mut [f32] {
    bytemuck::cast_slice_mut(words)
}
