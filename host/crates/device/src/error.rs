//! What can go wrong, kept apart by whose fault it is.
//!
//! A [`GpuError`] or a refusal is the guest's: it is told, the same on every device, and may act on it. A
//! [`DeviceError`] is this machine's: the job ends without a receipt, since no verifier could agree on it.

use std::fmt;

use samebit_wgsl::{ParseError, Refusal};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where a binding is: `@group(g) @binding(b)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BindingIndex {
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
}

impl fmt::Display for BindingIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@group({}) @binding({})", self.group, self.binding)
    }
}

/// Why a guest's call was refused: `gpu-error` of `wit/gpu.wit`, which says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GpuError {
    /// A range ends past the end of a buffer or input.
    #[error("a range ends past the end of a buffer or input")]
    OutOfRange,
    /// An offset or size is not a multiple of what the operation demands.
    #[error("an offset or size is misaligned")]
    Misaligned,
    /// A size is zero or over the interface's limit.
    #[error("a size is zero or over the interface's limit")]
    InvalidSize,
    /// The job's limit on GPU memory leaves no room.
    #[error("the job's limit on GPU memory leaves no room")]
    OutOfMemory,
    /// The job has no input of that name.
    #[error("the job has no input of that name")]
    UnknownInput,
    /// One buffer in two roles that exclude each other.
    #[error("one buffer is used in two roles that exclude each other")]
    Aliased,
    /// The bindings are not those that the kernel declares.
    #[error("the bindings are not those that the kernel declares: {0}")]
    BindingMismatch(BindingIndex),
}

/// This machine could not do what every device must. No receipt follows.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device could be found or opened.
    #[error("no device: {0}")]
    Unavailable(String),
    /// The device was lost: unplugged, reset, or its driver crashed.
    #[error("the device was lost: {0}; the job was not finished, run it again")]
    Lost(String),
    /// The device came to the end of nothing that it was given for so many seconds, and was given up.
    #[error(
        "the device hangs: for {0} s it finished nothing that it was given; launch fewer workgroups at once, or allow \
         more time (--limit-dispatch-s)"
    )]
    Stuck(u64),
    /// The device has less free memory than the job may use.
    #[error("the device is out of memory: {0}; free some, or choose another device")]
    OutOfMemory(String),
    /// The device or its driver broke its contract.
    #[error("the device failed: {0}")]
    Failed(String),
}

/// A call that a guest made came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The guest's fault; it is told.
    #[error(transparent)]
    Refused(#[from] GpuError),
    /// This machine's fault; the job ends.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// A kernel could not be made ready.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum KernelFault {
    /// The guest's fault; it is told.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This machine's fault; the job ends.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl From<ParseError> for KernelFault {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Refused(refusal) => Self::Refused(refusal),
            error => Self::Device(DeviceError::Failed(error.to_string())),
        }
    }
}

/// A buffer could not be read out.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The guest's fault; it is told.
    #[error(transparent)]
    Refused(#[from] GpuError),
    /// This machine's fault; the job ends.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// An invocation spent its budget of loop iterations before: an outcome, the same on every device.
    #[error("{BUDGET_SPENT}")]
    BudgetSpent,
    /// Whoever took the bytes could not go on: this machine's fault too.
    #[error("the bytes of a buffer could not be stored: {0}")]
    Sink(#[from] std::io::Error),
}

/// What was queued did not all come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum FinishError {
    /// An invocation spent its budget of loop iterations: an outcome, the same on every device.
    #[error("{BUDGET_SPENT}")]
    BudgetSpent,
    /// This machine's fault; the job ends.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

const BUDGET_SPENT: &str =
    "an invocation spent its budget of loop iterations; bound the loops of the kernel, or raise the limit";
