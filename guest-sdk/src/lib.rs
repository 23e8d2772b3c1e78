//! Write a Samebit job in Rust: one annotated function and a kernel file.
//!
//! ```
//! use samebit_guest::prelude::*;
//!
//! #[samebit_guest::job]
//! fn run(args: Vec<String>) -> Result<(), Error> {
//!     let factor: f32 = args.first().map_or(Ok(2.0), |arg| arg.parse()).context("the factor")?;
//!
//!     let source = Buffer::<f32>::from_input(&input("numbers"))?;
//!     let result = Buffer::<f32>::zeroed(source.len())?;
//!     kernel!(
//!         inline "override FACTOR: f32;
//!                 @group(0) @binding(0) var<storage, read> source: array<f32>;
//!                 @group(0) @binding(1) var<storage, read_write> result: array<f32>;
//!                 @compute @workgroup_size(64)
//!                 fn scale(@builtin(global_invocation_id) id: vec3u) {
//!                     if id.x < arrayLength(&source) { result[id.x] = FACTOR * source[id.x]; }
//!                 }",
//!         "scale"
//!     )
//!     .constant("FACTOR", factor)
//!     .bind("source", &source)
//!     .bind("result", &result)
//!     .dispatch_for([source.len() as u32, 1, 1])?;
//!
//!     info!("scaled {} numbers", source.len());
//!     output("numbers").append_buffer(&result)
//! }
//! # fn main() {}
//! ```
//!
//! Usually the kernel is a file beside `Cargo.toml`: `kernel!("kernels/scale.wgsl", "scale")`. Either way it is parsed
//! and validated while the job compiles, and an error in it is a compile error at its line. Variables are bound by the
//! names they have in the WGSL.
//!
//! A job builds with `cargo build --release --target wasm32-wasip2` as a `cdylib`. Its unit tests run on the author's
//! machine with plain `cargo test`: there, [`testing::Host`](crate::testing) stands in for the real host, with buffers in memory and
//! Rust functions in place of kernels.
//!
//! Floats of a job in the profile native may differ between two classes of device. A job that knows best which outputs are
//! as good as each other says so in a second function, and is run with `--tolerance NAME=compare`:
//!
//! ```
//! use samebit_guest::prelude::*;
//!
//! /// The order of the scores matters, their last digits do not.
//! #[samebit_guest::compare]
//! fn same_order(_name: &str) -> Result<(), Error> {
//!     let order = |name| -> Result<Vec<usize>, Error> {
//!         let bytes = input(name).read()?;
//!         let scores: Vec<f32> = bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
//!         let mut order: Vec<usize> = (0..scores.len()).collect();
//!         order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
//!         Ok(order)
//!     };
//!     if order("claimed")? != order("replayed")? {
//!         bail!("the scores are ordered otherwise");
//!     }
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! What this crate leaves out: kernels written while the job runs, and anything else of the interface that has no name
//! here yet, are reached through `samebit_guest::bindings`, generated from the WIT package `samebit:job`.

// The macros name this crate by its name, also inside it.
extern crate self as samebit_guest;

#[cfg(target_arch = "wasm32")]
pub mod bindings;
pub mod kernel;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

mod buffer;
mod data;
mod error;
mod host;
mod report;

pub use buffer::{Buffer, BufferSlice};
pub use data::{Input, Output, input, inputs, output};
pub use error::{Context, DataError, Error, GpuError, KernelError};
pub use kernel::{Kernel, Launch};
pub use report::{Level, log, progress};
pub use samebit_guest_macros::{compare, job, kernel};

/// What most jobs use, in one line: `use samebit_guest::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Buffer, Context, Error, Kernel, bail, debug, error, info, input, inputs, kernel, output, progress, trace, warn,
    };
}

/// Ends the job with an error, formatted like [`format!`].
#[macro_export]
macro_rules! bail {
    ($($message:tt)+) => {
        return ::core::result::Result::Err($crate::Error::Message(::std::format!($($message)+)))
    };
}
