//! The reference device: exact kernels on any CPU.
//!
//! A lowered kernel becomes a WebAssembly module with SIMD ([`codegen`]), four invocations to a vector, which wasmtime
//! compiles and runs over workgroups, one thread to a core.

pub mod codegen;
pub mod interp;
