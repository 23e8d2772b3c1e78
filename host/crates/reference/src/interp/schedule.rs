//! Which invocation runs next.

use samebit_wgsl::lowered::At;

use super::machine::{Ids, Local, Machine, Pause, State};
use super::observer::{Observer, Who};
use super::order::{self, Order, Rng};
use super::program::Program;
use super::{Ended, InterpError, Options};

/// Most workgroups that are under way at once.
const RESIDENT: u32 = 4;
/// Most memory of frames and arrays of all that are under way; one workgroup may always be.
const RESIDENT_BYTES: u64 = 64 << 20;

/// Runs a dispatch.
pub(super) fn dispatch<O: Observer>(
    program: &Program,
    buffers: &mut [&mut [u8]],
    workgroups: [u32; 3],
    options: &Options,
    observer: &mut O,
) -> Result<Ended, InterpError> {
    let total = workgroups.iter().try_fold(1_u64, |product, count| product.checked_mul(u64::from(*count)));
    let total = total.ok_or(InterpError::Malformed("it has more workgroups than there can be"))?;
    // The machine borrows the slice of slices for as long as it runs.
    let mut buffers: Vec<&mut [u8]> = buffers.iter_mut().map(|buffer| &mut **buffer).collect();
    let machine = Machine::new(program, &mut buffers, workgroups, options, observer)?;
    let mut scheduler = Scheduler { machine, order: options.order, rng: Rng::new(seed(options.order)), total };
    match options.order {
        Order::Interleaved(_) => scheduler.interleaved(),
        _ => scheduler.in_phases(),
    }
}

fn seed(order: Order) -> u64 {
    match order {
        Order::InOrder | Order::Reversed => 0,
        Order::Shuffled(seed) | Order::Interleaved(seed) => seed,
    }
}

struct Scheduler<'a, O> {
    machine: Machine<'a, O>,
    order: Order,
    rng: Rng,
    /// How many workgroups there are.
    total: u64,
}

/// A workgroup that is under way.
struct Group {
    number: u64,
    /// Whether an invocation can be put aside: each has a frame and arrays of its own.
    is_resumable: bool,
    states: Vec<State>,
    /// The barrier at which each that waits does.
    waiting: Vec<Option<At>>,
    /// Which can run.
    ready: Vec<u32>,
    memory: Vec<u8>,
    /// The frame of each.
    frames: Vec<u32>,
    /// The arrays of each, or of the one that runs.
    arrays: Vec<u8>,
}

impl Group {
    /// Room for a workgroup; for all its invocations at once, or for one after the other.
    fn new(program: &Program, is_resumable: bool) -> Self {
        let count = if is_resumable { program.invocations() as usize } else { 1 };
        let frame = (program.registers - program.shared) as usize;
        Self {
            number: 0,
            is_resumable,
            states: Vec::with_capacity(program.invocations() as usize),
            waiting: Vec::new(),
            ready: Vec::new(),
            memory: vec![0; program.workgroup_bytes as usize],
            frames: if is_resumable { vec![0; frame * count] } else { Vec::new() },
            arrays: vec![0; program.array_bytes as usize * count],
        }
    }

    /// One that ended, or waits at another barrier than `first`, if there is one.
    fn odd_one(&self, first: &State) -> Option<Who> {
        let mut waiting = self.states.iter().zip(&self.waiting);
        let odd = waiting.find(|(state, waiting)| waiting.is_none() || state.pc != first.pc);
        odd.map(|(state, _)| state.who)
    }
}

