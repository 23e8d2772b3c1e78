//! WASI 0.2 as a deterministic machine can offer it: ordinary programs run, and learn nothing about the host.
//!
//! Clocks are fuel ([`clock`]), random numbers follow from the job's id ([`random`]), standard streams are the job's
//! inputs, outputs and log ([`stdio`]). There are no files, no sockets, no environment and no terminal; asking for them
//! gives the errors that WASI defines.

mod clock;
mod metered;
mod random;
mod stdio;

use samebit_spec::JobSpec;
use wasmtime::component::Linker;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

pub(crate) use clock::VirtualClock;
pub(crate) use random::Random;
use stdio::CHUNK_BYTES;
pub(crate) use stdio::Stdio;

use crate::ModuleKind;
use crate::state::State;

/// What a command sees as its own name.
const PROGRAM_NAME: &str = "job";

/// Links all of WASI 0.2, with clocks of our own, and a price on what a guest can reach.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    clock::link(linker)?;
    metered::link(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The WASI context of a job. Whatever is not set here is empty or denied.
pub(crate) fn context(job: &JobSpec, kind: ModuleKind, stdio: &Stdio) -> WasiCtx {
    let mut wasi = WasiCtxBuilder::new();
    if kind != ModuleKind::Job {
        wasi.arg(PROGRAM_NAME).args(&job.args);
    }
    wasi.stdin(stdio.stdin.clone()).stdout(stdio.stdout.clone()).stderr(stdio.stderr.clone());
    wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    // Clocks and random numbers are not asked of this context: `link` puts its own in their place.
    wasi.build()
}
