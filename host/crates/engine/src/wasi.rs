//! WASI 0.2 as a deterministic machine can offer it: ordinary programs run, and learn nothing about the host.
//!
//! Clocks are fuel ([`clock`]), random numbers follow from the job's id ([`random`]), standard streams are the job's
//! inputs, outputs and log ([`stdio`]). There are no files, no sockets, no environment and no terminal; asking for them
//! gives the errors that WASI defines.

mod clock;
mod random;
mod stdio;

use samebit_spec::JobSpec;
use wasmtime::component::Linker;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

pub(crate) use clock::VirtualClock;
pub(crate) use stdio::Stdio;

use crate::ModuleKind;
use crate::state::State;

/// What a command sees as its own name.
const PROGRAM_NAME: &str = "job";

/// The most random bytes of one call.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// Links all of WASI 0.2, with clocks of our own.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    clock::link(linker)?;
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
    let id = job.id();
    wasi.secure_random(random::Stream::new(&id, random::SECURE))
        .insecure_random(random::Stream::new(&id, random::INSECURE))
        .insecure_random_seed(random::seed(&id))
        .max_random_size(RANDOM_BYTES_MAX);
    wasi.build()
}
