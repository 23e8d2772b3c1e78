//! The reference device: exact kernels on any CPU.
//!
//! A lowered kernel becomes a WebAssembly module with SIMD ([`codegen`]), four invocations to a vector and one
//! or two vectors at a time, which wasmtime compiles and runs over workgroups, one thread to a core.
//!
//! # How a session works
//! A session has one memory of up to 4 GiB, shared by the threads that run its kernels. Its calls are resolved to
//! addresses and queued; a thread of its own executes them in order, and asks the device's pool of threads to help with
//! launches that take long. Nothing else runs while memory is written, filled, copied or read.

mod allocator;
mod buffers;
mod cache;
mod compile;
mod describe;
mod device;
mod engine;
mod executor;
mod launch;
mod memory;
mod operation;
mod pool;
mod queue;
mod session;

pub mod check;
pub mod codegen;
pub mod interp;

#[cfg(test)]
mod tests;

pub use device::ReferenceDevice;
