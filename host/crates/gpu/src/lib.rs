//! The device that computes on a GPU, through wgpu: Vulkan, Metal or Direct3D 12.
//!
//! [`Adapters`] lists what this machine has, [`GpuDevice::select`] picks one of it, and from there on everything is
//! [`samebit_device::Device`]'s contract. Nothing of wgpu shows in this crate's interface.
//!
//! # Promises
//! - Every session has a wgpu device of its own: an error, the loss of the device, running out of memory and the
//!   memory itself belong to one job. Opening the next session *is* re-opening the device.
//! - No driver sees a kernel before naga's back end has been tried on it here, where a panic is a refusal.
//! - wgpu does not panic the process: its errors, and panics while it compiles, waits or cleans up, are caught and end
//!   the session they belong to.
//! - Waiting holds no thread of the caller's. A session has one thread of its own, because only a blocking call tells
//!   when a GPU is done, and such a call watches one wgpu device only.
//!
//! - An exact program gives the bits that the lowered form defines, on whatever driver; [`exact`] says how.
//!
//! # What it leaves out
//! Bits of floats in the native profile: they are what this GPU's driver makes of them.

mod adapters;
mod batch;
mod bind;
mod describe;
mod device;
pub mod exact;
mod fate;
#[doc(hidden)]
pub mod hash;
mod kernel;
mod pace;
mod read;
mod session;
mod upload;
mod watcher;
pub mod worker;

pub use adapters::{Adapters, Choice, SelectError};
pub use device::GpuDevice;
pub use watcher::all_closed_within;
