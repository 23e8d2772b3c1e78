//! Collects what was found: once for each pair of places in the text, with a count.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use samebit_wgsl::lowered::{At, Lowered};

use super::report::{BudgetUse, Detail, Finding, Invocation, KernelReport, Region, Severity, Work};
use super::source::Origin;
use crate::interp::Who;
use crate::interp::split;

/// Most findings that are kept of a kernel.
const FINDINGS: usize = 500;

/// What makes two findings the same: what it is, the memory, and the places in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) severity: Severity,
    pub(super) places: [At; 2],
    pub(super) kind: &'static str,
    pub(super) memory: u32,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    findings: BTreeMap<Key, Finding>,
    dropped: u64,
    work: Work,
    budget: Option<BudgetUse>,
    pub(super) dispatches: u64,
    pub(super) is_stopped: bool,
}

/// What one run saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) findings: BTreeMap<Key, (u64, Detail)>,
    pub(super) dropped: u64,
    pub(super) work: Work,
    pub(super) budget: Option<BudgetUse>,
}

impl Seen {
    /// Counts a finding; what it is in detail is only asked the first time.
    pub(super) fn note(&mut self, key: Key, detail: impl FnOnce() -> Detail) {
        let is_full = self.findings.len() >= FINDINGS;
        match self.findings.entry(key) {
            Entry::Occupied(mut found) => found.get_mut().0 += 1,
            Entry::Vacant(_) if is_full => self.dropped += 1,
            Entry::Vacant(place) => {
                place.insert((1, detail()));
            }
        }
    }
}

impl Found {
    /// Adds what a run of a dispatch saw.
    pub(super) fn add(&mut self, seen: Seen) {
        for (key, (count, detail)) in seen.findings {
            self.count(key, count, detail);
        }
        self.dropped += seen.dropped;
        self.work.invocations += seen.work.invocations;
        self.work.accesses += seen.work.accesses;
        self.work.accesses_unchecked += seen.work.accesses_unchecked;
        if let Some(budget) = seen.budget
            && self.budget.as_ref().is_none_or(|known| known.iterations < budget.iterations)
        {
            self.budget = Some(budget);
        }
    }

    /// Adds a finding that was not seen by the observer.
    pub(super) fn note(&mut self, places: [At; 2], memory: u32, detail: Detail) {
        let key = Key { severity: detail.severity(), places, kind: detail.kind(), memory };
        self.count(key, 1, detail);
    }

    fn count(&mut self, key: Key, count: u64, detail: Detail) {
        let is_full = self.findings.len() >= FINDINGS;
        let (severity, dispatch) = (key.severity, self.dispatches.saturating_sub(1));
        match self.findings.entry(key) {
            Entry::Occupied(mut found) => found.get_mut().count += count,
            Entry::Vacant(_) if is_full => self.dropped += 1,
            Entry::Vacant(place) => {
                place.insert(Finding { severity, count, dispatch, detail });
            }
        }
    }

    /// Another order was compared.
    pub(super) fn compared(&mut self) {
        self.work.orders_compared += 1;
    }

    /// An invocation spent its budget.
    pub(super) fn budget_spent(
        &mut self,
        source: &Origin,
        kernel: &Lowered,
        workgroups: [u32; 3],
        who: Who,
        at: At,
        limit: u32,
    ) {
        let invocation = invocation(who, kernel.interface.workgroup_size, workgroups);
        let detail = Detail::BudgetSpent { place: source.place(at), limit, invocation };
        self.note([at, at], 0, detail);
    }

    /// Not all invocations reach a barrier.
    pub(super) fn divergence(
        &mut self,
        source: &Origin,
        kernel: &Lowered,
        workgroups: [u32; 3],
        (waits, at, other): (Who, At, Who),
    ) {
        let [waits, other] = [waits, other].map(|who| invocation(who, kernel.interface.workgroup_size, workgroups));
        self.note([at, at], 0, Detail::BarrierDivergence { place: source.place(at), waits, other });
    }

    /// All of it.
    pub(super) fn report(&self, source: &Origin, kernel: &Lowered) -> KernelReport {
        KernelReport {
            file: source.file.clone(),
            entry_point: source.entry_point.clone(),
            text: source.text.clone(),
            workgroup_size: kernel.interface.workgroup_size,
            bindings: source.bindings.clone(),
            findings: self.findings.values().cloned().collect(),
            findings_dropped: self.dropped,
            work: Work { dispatches: self.dispatches, ..self.work },
            budget: self.budget.clone(),
            is_stopped: self.is_stopped,
        }
    }
}

/// An invocation by all its names.
pub(super) fn invocation(who: Who, workgroup_size: [u32; 3], workgroups: [u32; 3]) -> Invocation {
    let workgroup = split(who.workgroup, workgroups);
    let local = split(u64::from(who.local), workgroup_size);
    let axis = |axis: usize| workgroup[axis].wrapping_mul(workgroup_size[axis]).wrapping_add(local[axis]);
    Invocation { global: [axis(0), axis(1), axis(2)], workgroup, local }
}

/// A word of a binding.
pub(super) fn buffer_region(kernel: &Lowered, index: usize, byte: u32) -> Region {
    let binding = kernel.interface.bindings.get(index);
    let (group, binding) = binding.map_or((0, 0), |binding| (binding.group, binding.binding));
    Region::Buffer { group, binding, byte }
}
