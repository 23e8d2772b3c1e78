//! GPUs whose drivers run in processes of their own.
//!
//! A driver is a stranger's code in our address space: it may crash, hang, or write where it likes. So a host never loads
//! one. It starts *workers*, copies of its own program that do nothing but run [`GpuDevice`](crate::GpuDevice), and
//! [`WorkerDevice`] is a [`Device`](samebit_device::Device) that speaks to them.
//!
//! Three take part: the *host* and a *worker*, two processes of one program, and the worker's *driver*. They speak over
//! the worker's standard input and output, in the frames of `frame` and the messages of `message`.
//!
//! # Promises
//! - A worker serves one session. Whatever becomes of it (a crash, `kill -9`, a lost device, a driver that hangs for
//!   longer than [`WorkerOptions::limit`]) ends that session with a [`DeviceError`](samebit_device::DeviceError), and the
//!   next session gets a worker of its own.
//! - Calls that only queue cross without an answer; their errors come with a later call. Neither side keeps more for the
//!   other than it has granted: see `state`.
//! - Buffers stay with the worker. What crosses for a dispatch is its bindings.
//! - The host takes a worker's bytes for a stranger's: bounded, decoded strictly, expected in order. What is not, ends the
//!   session. A worker trusts its host: it has validated what it sends.
//! - A worker ends when its host does, however that ends, and a worker that ended is waited for.
//!
//! # What it leaves out
//! Protection of this machine from a driver: a worker is a process of the same user, and what it can do to the GPU itself
//! no process can prevent.

mod device;
mod frame;
mod link;
mod listen;
mod message;
mod process;
mod pulse;
mod rates;
mod serve;
mod serving;
mod session;
mod state;
mod warden;

pub use device::{WorkerDevice, WorkerOptions, adapters};
pub use process::Program;
pub use serve::{Source, serve, serve_source};
