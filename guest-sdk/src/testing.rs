//! A host in memory, to test a job with plain `cargo test`.
//!
//! ```
//! use samebit_guest::prelude::*;
//! use samebit_guest::testing::Host;
//!
//! fn run(_args: Vec<String>) -> Result<(), Error> {
//!     let numbers = Buffer::<f32>::from_input(&input("numbers"))?;
//!     kernel!(
//!         inline "@group(0) @binding(0) var<storage, read_write> numbers: array<f32>;
//!                 @compute @workgroup_size(64) fn double(@builtin(global_invocation_id) id: vec3u) {
//!                     if id.x < arrayLength(&numbers) { numbers[id.x] *= 2.0; }
//!                 }",
//!         "double"
//!     )
//!     .bind("numbers", &numbers)
//!     .dispatch_for([numbers.len() as u32, 1, 1])?;
//!     output("numbers").append_buffer(&numbers)
//! }
//!
//! let outcome = Host::new()
//!     .input("numbers", bytemuck::cast_slice(&[1.0f32, 2.0]))
//!     .kernel("double", |call| {
//!         let doubled: Vec<f32> = call.read("numbers").iter().map(|x: &f32| 2.0 * x).collect();
//!         call.write("numbers", &doubled);
//!     })
//!     .run(run, &[]);
//! assert_eq!(outcome.result, Ok(()));
//! assert_eq!(outcome.output("numbers"), bytemuck::cast_slice::<f32, u8>(&[2.0, 4.0]));
//! ```
//!
//! Inputs, outputs, buffers, log and progress work; alignment and sizes are held to the interface's rules. WGSL does not
//! run here: a test gives a Rust function in place of each entry point that the job dispatches. So it tests the job's
//! own code. That the kernels compute what they should is for `samebit run` to show.
//!
//! Mistakes of the test itself, such as a kernel without a stand-in, panic with a message that says what is missing.

use crate::host::{self, State};
use crate::{Level, kernel::Source};
use bytemuck::Pod;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::rc::Rc;

/// A host in memory, set up by a test.
#[derive(Default)]
pub struct Host {
    state: State,
}

impl Host {
    /// A host without inputs and stand-ins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the job an input.
    #[must_use]
    pub fn input(mut self, name: &str, bytes: &[u8]) -> Self {
        self.state.inputs.insert(name.to_owned(), bytes.to_vec());
        self
    }

    /// Gives a Rust function in place of the kernels with this entry point.
    #[must_use]
    pub fn kernel(mut self, entry_point: &str, stand_in: impl Fn(&mut Call<'_>) + 'static) -> Self {
        self.state.stand_ins.insert(entry_point.to_owned(), Rc::new(stand_in));
        self
    }

    /// Runs the job and collects what it made.
    pub fn run<E: Display>(self, job: impl FnOnce(Vec<String>) -> Result<(), E>, args: &[&str]) -> Outcome {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        let (result, state) = host::with(self.state, || job(args).map_err(|error| error.to_string()));
        let State { outputs, log, progress, .. } = state;
        Outcome { result, outputs, log, progress }
    }
}

/// What a job came to.
#[derive(Debug)]
pub struct Outcome {
    /// What the job returned, an error as its text.
    pub result: Result<(), String>,
    /// All outputs.
    pub outputs: BTreeMap<String, Vec<u8>>,
    /// The lines of the log.
    pub log: Vec<(Level, String)>,
    /// What the job said about its progress: done and total.
    pub progress: Vec<(u64, u64)>,
}

impl Outcome {
    /// The bytes of an output.
    ///
    /// # Panics
    /// The job made no output of that name.
    #[track_caller]
    pub fn output(&self, name: &str) -> &[u8] {
        match self.outputs.get(name) {
            Some(bytes) => bytes,
            None => panic!("the job made no output `{name}`; it returned {:?}", self.result),
        }
    }

    /// The error's text.
    ///
    /// # Panics
    /// The job succeeded.
    #[track_caller]
    pub fn error(&self) -> &str {
        self.result.as_ref().expect_err("the job was to fail")
    }
}

/// One dispatch, as its stand-in sees it. Variables go by their names in the WGSL.
pub struct Call<'a> {
    pub(crate) source: &'static Source,
    pub(crate) constants: &'a [(String, f64)],
    pub(crate) bindings: &'a [host::Binding<'a>],
    pub(crate) workgroups: [u32; 3],
}

impl Call<'_> {
    /// Counts of workgroups along x, y and z.
    pub fn workgroups(&self) -> [u32; 3] {
        self.workgroups
    }

    /// The value that the job gave an override constant, if it gave one.
    pub fn constant(&self, name: &str) -> Option<f64> {
        self.constants.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// What is bound to a variable, as far as whole elements go.
    ///
    /// # Panics
    /// The kernel has no such variable.
    #[track_caller]
    pub fn read<T: Pod>(&self, variable: &str) -> Vec<T> {
        let bytes = self.binding(variable).0.bytes();
        let mut values = vec![T::zeroed(); bytes.len() / size_of::<T>()];
        let size = size_of_val(values.as_slice());
        bytemuck::cast_slice_mut(&mut values).copy_from_slice(&bytes[..size]);
        values
    }

    /// Writes the first elements of what is bound to a variable.
    ///
    /// # Panics
    /// The kernel has no such variable, may not write it, or there are more elements than room.
    #[track_caller]
    pub fn write<T: Pod>(&mut self, variable: &str, elements: &[T]) {
        let (binding, writable) = self.binding(variable);
        assert!(writable, "the kernel only reads `{variable}`: it cannot be written");
        binding.overwrite(bytemuck::cast_slice(elements));
    }

    #[track_caller]
    fn binding(&self, name: &str) -> (&host::Binding<'_>, bool) {
        let variable = self.source.variables.iter().find(|variable| variable.name == name);
        let variable = variable.unwrap_or_else(|| panic!("`{}` has no variable `{name}`", self.source.entry_point));
        let at = (variable.group, variable.binding);
        let binding = self.bindings.iter().find(|binding| (binding.group, binding.binding) == at);
        (binding.expect("a launch binds every variable"), variable.writable)
    }
}
