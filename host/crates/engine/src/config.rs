//! Every setting of wasmtime that an outcome or the host's safety depends on, with its reason.
//!
//! Two hosts with this file get the same result from the same guest; a setting that is missing here is one that cannot
//! be seen from inside. Changing one changes outcomes, so it is a change of the job format's version.

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::fuel;

/// The most bytes of a module. Compiling takes time and memory in proportion, before any of the job's limits apply.
pub const MODULE_BYTES_MAX: u64 = 64 << 20;

/// The call stack of a guest, in bytes. How deep calls go in it depends on the host's instruction set; see
/// [`Trap::StackOverflow`](samebit_spec::Trap::StackOverflow) for what follows.
const GUEST_STACK_BYTES: usize = 1 << 20;

/// The stack that guest and host calls share, in bytes: the guest's, and room for what a host call needs.
const FIBER_STACK_BYTES: usize = 3 << 20;

/// How much fuel a guest burns before it lets other tasks run: about a millisecond.
pub(crate) const YIELD_FUEL: u64 = 1_000_000;

/// Host-side resources a guest may hold at once: buffers, kernels, streams, pollables.
pub(crate) const HANDLES_MAX: usize = 1 << 16;

/// The most jobs that run at once in one process.
pub(crate) const JOBS_MAX: u32 = 64;

/// Core instances that the pool can hold for one component; a job's own limit may be lower.
const INSTANCES_PER_JOB_MAX: u32 = 256;

/// wasmtime, set up for the same answer everywhere.
pub(crate) fn wasmtime_config() -> Config {
    let mut config = Config::new();
    determinism(&mut config);
    features(&mut config);
    safety(&mut config);
    config
}

fn determinism(config: &mut Config) {
    // Fuel is the clock and the meter: counted per WebAssembly instruction, it is the same on every machine.
    config.consume_fuel(true);
    config.operator_cost(fuel::operator_cost());
    // A NaN's payload differs between instruction sets.
    config.cranelift_nan_canonicalization(true);
    // Relaxed SIMD gives each machine's own result unless told otherwise; deterministic, its multiply-add is fused.
    config.wasm_relaxed_simd(true);
    config.relaxed_simd_deterministic(true);
    // How memory is laid out and reserved cannot be seen from inside, but a failing growth could; see `limiter.rs`.
    config.max_wasm_stack(GUEST_STACK_BYTES);
}

/// What a guest may be made of. Off is whatever is not deterministic, not needed, or not finished upstream.
fn features(config: &mut Config) {
    config.wasm_component_model(true);
    config.wasm_simd(true);
    config.wasm_bulk_memory(true);
    config.wasm_multi_value(true);
    config.wasm_features(wasmtime::WasmFeatures::REFERENCE_TYPES, true);
    config.wasm_tail_call(true);
    config.wasm_extended_const(true);
    config.wasm_multi_memory(true);
    // Two threads race, and a race has no answer.
    config.wasm_features(wasmtime::WasmFeatures::THREADS, false);
    config.wasm_features(wasmtime::WasmFeatures::SHARED_EVERYTHING_THREADS, false);
    config.shared_memory(false);
    // When a collector runs, and what it costs, is not specified.
    config.wasm_features(wasmtime::WasmFeatures::GC, false);
    config.wasm_features(wasmtime::WasmFeatures::FUNCTION_REFERENCES, false);
    config.wasm_features(wasmtime::WasmFeatures::EXCEPTIONS, false);
    config.wasm_features(wasmtime::WasmFeatures::STACK_SWITCHING, false);
    // A 64-bit memory costs bounds checks, and no limit of ours allows one to be of use.
    config.wasm_memory64(false);
    // Pages are 64 KiB, so that memory is counted alike everywhere.
    config.wasm_custom_page_sizes(false);
    config.wasm_wide_arithmetic(false);
    // Concurrency within a guest would need an order of events to be defined first.
    config.concurrency_support(false);
}

fn safety(config: &mut Config) {
    config.async_stack_size(FIBER_STACK_BYTES);
    // A stack is reused by the next job: leave nothing of the last one in it.
    config.async_stack_zeroing(true);
    // Backtraces of hostile guests cost time and memory, and nobody reads them.
    config.wasm_backtrace_max_frames(None);
    config.memory_init_cow(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(JOBS_MAX);
    pool.total_core_instances(JOBS_MAX * INSTANCES_PER_JOB_MAX);
    pool.total_stacks(JOBS_MAX);
    // Every memory reserves its whole address range, so their number is what must be kept small.
    pool.total_memories(JOBS_MAX * 4);
    pool.total_tables(JOBS_MAX * 16);
    pool.max_core_instances_per_component(INSTANCES_PER_JOB_MAX);
    pool.max_memories_per_component(4);
    pool.max_tables_per_component(16);
    pool.max_memories_per_module(4);
    pool.max_tables_per_module(16);
    pool.max_memory_size(4 << 30);
    pool.table_elements(1 << 20);
    pool
}
