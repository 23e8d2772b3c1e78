//! Watches a run in order, access by access.

use samebit_wgsl::BindingKind;
use samebit_wgsl::lowered::{At, AtomicOp, Lowered, Memory};

use super::found::{Key, Seen, buffer_region, invocation};
use super::report::{Action, BudgetUse, Detail, LoopUse, Region, Side};
use super::shadow::{self, Cell, Past, Shadow};
use super::source::Origin;
use super::{Checker, Options, Progress, Watcher};
use crate::interp::{self, AccessKind, Observer, Program, Who};

/// Most counters of iterations that are kept, of each loop and each invocation.
const COUNTERS: usize = 1 << 22;

/// Workgroups between two reports of progress.
const PROGRESS_WORKGROUPS: u64 = 256;

/// Watches one dispatch.
pub(super) struct Watch<'a> {
    kernel: &'a Lowered,
    program: &'a Program,
    source: &'a Origin,
    workgroups: [u32; 3],
    loop_iterations: u32,
    watcher: Watcher<'a>,
    progress: Progress,
    /// The shadow of each binding, if the kernel may write it.
    buffers: Vec<Option<Shadow>>,
    workgroup: Shadow,
    bytes_left: u64,
    /// Counts workgroups and barriers.
    epoch: u32,
    group: u32,
    /// What is known of each instruction that has accessed memory.
    sites: Vec<Option<Site>>,
    /// Iterations of each loop by each invocation of the workgroup; empty if those would be too many.
    iterations: Vec<u32>,
    worst: u32,
    seen: Seen,
}

/// An instruction that accesses memory.
#[derive(Clone, Copy, Debug)]
struct Site {
    at: At,
    action: Action,
}

