//! Clocks that tell fuel.
//!
//! One unit of fuel is one nanosecond after 2026-01-01T00:00:00Z, on both clocks. Nothing is ever waited for: a timer
//! that the guest polls moves the clock on to its deadline, and is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower, Resource};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::fuel::charge_call;
use crate::state::State;

/// 2026-01-01T00:00:00Z, in seconds since 1970.
const EPOCH_UNIX_S: u64 = 1_767_225_600;
const NS_PER_S: u64 = 1_000_000_000;

/// How far the guest has come in time beyond its fuel.
#[derive(Debug, Default)]
pub(crate) struct VirtualClock {
    /// Nanoseconds that were skipped by waiting.
    skipped_ns: AtomicU64,
    /// The latest deadline that was waited for.
    reached_ns: AtomicU64,
}

// One guest runs on one thread at a time; the atomics are for the type, not for an order between threads.
impl VirtualClock {
    /// The time, in nanoseconds since the start, after `fuel` units of fuel.
    fn now(&self, fuel: u64) -> u64 {
        let now = fuel.saturating_add(self.skipped_ns.load(Ordering::Relaxed));
        let behind = self.reached_ns.load(Ordering::Relaxed).saturating_sub(now);
        self.skipped_ns.fetch_add(behind, Ordering::Relaxed);
        now + behind
    }

    fn wait_until(&self, deadline_ns: u64) {
        self.reached_ns.fetch_max(deadline_ns, Ordering::Relaxed);
    }
}

/// A timer. Ready as soon as it is asked.
struct Deadline {
    clock: Arc<VirtualClock>,
    at_ns: u64,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        self.clock.wait_until(self.at_ns);
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// Takes the place of wasmtime-wasi's clocks.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut wall = linker.instance("wasi:clocks/wall-clock@0.2.12")?;
    wall.func_wrap("now", |mut store, ()| {
        let now = now(&mut store)?;
        Ok((Datetime { seconds: EPOCH_UNIX_S + now / NS_PER_S, nanoseconds: (now % NS_PER_S) as u32 },))
    })?;
    wall.func_wrap("resolution", |mut store, ()| {
        charge_call(&mut store, 0)?;
        Ok((Datetime { seconds: 0, nanoseconds: 1 },))
    })?;
    let mut monotonic = linker.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    monotonic.func_wrap("now", |mut store, ()| Ok((now(&mut store)?,)))?;
    monotonic.func_wrap("resolution", |mut store, ()| {
        charge_call(&mut store, 0)?;
        Ok((1_u64,))
    })?;
    monotonic.func_wrap("subscribe-instant", |mut store, (at_ns,): (u64,)| {
        charge_call(&mut store, 0)?;
        Ok((timer(&mut store, at_ns)?,))
    })?;
    monotonic.func_wrap("subscribe-duration", |mut store, (duration_ns,): (u64,)| {
        let at_ns = now(&mut store)?.saturating_add(duration_ns);
        Ok((timer(&mut store, at_ns)?,))
    })?;
    Ok(())
}

fn now(store: &mut StoreContextMut<'_, State>) -> wasmtime::Result<u64> {
    charge_call(store, 0)?;
    let spent = store.data().job.limits.fuel.saturating_sub(store.get_fuel()?);
    Ok(store.data().clock.now(spent))
}

fn timer(store: &mut StoreContextMut<'_, State>, at_ns: u64) -> wasmtime::Result<Resource<DynPollable>> {
    let state = store.data_mut();
    let deadline = state.table.push(Deadline { clock: state.clock.clone(), at_ns })?;
    subscribe(&mut state.table, deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_fuel_and_waiting_moves_it_on() {
        let clock = VirtualClock::default();
        assert_eq!(clock.now(10), 10);
        clock.wait_until(1_000);
        assert_eq!(clock.now(20), 1_000);
        assert_eq!(clock.now(25), 1_005, "fuel goes on counting after a wait");
        clock.wait_until(500);
        assert_eq!(clock.now(26), 1_006, "a deadline in the past moves nothing");
        clock.wait_until(u64::MAX);
        assert_eq!(clock.now(27), u64::MAX);
        assert_eq!(clock.now(28), u64::MAX, "the end of time is not passed");
    }
}
