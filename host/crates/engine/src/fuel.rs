//! What everything costs, in fuel.
//!
//! Fuel is a job's clock and its meter. One unit is about one simple WebAssembly instruction; host calls cost what they
//! would take a guest to do, so that no call is a cheap way to keep a host busy. The table is part of every outcome:
//! changing a number changes outcomes, so it is a change of the job format's version.

use wasmtime::{AsContextMut, OperatorCost, StoreContextMut, Trap, VariableOperatorCost};

use crate::state::State;

/// Any call of a host function.
pub(crate) const HOST_CALL: u64 = 250;

/// A host call moves this many bytes for one unit of fuel.
pub(crate) const BYTES_PER_FUEL: u64 = 8;

/// Parsing, validating and compiling a kernel, whatever its length.
pub(crate) const KERNEL_CREATE: u64 = 2_000_000;

/// The same, for each byte of the kernel's text.
pub(crate) const KERNEL_CREATE_PER_BYTE: u64 = 2_000;

/// The same, for each override constant given.
pub(crate) const KERNEL_CREATE_PER_CONSTANT: u64 = 1_000;

/// Validating and queueing a dispatch.
pub(crate) const DISPATCH: u64 = 10_000;

/// The same, for each binding given.
pub(crate) const DISPATCH_PER_BINDING: u64 = 200;

/// Polling, for each entry of the list.
pub(crate) const POLL_PER_ENTRY: u64 = 200;

/// Creating a buffer, for each 4 KiB of it: it must be cleared.
pub(crate) const BUFFER_CREATE_PER_PAGE: u64 = 64;

/// What each WebAssembly operator costs.
///
/// The flat costs are wasmtime's defaults: 1 for each operator, 0 for those that generate no code (`nop`, `drop`,
/// `block`, `loop`, `unreachable`, `return`, `else`, `end`). Work that depends on an operand is charged by its size.
pub(crate) fn operator_cost() -> OperatorCost {
    let mut cost = OperatorCost::new();
    cost.variable = VariableOperatorCost {
        memory_copy_per_byte: 1,
        memory_fill_per_byte: 1,
        memory_init_per_byte: 1,
        // A page must be cleared by the kernel of the operating system before it can be used.
        memory_grow_per_page: 255,
        table_copy_per_element: 1,
        table_fill_per_element: 1,
        table_init_per_element: 1,
        table_grow_per_element: 1,
        ..VariableOperatorCost::new()
    };
    cost
}

/// Takes fuel for a host call that was handed `bytes` bytes. First of all in every call, so that a refused one costs
/// something too.
pub(crate) fn charge_call(store: &mut StoreContextMut<'_, State>, bytes: u64) -> wasmtime::Result<()> {
    charge(store, HOST_CALL + bytes / BYTES_PER_FUEL)
}

/// Takes fuel for `bytes` bytes that are about to be moved. For a number that the guest only named, not before it was
/// checked: an absurd one is refused, not paid for.
pub(crate) fn charge_bytes(store: &mut StoreContextMut<'_, State>, bytes: u64) -> wasmtime::Result<()> {
    charge(store, bytes / BYTES_PER_FUEL)
}

/// Takes fuel, and ends the guest if it has too little.
pub(crate) fn charge(store: &mut StoreContextMut<'_, State>, cost: u64) -> wasmtime::Result<()> {
    let mut store = store.as_context_mut();
    let rest = store.get_fuel()?.checked_sub(cost);
    store.set_fuel(rest.unwrap_or(0))?;
    match rest {
        Some(_) => Ok(()),
        None => Err(Trap::OutOfFuel.into()),
    }
}