/// Who conflicts with an access, and how.
struct Conflict {
    with: Who,
    site: u32,
    is_race: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        checker: &'a Checker,
        workgroups: [u32; 3],
        options: &Options,
        watcher: Watcher<'a>,
        progress: Progress,
    ) -> Self {
        let Checker { kernel, observed: program, source, .. } = checker;
        let counters = program.loops().len().saturating_mul(program.invocations() as usize);
        let shadows = kernel.interface.bindings.iter().map(|binding| {
            let is_writable = matches!(binding.kind, BindingKind::Storage { writable: true });
            is_writable.then(Shadow::default)
        });
        Self {
            kernel,
            program,
            source,
            workgroups,
            loop_iterations: options.loop_iterations,
            watcher,
            progress,
            buffers: shadows.collect(),
            workgroup: Shadow::default(),
            bytes_left: options.shadow_bytes,
            epoch: 0,
            group: 0,
            sites: Vec::new(),
            iterations: vec![0; if counters <= COUNTERS { counters } else { 0 }],
            worst: 0,
            seen: Seen::default(),
        }
    }

    /// What was seen.
    pub(super) fn finish(self) -> Seen {
        self.seen
    }

    /// The word of an access that is the `index`th, if it conflicts with what was before. Keeps the access in mind.
    fn conflict(&mut self, access: &interp::Access, index: u32, action: Action) -> Option<Conflict> {
        let word = access.offset / 4 + index;
        let (shadow, is_buffer) = match access.memory {
            Memory::Buffer(buffer) => (self.buffers.get_mut(buffer as usize)?.as_mut()?, true),
            Memory::Workgroup => (&mut self.workgroup, false),
            Memory::Array(_) => return None,
        };
        let Some(cell) = shadow.cell(word, &mut self.bytes_left) else {
            self.seen.work.accesses_unchecked += 1;
            return None;
        };
        cell.enter(self.epoch);
        let value = match access.kind {
            AccessKind::Atomic { operand, .. } => operand,
            AccessKind::Load | AccessKind::Store => 0,
        };
        let others = others(cell, self.group, access.who.local, action, is_buffer);
        let conflict = others.into_iter().flatten().find_map(|(past, other_value)| {
            let site = past.access.site();
            let other = self.sites.get(site as usize).copied().flatten()?;
            let is_race = !(is_atomic(action) && is_atomic(other.action));
            // Between two atomics, only the last of different stores shows, or a store among updates.
            let is_order = match (other.action, action) {
                (Action::AtomicallyWrites, Action::AtomicallyWrites) => other_value != value,
                (Action::AtomicallyWrites, Action::AtomicallyUpdates)
                | (Action::AtomicallyUpdates, Action::AtomicallyWrites) => true,
                _ => false,
            };
            let with = Who { workgroup: u64::from(past.group), local: past.access.local() };
            (is_race || is_order).then_some(Conflict { with, site, is_race })
        });
        let now = shadow::Access::new(access.who.local, access.site);
        if is_write(action) {
            cell.write(self.group, now, value);
        } else {
            cell.read(self.group, now);
        }
        conflict
    }

    fn report(&mut self, access: &interp::Access, index: u32, action: Action, conflict: &Conflict) {
        let Some(other) = self.sites.get(conflict.site as usize).copied().flatten() else { return };
        let (places, region) = ([other.at, access.at], self.region(access.memory, access.offset + index * 4));
        let sides = [(other, conflict.with), (Site { at: access.at, action }, access.who)];
        let make = |source: &Origin, size, workgroups| {
            sides.map(|(site, who)| Side {
                action: site.action,
                place: source.place(site.at),
                invocation: invocation(who, size, workgroups),
            })
        };
        let (source, size, workgroups) = (self.source, self.kernel.interface.workgroup_size, self.workgroups);
        let detail = || {
            let [first, second] = make(source, size, workgroups);
            match conflict.is_race {
                true => Detail::DataRace { region, first, second },
                false => Detail::AtomicOrder { region, first, second },
            }
        };
        let kind = if conflict.is_race { "data-race" } else { "atomic-order" };
        let places = if places[0] <= places[1] { places } else { [places[1], places[0]] };
        let severity = super::Severity::Error;
        self.seen.note(Key { severity, places, kind, memory: memory_key(access.memory) }, detail);
    }

    fn region(&self, memory: Memory, byte: u32) -> Region {
        match memory {
            Memory::Buffer(buffer) => buffer_region(self.kernel, buffer as usize, byte),
            Memory::Workgroup | Memory::Array(_) => Region::Workgroup { byte },
        }
    }

    /// Looks whether a word of the workgroup's memory that is read was ever written.
    fn check_written(&mut self, access: &interp::Access, index: u32) {
        let word = access.offset / 4 + index;
        let is_written =
            self.workgroup.cell(word, &mut self.bytes_left).is_none_or(|cell| cell.first_write.group != shadow::NONE);
        if is_written {
            return;
        }
        let (source, size, workgroups) = (self.source, self.kernel.interface.workgroup_size, self.workgroups);
        let region = self.region(access.memory, access.offset + index * 4);
        let key = Key {
            severity: super::Severity::Warning,
            places: [access.at; 2],
            kind: "uninitialized",
            memory: memory_key(access.memory),
        };
        self.seen.note(key, || Detail::Uninitialized {
            region,
            reader: Side {
                action: Action::Reads,
                place: source.place(access.at),
                invocation: invocation(access.who, size, workgroups),
            },
        });
    }

    fn know(&mut self, access: &interp::Access, action: Action) {
        let site = access.site as usize;
        if site >= self.sites.len() {
            self.sites.resize(site + 1, None);
        }
        self.sites[site] = Some(Site { at: access.at, action });
    }

    /// Begins a new epoch. False if there are too many.
    fn next_epoch(&mut self) -> bool {
        self.epoch = self.epoch.saturating_add(1);
        self.epoch != u32::MAX
    }

    /// Counters of an invocation's loops.
    fn counters(&mut self, local: u32) -> &mut [u32] {
        let loops = self.program.loops().len();
        let start = local as usize * loops;
        self.iterations.get_mut(start..start + loops).unwrap_or_default()
    }
}

