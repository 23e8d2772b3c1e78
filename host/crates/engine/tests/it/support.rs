//! Runs guests for the tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use samebit_engine::device::DeviceError;
use samebit_engine::spec::{BlobRef, JobSpec, Limits, Profile};
use samebit_engine::{DeviceSource, Engine, Input, Module, Ran, Run, RunError, Silent};

/// One engine for all tests: its pool reserves address space.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("an engine"));

/// A run being put together.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) module: Module,
    pub(crate) job: JobSpec,
    pub(crate) inputs: BTreeMap<String, Vec<u8>>,
    pub(crate) device: DeviceSource,
}

impl Guest {
    /// A guest from WebAssembly text or bytes.
    pub(crate) fn new(wasm: &[u8]) -> Self {
        let bytes = wat::parse_bytes(wasm).expect("valid text");
        let module = ENGINE.compile(&bytes).expect("a module");
        let job = JobSpec {
            module: BlobRef::of(&bytes),
            args: Vec::new(),
            inputs: BTreeMap::new(),
            limits: Limits { fuel: 2_000_000_000, ..Limits::default() },
            profile: Profile::Native,
            tolerances: Default::default(),
        };
        let device: DeviceSource = Arc::new(|| Err(DeviceError::Unavailable("this test has none".into())));
        Self { module, job, inputs: BTreeMap::new(), device }
    }

    pub(crate) fn input(mut self, name: &str, bytes: &[u8]) -> Self {
        self.job.inputs.insert(name.parse().expect("a name"), BlobRef::of(bytes));
        self.inputs.insert(name.to_owned(), bytes.to_vec());
        self
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.job.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.job.limits);
        self
    }

    pub(crate) fn run(&self) -> Result<Ran, RunError> {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        self.run_in(scratch.path())
    }

    /// Asks it to compare an output.
    pub(crate) fn compare(&self, name: &str) -> Result<Ran, RunError> {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let (name, run) = (name.parse().expect("a name"), self.to_run(scratch.path()));
        block_on(ENGINE.compare(&self.module, run, &name))
    }

    /// Runs it with a folder that outlives the outputs.
    pub(crate) fn run_in(&self, scratch_dir: &Path) -> Result<Ran, RunError> {
        block_on(ENGINE.run(&self.module, self.to_run(scratch_dir)))
    }

    fn to_run(&self, scratch_dir: &Path) -> Run {
        Run {
            job: self.job.clone(),
            inputs: self
                .inputs
                .iter()
                .map(|(name, bytes)| (name.parse().expect("a name"), Input::Bytes(bytes.clone().into())))
                .collect(),
            scratch_dir: scratch_dir.to_owned(),
            device: self.device.clone(),
            wall_time: Some(Duration::from_secs(60)),
            observer: Arc::new(Silent),
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// A job component around core functions: `body` is the core of `run`, with the address of its result on the stack at
/// the end. At address 16 lies a success, at 32 an error whose text is "it failed".
pub(crate) fn job(imports: &str, items: &str, body: &str) -> Vec<u8> {
    format!(
        r#"(component
            {imports}
            (core module $m
                {items}
                (memory (export "memory") 1)
                (data (i32.const 16) "\00")
                (data (i32.const 32) "\01\00\00\00\40\00\00\00\09\00\00\00")
                (data (i32.const 64) "it failed")
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
                (func (export "run") (param i32 i32) (result i32) {body})
            )
            (core instance $i (instantiate $m))
            (func (export "run") (param "args" (list string)) (result (result (error string)))
                (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
        )"#
    )
    .into_bytes()
}
