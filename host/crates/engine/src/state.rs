//! What host functions work on: everything that belongs to one run.

use std::collections::BTreeMap;
use std::sync::Arc;

use samebit_spec::{JobSpec, Name};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};

use crate::config::HANDLES_MAX;
use crate::host::Gpu;
use crate::limiter::Limiter;
use crate::log::Log;
use crate::spool::Outputs;
use crate::wasi::{self, Random, VirtualClock};
use crate::{Input, ModuleKind, Observer, Run};

/// One run's state, owned by its wasmtime store.
pub(crate) struct State {
    wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) random: Random,
    pub(crate) limiter: Limiter,
    pub(crate) job: JobSpec,
    pub(crate) inputs: BTreeMap<Name, Input>,
    pub(crate) outputs: Outputs,
    pub(crate) log: Log,
    pub(crate) stdio: wasi::Stdio,
    pub(crate) gpu: Gpu,
    pub(crate) observer: Arc<dyn Observer>,
}

impl State {
    pub(crate) fn new(run: Run, kind: ModuleKind) -> Self {
        let Run { job, inputs, scratch_dir, device, observer, .. } = run;
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let log = Log::new(job.limits.log_bytes, observer.clone());
        let outputs = Outputs::new(scratch_dir, job.limits.output_bytes);
        let stdio = wasi::Stdio::new(kind, &inputs, &outputs, &log);
        Self {
            wasi: wasi::context(&job, kind, &stdio),
            table,
            clock: Arc::new(VirtualClock::default()),
            random: Random::new(&job.id()),
            limiter: Limiter::new(&job.limits),
            gpu: Gpu::new(device, &job),
            job,
            inputs,
            outputs,
            log,
            stdio,
            observer,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
