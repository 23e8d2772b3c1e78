//! Sequences that stand in for operations a device does not compute exactly.
//!
//! They consist of operations of integers, which are exact on every device, but for two methods: *corrected* ones start
//! from what the device's own instruction gives for ordinary operands, and *double* ones use binary64. Each is written once,
//! over [`Instructions`], so that both ways of emission have it and the tests can run it on this CPU.
//!
//! # Promises
//! - What comes out is what [`eval`](samebit_device::wgsl::lowered::eval) says, bit by bit, a NaN as the one NaN.
//! - Sequences are straight, shifts are below 32, and divisors are not zero, whatever goes in.

pub(super) mod compare;
pub(super) mod convert;
pub(super) mod divide;
pub(super) mod fma;
pub(super) mod parts;
pub(super) mod root;
pub(super) mod round;
mod steps;

#[cfg(test)]
mod tests;

pub(super) use steps::Steps;
