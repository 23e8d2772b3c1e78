//! A job that does nothing: what is left is the cost of a job.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use samebit_runner::engine::device::DeviceError;
use samebit_runner::engine::{Engine, Run, Silent};
use samebit_runner::spec::{BlobRef, JobSpec, Limits, Profile, Status};

use crate::measure::{Figure, median_figure, peak_bytes};
use crate::work::Work;

const RUNS: usize = 5_000;

/// Store, instantiate, run and drop, in a process that has the module compiled. The median of many.
pub(crate) fn in_process(work: &Work) -> Figure {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let bytes = std::fs::read(work.path("empty.wasm")).expect("the module is there");
    let engine = Engine::new(None).expect("an engine");
    let module = engine.compile(&bytes).expect("a module");
    let job = JobSpec {
        module: BlobRef::of(&bytes),
        args: Vec::new(),
        inputs: BTreeMap::new(),
        limits: Limits::default(),
        profile: Profile::Native,
        tolerances: Default::default(),
    };
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            let run = Run {
                job: job.clone(),
                inputs: BTreeMap::new(),
                scratch_dir: work.dir().to_owned(),
                device: Arc::new(|| Err(DeviceError::Unavailable("not needed".to_owned()))),
                wall_time: Some(Duration::from_secs(60)),
                observer: Arc::new(Silent),
            };
            let ran = runtime.block_on(engine.run(&module, run)).expect("an outcome");
            assert_eq!(ran.status, Status::Ok);
            started.elapsed()
        })
        .collect();
    times.sort();
    Figure::taken(times[RUNS / 2])
}

/// `samebit run` from start to exit, with a receipt written and the module in the cache.
pub(crate) fn command_line(work: &Work, runs: usize) -> Figure {
    let run = || {
        let started = Instant::now();
        let mut child = Command::new(program())
            .arg("--store")
            .arg(work.path("store"))
            .args(["--quiet", "run"])
            .arg(work.path("empty.wasm"))
            .arg("--receipt")
            .arg(work.path("empty.receipt"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("samebit starts");
        let mut peak = 0;
        let status = loop {
            peak = peak.max(peak_bytes(&child.id().to_string()));
            if let Some(status) = child.try_wait().expect("samebit can be waited for") {
                break status;
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        assert!(status.success(), "samebit run ended with {status}");
        Figure { time: started.elapsed(), peak_bytes: peak }
    };
    // The first run compiles the module and makes the store and the key.
    run();
    let figures: Vec<_> = (0..runs).map(|_| run()).collect();
    median_figure(figures.into_iter())
}

/// The program: the one that was built with this bench, or the one that `SAMEBIT` names.
fn program() -> PathBuf {
    std::env::var_os("SAMEBIT").map_or_else(|| env!("CARGO_BIN_EXE_samebit").into(), PathBuf::from)
}
