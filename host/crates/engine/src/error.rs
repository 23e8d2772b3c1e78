//! Why a module cannot be used, and why a run came to nothing on this host.
//!
//! What a guest does wrong is a [`Status`](samebit_spec::Status), not an error. An error here is the operator's to act
//! on, and no receipt follows it.

use std::io;
use std::time::Duration;

use samebit_device::DeviceError;
use samebit_spec::Name;
use thiserror::Error;

/// The engine could not be set up.
#[derive(Debug, Error)]
#[error("the WebAssembly engine could not be set up on this machine: {0}")]
pub struct EngineError(pub(crate) wasmtime::Error);

/// Bytes that are no usable module.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompileError {
    /// Not WebAssembly at all.
    #[error(
        "not a WebAssembly module: the file does not begin with `\\0asm`; a job is a .wasm file, see `samebit build`"
    )]
    NotWasm,
    /// Longer than the engine takes.
    #[error("the module is too large: {size_bytes} bytes, at most {max_bytes} are allowed")]
    TooLarge {
        /// The module's size.
        size_bytes: u64,
        /// The most that is allowed.
        max_bytes: u64,
    },
    /// WebAssembly that does not validate, or uses what the sandbox switches off.
    #[error("the module is refused: {0}")]
    Invalid(String),
    /// A core module that could not be made a component.
    #[error("the core module cannot be run as a WASI preview 1 command: {0}")]
    NotACommand(String),
    /// A component that exports neither `run` nor `wasi:cli/run`.
    #[error(
        "the component is not a job: it exports neither `run: func(args: list<string>) -> result<_, string>` \
         (world samebit:job/job) nor `wasi:cli/run`"
    )]
    NotAJob,
    /// An import that no Samebit host provides, or of another type.
    #[error("the component asks for what a job cannot have: {0}")]
    Import(String),
    /// The compiler itself failed.
    #[error("the compiler failed on this module: {0}; please report it")]
    Compiler(String),
}

/// A run that came to nothing on this host. Another host may well get an outcome.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The device could not be opened, or failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The job took longer than this host allows.
    #[error("the job was stopped: it ran longer than the {} s this host allows (--limit-wall-s)", .0.as_secs_f64())]
    WallTime(Duration),
    /// An input could not be read while the job ran.
    #[error("input {name} could not be read while the job ran: {error}")]
    Input {
        /// Which input.
        name: Name,
        /// Why.
        error: io::Error,
    },
    /// An output could not be stored.
    #[error("an output could not be stored: {0}; the job was not finished")]
    Output(#[source] io::Error),
    /// This host is out of memory for guests.
    #[error("this host is out of memory for jobs: {0}; run fewer jobs at once, or lower --limit-memory")]
    Memory(String),
    /// The module was asked to compare outputs, and cannot.
    #[error("the module exports no `compare: func(name: string) -> result<_, string>` (world samebit:job/comparing)")]
    NoCompare,
    /// Something in the host that must not happen.
    #[error("the host failed: {0}; please report it")]
    Host(String),
}
