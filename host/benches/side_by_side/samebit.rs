//! The sandboxed side: a job through the runner's steps, from its named blobs to its stored outputs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use samebit_gpu::exact::{Exactness, Way};
use samebit_gpu::worker::{Program, WorkerDevice, WorkerOptions};
use samebit_gpu::{Choice, GpuDevice};
use samebit_runner::engine::device::{Device, DeviceError};
use samebit_runner::engine::{Cache, Engine, Silent};
use samebit_runner::spec::{JobSpec, Limits, Name, Profile};
use samebit_runner::store::{ImportBy, Store};
use samebit_runner::{Fetched, Host};

use crate::measure::Figure;
use crate::work::{Work, module};

/// The argument that makes a worker of this program.
pub(crate) const WORKER: &str = "--gpu-worker";

/// Where the driver runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Driver {
    /// In a process of its own, as the program has it.
    Worker,
    /// In this one.
    InProcess,
    /// In this one, for exact programs that are written in this way.
    Exact(Way),
}

impl Driver {
    fn device(self) -> Result<Arc<dyn Device>, DeviceError> {
        Ok(match self {
            Self::Worker => {
                let program = Program::this([WORKER]).expect("this program has a path");
                Arc::new(WorkerDevice::select(program, &Choice::Default, WorkerOptions::default())?)
            }
            Self::InProcess => Arc::new(select()?),
            Self::Exact(way) => {
                let found = pollster::block_on(select()?.exactness())?;
                let device = select()?;
                device.set_exactness(Ok(Exactness { way, ..found }));
                Arc::new(device)
            }
        })
    }

    fn profile(self) -> Profile {
        match self {
            Self::Exact(_) => Profile::Exact,
            Self::Worker | Self::InProcess => Profile::Native,
        }
    }
}

fn select() -> Result<GpuDevice, DeviceError> {
    GpuDevice::select(&Choice::Default).map_err(|error| DeviceError::Unavailable(error.to_string()))
}

/// Runs a job once and times it: verifying its blobs, loading its compiled module, opening the device, running, storing
/// what it wrote. Importing the inputs and compiling the module come before: a host has them from the last time.
pub(crate) fn job(work: &Work, driver: Driver, name: &str, args: &[&str], inputs: &[(&str, &str)]) -> Figure {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let dir = tempfile::tempdir_in(work.dir()).expect("a temporary folder");
        let store = Store::open(dir.path(), Duration::ZERO).await.expect("a store");
        let cache = Cache::new(work.path("compiled"), [7; 32]);
        // How a device is made exact is found out once, by a host too.
        let device = match driver {
            Driver::Exact(_) => Some(driver.device().expect("a device that computes exactly")),
            Driver::Worker | Driver::InProcess => None,
        };
        let host = Host {
            engine: Engine::new(Some(cache)).expect("an engine"),
            store: store.clone(),
            device: Arc::new(move || device.clone().map_or_else(|| driver.device(), Ok)),
            caps: Limits::default(),
            wall_time: None,
            clock: SystemTime::now,
            program: "bench".to_owned(),
        };
        let (module, _pin) = store.import_file(&module(name), ImportBy::Auto).await.expect("the module is imported");
        let mut blobs = BTreeMap::new();
        let mut pins = Vec::new();
        for (name, file) in inputs {
            let (blob, pin) = store.import_file(&work.path(file), ImportBy::Auto).await.expect("the input is imported");
            blobs.insert(Name::new(*name).expect("a name"), blob);
            pins.push(pin);
        }
        let job = JobSpec {
            module,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            inputs: blobs,
            limits: Limits::default(),
            profile: driver.profile(),
            tolerances: Default::default(),
        };
        let started = Instant::now();
        let compiled = Fetched::fetch(&host, job).await.expect("fetched").compile(&host).await.expect("compiled");
        let committed = compiled.run(&host, Arc::new(Silent)).await.expect("ran").commit(&host).await.expect("stored");
        let time = started.elapsed();
        assert_eq!(committed.outcome().status, samebit_runner::spec::Status::Ok);
        let figure = Figure::taken(time);
        store.close().await.expect("the store closes");
        figure
    })
}
