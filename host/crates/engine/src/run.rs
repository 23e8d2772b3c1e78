//! The engine itself, and one run of a module on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use samebit_device::{Device, DeviceError, DeviceInfo, Usage};
use samebit_spec::{Hash, JobSpec, Limit, Name, Status, Trap};
use tracing::warn;
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Instance, Linker, Lower};
use wasmtime::{AsContextMut, Store};

use crate::state::State;
use crate::{
    Cache, CompileError, EngineError, Input, Module, ModuleKind, Observer, RunError, Spool, config, end, host, wasi,
};

/// Opens the device, when a guest first asks for it. Called on a thread that may block.
pub type DeviceSource = Arc<dyn Fn() -> Result<Arc<dyn Device>, DeviceError> + Send + Sync>;

/// wasmtime and everything a guest is linked to. One per process; cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    wasmtime: wasmtime::Engine,
    linker: Linker<State>,
    cache: Option<Cache>,
}

/// What is to be run.
pub struct Run {
    /// The job: its arguments, limits and profile, and its id, which seeds the guest's randomness.
    pub job: JobSpec,
    /// The inputs, verified.
    pub inputs: BTreeMap<Name, Input>,
    /// A folder for outputs too large for memory.
    pub scratch_dir: PathBuf,
    /// Where the GPU comes from, if the guest asks for it.
    pub device: DeviceSource,
    /// How long the run may take on the clock. A safety net: reaching it gives no outcome.
    pub wall_time: Option<Duration>,
    /// Who is watching.
    pub observer: Arc<dyn Observer>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// How the job ended.
    pub status: Status,
    /// The outputs; empty unless the guest ended by itself.
    pub outputs: BTreeMap<Name, Spool>,
    /// The log.
    pub log: Vec<u8>,
    /// Fuel spent.
    pub fuel: u64,
    /// How long the run took on the clock.
    pub run_time: Duration,
    /// The most linear memory in use at once, in bytes.
    pub memory_peak_bytes: u64,
    /// What was used of the device, if it was opened.
    pub gpu: Option<GpuUsed>,
}

/// What a run used of its device.
#[derive(Debug, Clone)]
pub struct GpuUsed {
    /// The device.
    pub info: DeviceInfo,
    /// How much.
    pub usage: Usage,
}

impl Engine {
    /// Sets wasmtime up. Compiled modules are kept in `cache`, if there is one.
    pub fn new(cache: Option<Cache>) -> Result<Self, EngineError> {
        let wasmtime = wasmtime::Engine::new(&config::wasmtime_config()).map_err(EngineError)?;
        let mut linker = Linker::new(&wasmtime);
        wasi::link(&mut linker).map_err(EngineError)?;
        host::link(&mut linker).map_err(EngineError)?;
        Ok(Self(Arc::new(Inner { wasmtime, linker, cache })))
    }

    /// Makes a module ready to run. Blocks while it compiles, which may take seconds.
    pub fn compile(&self, bytes: &[u8]) -> Result<Module, CompileError> {
        Module::compile(self, bytes)
    }

    /// Runs a module. Dropping the future stops the run.
    pub async fn run(&self, module: &Module, run: Run) -> Result<Ran, RunError> {
        self.call(module, run, Call::Entry).await
    }

    /// Asks a module's own `compare` whether two versions of the output `name` are as good as each other: success if they
    /// are, failure with the reason if not. They are the inputs `claimed` and `replayed`; all else is as for a run.
    pub async fn compare(&self, module: &Module, run: Run, name: &Name) -> Result<Ran, RunError> {
        self.call(module, run, Call::Compare(name.clone())).await
    }

    async fn call(&self, module: &Module, run: Run, call: Call) -> Result<Ran, RunError> {
        match run.wall_time {
            None => self.call_unbounded(module, run, call).await,
            Some(limit) => match tokio::time::timeout(limit, self.call_unbounded(module, run, call)).await {
                Ok(result) => result,
                Err(_) => Err(RunError::WallTime(limit)),
            },
        }
    }

    async fn call_unbounded(&self, module: &Module, run: Run, which: Call) -> Result<Ran, RunError> {
        let started = Instant::now();
        let fuel_limit = run.job.limits.fuel;
        let mut store = self.store(module, run)?;
        let status = match module.pre().instantiate_async(&mut store).await {
            Ok(instance) => call(&mut store, module, &instance, which).await?,
            Err(error) => end::status_of_instantiation(error, store.data().limiter.refused())?,
        };
        let fuel = fuel_limit - store.get_fuel().map_err(host_failed)?;
        let mut ran = collect(store.into_data(), status, fuel).await?;
        ran.run_time = started.elapsed();
        if ran.status == Status::Exceeded(Limit::Fuel) {
            ran.fuel = fuel_limit;
        }
        Ok(ran)
    }

    fn store(&self, module: &Module, run: Run) -> Result<Store<State>, RunError> {
        let fuel = run.job.limits.fuel;
        let mut store = Store::new(self.wasmtime(), State::new(run, module.kind()));
        store.limiter(|state| &mut state.limiter);
        store.set_fuel(fuel).map_err(host_failed)?;
        store.fuel_async_yield_interval(Some(config::YIELD_FUEL)).map_err(host_failed)?;
        Ok(store)
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0.wasmtime
    }

