//! The third step: the job ran to an end, its own or that of a limit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use samebit_engine::spec::{DeviceUsed, Hash, JobSpec, Measured, Name, Profile, Status};
use samebit_engine::{Input, Observer, Run};
use samebit_store::{Blob, ReadError};
use thiserror::Error;

use crate::{Compiled, Host};

/// Why a job that could be started came to nothing. Always this machine's doing, never the guest's.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The run itself.
    #[error(transparent)]
    Engine(#[from] samebit_engine::RunError),
    /// Somebody wrote to an input while the job read it.
    #[error("input {name} was changed while the job ran: {source}")]
    InputChanged {
        /// Which input.
        name: Name,
        /// What the store saw.
        source: ReadError,
    },
}

/// A job that has run.
#[derive(Debug)]
pub struct Ran {
    pub(crate) job: JobSpec,
    pub(crate) ran: samebit_engine::Ran,
    pub(crate) measured: Measured,
}

impl Compiled {
    /// Runs the job. Dropping the future stops it and leaves nothing behind.
    pub async fn run(self, host: &Host, observer: Arc<dyn Observer>) -> Result<Ran, RunError> {
        let Self { job, inputs, module } = self;
        let started = (host.clock)();
        let run = Run {
            job: job.clone(),
            inputs: inputs.iter().map(|(name, blob)| (name.clone(), input(blob))).collect(),
            scratch_dir: host.store.scratch_dir().to_owned(),
            device: host.device.clone(),
            wall_time: host.wall_time,
            observer,
        };
        let ran = host.engine.run(&module, run).await?;
        check_unchanged(&inputs)?;
        let measured = measure(host, started, &ran);
        Ok(Ran { job, ran, measured })
    }
}

impl Ran {
    /// How the job ended.
    pub fn status(&self) -> &Status {
        &self.ran.status
    }

    /// What the job wrote, outputs and log together, in bytes.
    pub fn written_bytes(&self) -> u64 {
        let log = self.ran.log.len() as u64;
        self.ran.outputs.values().fold(log, |sum, output| sum.saturating_add(output.size_bytes()))
    }

    /// The profile that the job's kernels ran in.
    pub fn profile(&self) -> Profile {
        self.job.profile
    }
}

pub(crate) fn input(blob: &Blob) -> Input {
    match blob {
        Blob::Bytes(bytes) => Input::Bytes(bytes.clone()),
        Blob::File(file) => Input::File { file: file.file().clone(), size_bytes: file.size_bytes() },
    }
}

/// Files were hashed before the run, and read during it: what was read is what was hashed only if nobody wrote since.
fn check_unchanged(inputs: &BTreeMap<Name, Blob>) -> Result<(), RunError> {
    for (name, blob) in inputs {
        blob.check_unchanged().map_err(|source| RunError::InputChanged { name: name.clone(), source })?;
    }
    Ok(())
}

fn measure(host: &Host, started: SystemTime, ran: &samebit_engine::Ran) -> Measured {
    let since_epoch = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let gpu = ran.gpu.as_ref();
    Measured {
        program: host.program.clone(),
        started_unix_ms: u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
        run_time_us: u64::try_from(ran.run_time.as_micros()).unwrap_or(u64::MAX),
        memory_peak_bytes: ran.memory_peak_bytes,
        gpu_memory_peak_bytes: gpu.map_or(0, |gpu| gpu.usage.memory_peak_bytes),
        dispatches: gpu.map_or(0, |gpu| gpu.usage.dispatches),
        device: gpu.map(|gpu| DeviceUsed {
            name: gpu.info.name.clone(),
            driver: gpu.info.driver.clone(),
            backend: gpu.info.backend.clone(),
            battery: gpu.info.battery.as_ref().map(|battery| Hash::of(battery.to_string().as_bytes())),
        }),
        energy_mj: None,
    }
}
