//! WGSL in, a validated and described kernel out.
//!
//! [`parse`] takes the text of a kernel as a guest wrote it, and gives back either a [`Kernel`] (naga's module, reduced
//! to one compute entry point, with every override constant resolved, and a description of what it binds), or a
//! [`Refusal`] that a guest can act on and a person can read.
//!
//! # Promises
//! - The same source gives the same kernel or the same refusal, on every machine: [`RefusalReason`] and [`Location`]
//!   are part of a job's outcome. Nothing here reads a clock, a file or the environment.
//! - No text, entry point or constant makes [`parse`] crash, hang, or use memory out of proportion to the text.
//! - What comes out stays inside the table of limits in `wit/gpu.wit`, repeated in [`limits`], and uses nothing but
//!   buffers: no driver is ever shown a kernel that this crate has not bounded.
//!
//! # What it leaves out
//! Compiling, and every device. A kernel that passes here means what WGSL says it means, no more: bits of floats,
//! barriers under divergent control flow and data races are left as WGSL leaves them.

mod admit;
mod bounds;
mod constants;
mod folded;
mod interface;
mod kernel;
mod lower;
mod refusal;
mod scan;
mod support;
mod text;

pub mod limits;
pub mod lowered;
pub mod math;

pub use interface::{BindingDecl, BindingKind, Interface};
pub use kernel::{Kernel, ParseError, Source, entry_points, parse};
pub use lower::{Admission, lower};
pub use refusal::{Location, Refusal, RefusalReason};