    pub(crate) fn linker(&self) -> &Linker<State> {
        &self.0.linker
    }

    /// A module's compiled code from the cache, if a trustworthy entry is there.
    #[expect(unsafe_code, reason = "compiled code can be loaded in no other way")]
    pub(crate) fn load_cached(&self, hash: &Hash) -> Option<Component> {
        let entry = self.0.cache.as_ref()?.load(hash, self.wasmtime())?;
        // SAFETY: the bytes come from `Component::serialize` in `save_cached`: the cache has checked a keyed hash over
        // them whose key only the owner of this store can read. wasmtime checks version and settings itself.
        match unsafe { Component::deserialize(self.wasmtime(), entry) } {
            Ok(component) => Some(component),
            Err(error) => {
                warn!("a compiled module could not be loaded, compiling again: {error:#}");
                None
            }
        }
    }

    /// Keeps a module's compiled code in the cache; false if there is none.
    pub(crate) fn save_cached(&self, hash: &Hash, component: &Component) -> bool {
        let Some(cache) = &self.0.cache else { return false };
        match component.serialize() {
            Ok(bytes) => cache.save(hash, self.wasmtime(), &bytes),
            Err(error) => warn!("a compiled module could not be serialized: {error:#}"),
        }
        true
    }
}

/// Which of a module's exports is called.
enum Call {
    /// What makes it a job.
    Entry,
    /// Its `compare`, for the output of this name.
    Compare(Name),
}

/// Calls an export and sorts out how it ended.
async fn call(store: &mut Store<State>, module: &Module, instance: &Instance, which: Call) -> Result<Status, RunError> {
    let result = match (which, module.kind()) {
        (Call::Compare(name), _) => {
            let export = module.compare().ok_or(RunError::NoCompare)?;
            call_result(store.as_context_mut(), instance, export, name.to_string()).await
        }
        (Call::Entry, ModuleKind::Job) => {
            let args = store.data().job.args.clone();
            call_result(store.as_context_mut(), instance, module.entry(), args).await
        }
        (Call::Entry, ModuleKind::Command | ModuleKind::CommandPreview1) => {
            call_command(store.as_context_mut(), module, instance).await
        }
    };
    match result {
        Ok(status) => Ok(status),
        Err(error) => end::status_of_error(error, store.data().limiter.refused()),
    }
}

/// Calls a function of one parameter that returns `result<_, string>`.
async fn call_result<P: Send + Sync + 'static>(
    mut store: impl AsContextMut<Data = State>,
    instance: &Instance,
    export: &ComponentExportIndex,
    parameter: P,
) -> wasmtime::Result<Status>
where
    (P,): ComponentNamedList + Lower,
{
    let function = instance.get_typed_func::<(P,), (Result<(), String>,)>(&mut store, export)?;
    let (result,) = function.call_async(&mut store, (parameter,)).await?;
    Ok(match result {
        Ok(()) => Status::Ok,
        Err(message) => Status::failed(&message),
    })
}

async fn call_command(
    mut store: impl AsContextMut<Data = State>,
    module: &Module,
    instance: &Instance,
) -> wasmtime::Result<Status> {
    let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut store, module.entry())?;
    let (result,) = run.call_async(&mut store, ()).await?;
    Ok(if result.is_ok() { Status::Ok } else { Status::Exited(1) })
}

/// Takes the run's results out of its state.
async fn collect(state: State, status: Status, fuel: u64) -> Result<Ran, RunError> {
    // What the guest wrote without ending the line is a line too, and may be the one that passes the limit.
    let status = match state.stdio.finish() {
        Ok(()) => status,
        Err(end::Stop::Exceeded(limit)) if status.is_finished() => Status::Exceeded(limit),
        Err(end::Stop::Exceeded(_)) => status,
        Err(end::Stop::Host(error)) => return Err(error),
    };
    // A budget that nothing was read after is noticed here. What ended the guest before stays what ended it: how far a
    // stack overflow let it come depends on the host, and with it what was launched.
    let (gpu, within) = state.gpu.finish().await?;
    let status = match within {
        Err(limit) if status.is_finished() => Status::Exceeded(limit),
        _ => status,
    };
    let outputs =
        if status.is_finished() { state.outputs.finish().map_err(RunError::Output)? } else { BTreeMap::new() };
    // How deep the stack was when it ran out depends on the host's instruction set, and with it everything before.
    let overflowed = status == Status::Trapped(Trap::StackOverflow);
    Ok(Ran {
        status,
        outputs,
        log: if overflowed { Vec::new() } else { state.log.take() },
        fuel: if overflowed { 0 } else { fuel },
        run_time: Duration::ZERO,
        memory_peak_bytes: state.limiter.memory_peak_bytes(),
        gpu,
    })
}

fn host_failed(error: wasmtime::Error) -> RunError {
    RunError::Host(format!("{error:#}"))
}
