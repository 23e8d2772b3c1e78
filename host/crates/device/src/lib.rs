//! What a device is: something that runs kernels over buffers.
//!
//! [`Device`] and [`Session`] are the seam between the sandbox and whatever computes. Both sides are kept honest here:
//! [`Checked`] validates a guest's calls once for every device, so that two devices refuse the same calls with the same
//! words, [`conformance`] is the suite that every device must pass, and [`battery`] puts its arithmetic to the test. This crate runs
//! nothing itself.

pub mod battery;
mod checked;
pub mod conformance;
mod error;
#[cfg(test)]
mod fake;
pub mod hash;
mod info;
pub mod limits;
pub mod random;
mod session;

pub use checked::{Checked, Usage};
pub use error::{BindingIndex, CallError, DeviceError, FinishError, GpuError, KernelFault, ReadError};
pub use info::{Battery, DeviceInfo, DeviceKind};
pub use samebit_wgsl as wgsl;
pub use session::{
    Abort, Binding, BoxFuture, BufferCopy, BufferId, BufferRange, Device, Dispatch, Grid, KernelId, Program, Progress,
    Session, SessionOptions, Sink,
};
