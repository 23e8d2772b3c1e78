//! Counts what instances hold, and refuses what is over the job's limits.
//!
//! A guest sees a refused growth as WebAssembly defines it: `memory.grow` gives -1, and it may make do with less. Most
//! guests trap then; the refusal is remembered so that the outcome names the limit instead of the trap.

use samebit_spec::{Limit, Limits};
use wasmtime::ResourceLimiter;

use crate::RunError;
use crate::end::Stop;

/// The most that 32-bit addresses reach. The pool of `config.rs` offers as much.
const MEMORY_BYTES_MAX: usize = 1 << 32;

/// The memory and tables of one job.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_limit: u64,
    memory_bytes: u64,
    memory_peak_bytes: u64,
    table_limit: u64,
    table_elements: u64,
    instances: usize,
    refused: Option<Limit>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_limit: limits.memory_bytes,
            memory_bytes: 0,
            memory_peak_bytes: 0,
            table_limit: limits.table_elements,
            table_elements: 0,
            instances: usize::try_from(limits.instances).unwrap_or(usize::MAX),
            refused: None,
        }
    }

    /// The most linear memory that was in use at once, in bytes.
    pub(crate) fn memory_peak_bytes(&self) -> u64 {
        self.memory_peak_bytes
    }

    /// The limit that refused a growth last, if one did.
    pub(crate) fn refused(&self) -> Option<Limit> {
        self.refused
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // Past the memory's own maximum, and past what any memory can have, the growth fails whatever we say.
        if maximum.is_some_and(|maximum| desired > maximum) || desired > MEMORY_BYTES_MAX {
            return Ok(false);
        }
        let total = self.memory_bytes + desired.saturating_sub(current) as u64;
        if total > self.memory_limit {
            self.refused = Some(Limit::Memory);
            return Ok(false);
        }
        self.memory_bytes = total;
        self.memory_peak_bytes = self.memory_peak_bytes.max(total);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // The limit allowed it, so it is this host that has no memory: no other host would agree on the outcome.
        match self.refused {
            Some(Limit::Memory) => Ok(()),
            _ => Err(Stop::Host(RunError::Memory(format!("{error:#}"))).into()),
        }
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.table_elements + desired.saturating_sub(current) as u64;
        if total > self.table_limit {
            self.refused = Some(Limit::Table);
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        usize::MAX
    }

    fn tables(&self) -> usize {
        usize::MAX
    }
}
