//! The host's side of `wit/`: a module per interface, linked by hand.
//!
//! By hand, because bulk bytes are then borrowed from guest memory instead of copied out of it first, and because every
//! call's cost stands where the call is.

mod data;
mod gpu;
mod report;

use wasmtime::component::Linker;

pub(crate) use gpu::Gpu;

use crate::state::State;

/// Links `samebit:job/{gpu,data,report}`.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    gpu::link(linker)?;
    data::link(linker)?;
    report::link(linker)
}
