//! Runs a module: wasmtime, the WIT bindings, a deterministic WASI, and the job's limits.
//!
//! Two hosts that run the same job get the same [`Ran::status`], outputs, log and fuel, or a [`RunError`] that says why
//! this host got none. Everything a guest could tell two hosts apart by is replaced or refused; the settings that make
//! it so stand in `config.rs`, a reason beside each, and the costs of everything in `fuel.rs`.
//!
//! The engine knows no store, no network and no concrete device: inputs are handed in, outputs handed out, and a
//! [`DeviceSource`] opens a device when a guest first asks for one. It signs nothing.

mod adapt;
mod bounds;
mod cache;
mod config;
mod end;
mod error;
mod fuel;
mod host;
mod input;
mod limiter;
mod log;
mod module;
mod observer;
mod run;
mod spool;
mod state;
mod wasi;

pub use cache::Cache;
pub use config::MODULE_BYTES_MAX;
pub use error::{CompileError, EngineError, RunError};
pub use input::Input;
pub use module::{CacheUse, Module, ModuleKind};
pub use observer::{Event, Level, Observer, Silent};
pub use run::{DeviceSource, Engine, GpuUsed, Ran, Run};
pub use samebit_device as device;
pub use samebit_spec as spec;
pub use spool::Spool;
