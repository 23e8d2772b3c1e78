//! What a job may spend.
//!
//! Every limit here is counted in units that any machine counts alike, so that reaching one is an outcome others can
//! verify. Wall time is not among them: no two machines agree on it, so it is a host's safety net and never signed.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most that [`Limits::loop_iterations`] may be: devices count in 31 bits.
pub const LOOP_ITERATIONS_MAX: u64 = (1 << 31) - 1;

/// What a job may spend. Part of the job, and so of its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Fuel, in the units of the engine's cost table: about one per WebAssembly instruction.
    pub fuel: u64,
    /// Linear memory of all instances together, in bytes.
    pub memory_bytes: u64,
    /// Table elements of all instances together.
    pub table_elements: u64,
    /// Core instances that a component may consist of.
    pub instances: u64,
    /// Buffers alive at once, in bytes.
    pub gpu_memory_bytes: u64,
    /// Dispatches in all.
    pub dispatches: u64,
    /// Iterations of loops that an invocation of a kernel may begin in one dispatch, of all its loops together; at most
    /// [`LOOP_ITERATIONS_MAX`].
    pub loop_iterations: u64,
    /// All outputs together, in bytes.
    pub output_bytes: u64,
    /// The log, in bytes as stored.
    pub log_bytes: u64,
}

impl Default for Limits {
    /// Enough for an ordinary job on an ordinary machine.
    fn default() -> Self {
        Self {
            fuel: 100_000_000_000,
            memory_bytes: 1 << 30,
            table_elements: 100_000,
            instances: 32,
            gpu_memory_bytes: 1 << 30,
            dispatches: 100_000,
            loop_iterations: 1 << 24,
            output_bytes: 1 << 30,
            log_bytes: 1 << 16,
        }
    }
}

/// One of the [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// [`Limits::fuel`].
    Fuel,
    /// [`Limits::memory_bytes`].
    Memory,
    /// [`Limits::table_elements`].
    Table,
    /// [`Limits::instances`].
    Instances,
    /// [`Limits::gpu_memory_bytes`].
    GpuMemory,
    /// [`Limits::dispatches`].
    Dispatches,
    /// [`Limits::loop_iterations`].
    LoopIterations,
    /// [`Limits::output_bytes`].
    Output,
    /// [`Limits::log_bytes`].
    Log,
}

impl Limit {
    /// Every limit, in the order of their encoding.
    pub const ALL: [Self; 9] = [
        Self::Fuel,
        Self::Memory,
        Self::Table,
        Self::Instances,
        Self::GpuMemory,
        Self::Dispatches,
        Self::LoopIterations,
        Self::Output,
        Self::Log,
    ];
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Instances => "instances",
            Self::GpuMemory => "gpu-memory",
            Self::Dispatches => "dispatches",
            Self::LoopIterations => "loop-iterations",
            Self::Output => "output",
            Self::Log => "log",
        })
    }
}

/// A job asks for more than a host grants.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the job's limit on {limit} is over this host's cap: {asked} asked, {cap} granted; lower the job's limit")]
pub struct LimitError {
    /// Which limit.
    pub limit: Limit,
    /// What the job asks for.
    pub asked: u64,
    /// What the host grants at most.
    pub cap: u64,
}

impl Limits {
    /// The value of one limit.
    pub fn get(&self, limit: Limit) -> u64 {
        match limit {
            Limit::Fuel => self.fuel,
            Limit::Memory => self.memory_bytes,
            Limit::Table => self.table_elements,
            Limit::Instances => self.instances,
            Limit::GpuMemory => self.gpu_memory_bytes,
            Limit::Dispatches => self.dispatches,
            Limit::LoopIterations => self.loop_iterations,
            Limit::Output => self.output_bytes,
            Limit::Log => self.log_bytes,
        }
    }

    /// Checks that no limit is over the host's cap; the first that is becomes the error.
    pub fn check_within(&self, caps: &Self) -> Result<(), LimitError> {
        for limit in Limit::ALL {
            let (asked, cap) = (self.get(limit), caps.get(limit));
            if asked > cap {
                return Err(LimitError { limit, asked, cap });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_over_the_cap_is_named() {
        let caps = Limits::default();
        let job = Limits { dispatches: caps.dispatches + 1, ..caps.clone() };
        let error = job.check_within(&caps).expect_err("over the cap");
        assert_eq!(error.limit, Limit::Dispatches);
        assert_eq!(caps.check_within(&caps), Ok(()));
    }
}