impl<O: Observer> Scheduler<'_, O> {
    /// The number of the workgroup that comes at `index`.
    fn number(&self, index: u64) -> u64 {
        match self.order {
            Order::InOrder => index,
            Order::Reversed => self.total - 1 - index,
            Order::Shuffled(seed) | Order::Interleaved(seed) => order::permuted(index, self.total, seed),
        }
    }

    /// Sets a group to the start of the workgroup that comes at `index`. False if the observer has seen enough.
    fn begin(&mut self, group: &mut Group, index: u64) -> bool {
        let program = self.machine.program;
        let number = self.number(index);
        let counts = self.machine.num_workgroups;
        let workgroup = split(number, counts);
        let count = program.invocations();
        group.number = number;
        group.states.clear();
        for local in 0..count {
            let ids = Ids { local: split(u64::from(local), program.workgroup_size), workgroup };
            let who = Who { workgroup: number, local };
            let iterations_left = self.machine.loop_iterations;
            group.states.push(State { who, ids, pc: program.body, iterations_left });
        }
        group.waiting.clear();
        group.waiting.resize(count as usize, None);
        group.ready.clear();
        group.ready.extend(0..count);
        group.memory.fill(0);
        group.frames.fill(0);
        group.arrays.fill(0);
        !O::IS_ACTIVE || self.machine.observer.workgroup(number)
    }

    /// Workgroups one after the other, between barriers one invocation after the other.
    fn in_phases(&mut self) -> Result<Ended, InterpError> {
        let is_resumable = self.machine.program.has_barrier;
        let mut group = Group::new(self.machine.program, is_resumable);
        for index in 0..self.total {
            if !self.begin(&mut group, index) {
                return Ok(Ended::Stopped);
            }
            while !group.ready.is_empty() {
                let mut ready = std::mem::take(&mut group.ready);
                match self.order {
                    Order::Reversed => ready.reverse(),
                    Order::Shuffled(_) => self.rng.shuffle(&mut ready),
                    _ => {}
                }
                for &local in &ready {
                    if let Some(ended) = self.go_on::<false>(&mut group, local)? {
                        return Ok(ended);
                    }
                }
                ready.clear();
                group.ready = ready;
                self.release(&mut group)?;
            }
        }
        Ok(Ended::Done)
    }

    /// Several workgroups at once, and another invocation after each access.
    fn interleaved(&mut self) -> Result<Ended, InterpError> {
        let program = self.machine.program;
        let frame_bytes = u64::from(program.registers - program.shared) * 4 + u64::from(program.array_bytes);
        let group_bytes = (frame_bytes * u64::from(program.invocations())).max(1);
        let resident = (RESIDENT_BYTES / group_bytes).clamp(1, u64::from(RESIDENT)).min(self.total);
        let mut next = 0;
        let mut groups = Vec::new();
        while next < resident {
            let mut group = Group::new(program, true);
            if !self.begin(&mut group, next) {
                return Ok(Ended::Stopped);
            }
            groups.push(group);
            next += 1;
        }
        while !groups.is_empty() {
            let chosen = self.rng.below(groups.len() as u32) as usize;
            let group = &mut groups[chosen];
            let at = self.rng.below(group.ready.len() as u32) as usize;
            let local = group.ready.swap_remove(at);
            if let Some(ended) = self.go_on::<true>(group, local)? {
                return Ok(ended);
            }
            if !group.ready.is_empty() {
                continue;
            }
            self.release(group)?;
            if !group.ready.is_empty() {
                continue;
            }
            if next == self.total {
                groups.swap_remove(chosen);
            } else if self.begin(group, next) {
                next += 1;
            } else {
                return Ok(Ended::Stopped);
            }
        }
        Ok(Ended::Done)
    }

    /// Runs one invocation until it pauses. What comes back ends the dispatch.
    fn go_on<const FINE: bool>(&mut self, group: &mut Group, local: u32) -> Result<Option<Ended>, InterpError> {
        let program = self.machine.program;
        let index = local as usize;
        let state = &mut group.states[index];
        let frame = (program.registers - program.shared) as usize;
        let arrays = program.array_bytes as usize;
        let slot = if group.is_resumable { index } else { 0 };
        if group.is_resumable {
            self.machine.frame().copy_from_slice(&group.frames[index * frame..][..frame]);
        } else {
            // It begins, and the one before has ended.
            self.machine.frame()[..program.variables as usize].fill(0);
            group.arrays.fill(0);
        }
        let arrays = &mut group.arrays[slot * arrays..][..arrays];
        let mut memory = Local { workgroup: &mut group.memory, arrays };
        let pause = self.machine.run::<FINE>(state, &mut memory)?;
        if group.is_resumable && pause != Pause::Ended {
            group.frames[index * frame..][..frame].copy_from_slice(self.machine.frame());
        }
        match pause {
            Pause::Ended => {
                if O::IS_ACTIVE {
                    let iterations = self.machine.loop_iterations - state.iterations_left;
                    self.machine.observer.ended(state.who, iterations);
                }
            }
            Pause::Barrier(at) => group.waiting[index] = Some(at),
            Pause::Accessed => group.ready.push(local),
            Pause::BudgetSpent(at) => return Ok(Some(Ended::BudgetSpent(state.who, at))),
            Pause::Stopped => return Ok(Some(Ended::Stopped)),
        }
        Ok(None)
    }

    /// Lets a workgroup go on of which none can run: all have ended, or all wait at one barrier.
    fn release(&mut self, group: &mut Group) -> Result<(), InterpError> {
        let mut waiting = group.states.iter().zip(&group.waiting);
        let Some((first, barrier)) = waiting.find_map(|(state, at)| Some((*state, (*at)?))) else {
            return Ok(());
        };
        if let Some(other) = group.odd_one(&first) {
            return Err(InterpError::Divergence { waits: first.who, barrier, other });
        }
        group.waiting.fill(None);
        group.ready.extend(0..self.machine.program.invocations());
        if O::IS_ACTIVE {
            self.machine.observer.barrier(group.number, barrier);
        }
        Ok(())
    }
}

/// A number as x, y and z, of which x moves fastest.
pub(crate) fn split(number: u64, counts: [u32; 3]) -> [u32; 3] {
    let [x, y, _] = counts.map(|count| u64::from(count.max(1)));
    // Each part is less than its count, and the last no more than what is left.
    [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32]
}
