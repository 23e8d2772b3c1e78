//! What a machine lends to jobs.

use std::time::{Duration, SystemTime};

use samebit_engine::spec::Limits;
use samebit_engine::{DeviceSource, Engine};
use samebit_store::Store;

/// A machine that runs jobs: what every step of a job or a check may use.
pub struct Host {
    /// Compiles and runs modules.
    pub engine: Engine,
    /// Where modules and inputs come from, and outputs and receipts go.
    pub store: Store,
    /// Opens the device when a guest first asks for one.
    pub device: DeviceSource,
    /// The most that a job may ask for.
    pub caps: Limits,
    /// How long a job may take on the clock.
    pub wall_time: Option<Duration>,
    /// The clock that a receipt's measured part is taken from.
    pub clock: fn() -> SystemTime,
    /// The program and its version, for the receipt.
    pub program: String,
}
