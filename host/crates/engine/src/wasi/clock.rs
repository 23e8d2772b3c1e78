//! Clocks that tell fuel.
//!
//! One unit of fuel is one nanosecond after 2026-01-01T00:00:00Z, on both clocks. Nothing is ever waited for: where a
//! guest waits and nothing is ready, the clock moves on to the earliest timer it waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower, Resource};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::fuel::charge_call;
use crate::state::State;

/// 2026-01-01T00:00:00Z, in seconds since 1970.
const EPOCH_UNIX_S: u64 = 1_767_225_600;
const NS_PER_S: u64 = 1_000_000_000;

/// How far the guest has come in time.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    /// Nanoseconds that were skipped by waiting.
    skipped_ns: AtomicU64,
    /// The time when it was last asked for.
    now_ns: AtomicU64,
    /// The earliest deadline that was polled and is still to come.
    wanted_ns: AtomicU64,
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self { skipped_ns: AtomicU64::new(0), now_ns: AtomicU64::new(0), wanted_ns: AtomicU64::new(u64::MAX) }
    }
}

// One guest runs on one thread at a time; the atomics are for the type, not for an order between threads.
impl VirtualClock {
    /// The time, in nanoseconds since the start, after `fuel` units of fuel.
    fn now(&self, fuel: u64) -> u64 {
        let now = fuel.saturating_add(self.skipped_ns.load(Ordering::Relaxed));
        self.now_ns.store(now, Ordering::Relaxed);
        now
    }

    /// True if a deadline has come; if not, it is one to wait for.
    fn has_come(&self, deadline_ns: u64) -> bool {
        if deadline_ns <= self.now_ns.load(Ordering::Relaxed) {
            return true;
        }
        self.wanted_ns.fetch_min(deadline_ns, Ordering::Relaxed);
        false
    }

    /// Forgets the deadlines that were asked about but not waited for.
    pub(super) fn begin_wait(&self) {
        self.wanted_ns.store(u64::MAX, Ordering::Relaxed);
    }

    /// Moves on to the earliest deadline that was polled since [`begin_wait`](Self::begin_wait) and had not come.
    pub(super) fn skip(&self) {
        let wanted = self.wanted_ns.swap(u64::MAX, Ordering::Relaxed);
        let now = self.now_ns.fetch_max(wanted, Ordering::Relaxed);
        self.skipped_ns.fetch_add(wanted.saturating_sub(now), Ordering::Relaxed);
    }
}

/// A timer.
struct Deadline {
    clock: Arc<VirtualClock>,
    at_ns: u64,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Deadline {
    // Nobody wakes the one who waits: `metered.rs` moves the clock on, and asks again.
    async fn ready(&mut self) {
        std::future::poll_fn(|_| if self.clock.has_come(self.at_ns) { Poll::Ready(()) } else { Poll::Pending }).await;
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

/// The time, which is also that of timers until it is asked for again.
pub(super) fn now(store: &mut StoreContextMut<'_, State>) -> wasmtime::Result<u64> {
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
        assert!(clock.has_come(10) && !clock.has_come(2_000) && !clock.has_come(1_000));
        clock.skip();
        assert!(clock.has_come(1_000) && !clock.has_come(2_000), "the earliest of those that were waited for");
        assert_eq!(clock.now(20), 1_010, "fuel goes on counting after a wait");
        clock.skip();
        assert_eq!(clock.now(20), 2_000);
        assert!(!clock.has_come(3_000), "asked about, and not waited for");
        clock.begin_wait();
        assert!(!clock.has_come(u64::MAX));
        clock.skip();
        assert_eq!(clock.now(21), u64::MAX);
        assert_eq!(clock.now(22), u64::MAX, "the end of time is not passed");
    }
}