impl Observer for Watch<'_> {
    fn workgroup(&mut self, number: u64) -> bool {
        // A site or workgroup that has no number of its own in a cell is none that ends before the sun does.
        let Ok(group) = u32::try_from(number) else { return false };
        self.group = group;
        self.workgroup.clear();
        self.iterations.fill(0);
        self.progress.workgroups_begun += 1;
        let is_due = self.progress.workgroups_begun.is_multiple_of(PROGRESS_WORKGROUPS);
        group != shadow::NONE && self.next_epoch() && !(is_due && self.is_stopped())
    }

    fn access(&mut self, access: &interp::Access) {
        self.seen.work.accesses += 1;
        let action = action(access.kind);
        self.know(access, action);
        if access.memory == Memory::Workgroup && action == Action::Reads {
            let words = 0..access.words;
            words.into_iter().for_each(|index| self.check_written(access, index));
        }
        let mut first = None;
        for index in 0..access.words {
            let conflict = self.conflict(access, index, action);
            first = first.or(conflict.map(|conflict| (index, conflict)));
        }
        if let Some((index, conflict)) = first {
            self.report(access, index, action, &conflict);
        }
    }

    fn clamped(&mut self, who: Who, at: At, index: u32, last: u32) {
        let (source, size, workgroups) = (self.source, self.kernel.interface.workgroup_size, self.workgroups);
        let key = Key { severity: super::Severity::Warning, places: [at; 2], kind: "out-of-range", memory: 0 };
        self.seen.note(key, || Detail::OutOfRange {
            place: source.place(at),
            index,
            length: u64::from(last) + 1,
            invocation: invocation(who, size, workgroups),
        });
    }

    fn barrier(&mut self, _: u64, _: At) {
        self.next_epoch();
    }

    fn iteration(&mut self, who: Who, loop_number: u32) {
        if let Some(counter) = self.counters(who.local).get_mut(loop_number as usize) {
            *counter += 1;
        }
    }

    fn ended(&mut self, who: Who, iterations: u32) {
        self.seen.work.invocations += 1;
        if iterations <= self.worst {
            return;
        }
        self.worst = iterations;
        let (source, program) = (self.source, self.program);
        let counters = self.counters(who.local);
        let used = counters.iter().zip(program.loops()).filter(|(count, _)| **count > 0);
        let mut loops: Vec<LoopUse> =
            used.map(|(count, at)| LoopUse { place: source.place(*at), iterations: *count }).collect();
        loops.sort_by(|a, b| b.iterations.cmp(&a.iterations).then_with(|| a.place.cmp(&b.place)));
        self.seen.budget = Some(BudgetUse {
            iterations,
            limit: self.loop_iterations,
            invocation: invocation(who, self.kernel.interface.workgroup_size, self.workgroups),
            loops,
        });
    }

    fn is_stopped(&mut self) -> bool {
        !(self.watcher)(self.progress)
    }
}

/// Those that an access may conflict with, in the order in which they are reported, and what they stored.
fn others(cell: &Cell, group: u32, local: u32, action: Action, is_buffer: bool) -> [Option<(Past, u32)>; 4] {
    let here = |access| Past { group, access };
    let write = cell.written_by_other(local).map(|access| (here(access), cell.value));
    let read = cell.read_by_other(local).filter(|_| is_write(action)).map(|access| (here(access), 0));
    if !is_buffer {
        return [write, read, None, None];
    }
    let past_write = cell.first_write.of_others(group).map(|past| (past, cell.first_value));
    let past_read = cell.first_read.of_others(group).filter(|_| is_write(action)).map(|past| (past, 0));
    [write, read, past_write, past_read]
}

fn memory_key(memory: Memory) -> u32 {
    match memory {
        Memory::Buffer(buffer) => buffer,
        Memory::Workgroup | Memory::Array(_) => u32::MAX,
    }
}

fn action(kind: AccessKind) -> Action {
    match kind {
        AccessKind::Load => Action::Reads,
        AccessKind::Store => Action::Writes,
        AccessKind::Atomic { op: AtomicOp::Load, .. } => Action::AtomicallyReads,
        AccessKind::Atomic { op: AtomicOp::Store, .. } => Action::AtomicallyWrites,
        AccessKind::Atomic { .. } => Action::AtomicallyUpdates,
    }
}

fn is_atomic(action: Action) -> bool {
    matches!(action, Action::AtomicallyReads | Action::AtomicallyWrites | Action::AtomicallyUpdates)
}

fn is_write(action: Action) -> bool {
    matches!(action, Action::Writes | Action::AtomicallyWrites | Action::AtomicallyUpdates)
}
