//! Runs one invocation, from where it is to where it waits or ends.

use samebit_wgsl::lowered::{At, AtomicOp, Builtin, Memory, eval};
use samebit_wgsl::math;

use super::observer::{Access, AccessKind, Observer, Who};
use super::program::{FlatPlace, Instr, Pc, Program, Reg};
use super::{InterpError, Options};

/// Steps between two questions whether to stop.
const POLL_STEPS: u64 = 1 << 16;

/// What an invocation is, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) who: Who,
    pub(super) ids: Ids,
    pub(super) pc: Pc,
    /// Iterations of loops that it may still begin.
    pub(super) iterations_left: u32,
}

/// What an invocation knows of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ids {
    pub(super) local: [u32; 3],
    pub(super) workgroup: [u32; 3],
}

/// Why an invocation stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// It is done.
    Ended,
    /// It waits for the others.
    Barrier(At),
    /// It has accessed shared memory; only if it was asked to stop there.
    Accessed,
    /// It has spent its budget, in this loop.
    BudgetSpent(At),
    /// Steps ran out, or the observer has seen enough.
    Stopped,
}

/// What belongs to a workgroup or an invocation and not to the machine.
pub(super) struct Local<'a> {
    /// The workgroup's memory.
    pub(super) workgroup: &'a mut [u8],
    /// The invocation's arrays.
    pub(super) arrays: &'a mut [u8],
}

/// Runs invocations.
pub(super) struct Machine<'a, O> {
    pub(super) program: &'a Program,
    /// Those of the preamble, then the frame of the invocation that runs.
    pub(super) registers: Vec<u32>,
    pub(super) buffers: &'a mut [&'a mut [u8]],
    pub(super) num_workgroups: [u32; 3],
    pub(super) loop_iterations: u32,
    pub(super) steps_left: u64,
    pub(super) observer: &'a mut O,
}

impl<'a, O: Observer> Machine<'a, O> {
    /// A machine that has run the preamble.
    pub(super) fn new(
        program: &'a Program,
        buffers: &'a mut [&'a mut [u8]],
        num_workgroups: [u32; 3],
        options: &Options,
        observer: &'a mut O,
    ) -> Result<Self, InterpError> {
        let mut machine = Self {
            program,
            registers: vec![0; program.registers as usize],
            buffers,
            num_workgroups,
            loop_iterations: options.loop_iterations,
            steps_left: u64::MAX,
            observer,
        };
        let who = Who { workgroup: 0, local: 0 };
        let mut state = State { who, ids: Ids::default(), pc: 0, iterations_left: 0 };
        let mut local = Local { workgroup: &mut [], arrays: &mut [] };
        machine.run::<false>(&mut state, &mut local)?;
        machine.steps_left = options.steps;
        Ok(machine)
    }

    /// The registers of the invocation that runs.
    pub(super) fn frame(&mut self) -> &mut [u32] {
        &mut self.registers[self.program.shared as usize..]
    }

    /// Takes one step. False if there is none left, or the observer has seen enough.
    #[inline]
    fn step(&mut self) -> bool {
        if self.steps_left == 0 {
            return false;
        }
        self.steps_left -= 1;
        !(O::IS_ACTIVE && self.steps_left.is_multiple_of(POLL_STEPS) && self.observer.is_stopped())
    }

    /// Runs an invocation until it pauses. If `FINE`, after each access to shared memory.
    pub(super) fn run<const FINE: bool>(
        &mut self,
        state: &mut State,
        local: &mut Local<'_>,
    ) -> Result<Pause, InterpError> {
        if !self.step() {
            return Ok(Pause::Stopped);
        }
        let program = self.program;
        let mut pc = state.pc as usize;
        loop {
            let Some(instr) = program.code.get(pc) else {
                return Err(InterpError::Malformed("it runs past its end"));
            };
            let site = pc;
            pc += 1;
            match *instr {
                Instr::Constant { to, bits } => self.set(to, bits),
                Instr::Move { to, from } => self.set(to, self.get(from)),
                Instr::Builtin { to, builtin } => self.set(to, self.builtin(state, builtin)),
                Instr::Length { to, buffer } => self.set(to, self.length(buffer)),
                Instr::Unary { op, to, a } => self.set(to, eval::unary(op, self.get(a))),
                Instr::Binary { op, to, a, b } => self.set(to, eval::binary(op, self.get(a), self.get(b))),
                Instr::Select { to, condition, accept, reject } => {
                    let from = if self.get(condition) == 0 { reject } else { accept };
                    self.set(to, self.get(from));
                }
                Instr::Fma { to, a, b, c } => self.set(to, eval::fma(self.get(a), self.get(b), self.get(c))),
                Instr::Clamp { to, index, last, at } => {
                    let (index, last) = (self.get(index), self.get(last));
                    if O::IS_ACTIVE && index > last {
                        self.observer.clamped(state.who, at, index, last);
                    }
                    self.set(to, index.min(last));
                }
                Instr::Math { function, to, args } => {
                    let args = args.map(|arg| self.get(arg));
                    let count = function.params().len().min(args.len());
                    self.set(to, math::native(function, &args[..count]));
                }
                Instr::Load { place, list, count } => {
                    let place = &program.places[place as usize];
                    let offset = self.offset(place);
                    self.see(state, site, place, offset, u32::from(count), AccessKind::Load);
                    let list = &program.lists[list as usize..][..usize::from(count)];
                    let bytes = memory(program, self.buffers, local, place, offset, list.len())?;
                    for (to, word) in list.iter().zip(bytes.as_chunks().0) {
                        self.registers[*to as usize] = u32::from_le_bytes(*word);
                    }
                    if FINE && !matches!(place.memory, Memory::Array(_)) {
                        return Ok(pause(state, pc, Pause::Accessed));
                    }
                }
                Instr::Store { place, list, count } => {
                    let place = &program.places[place as usize];
                    let offset = self.offset(place);
                    self.see(state, site, place, offset, u32::from(count), AccessKind::Store);
                    let list = &program.lists[list as usize..][..usize::from(count)];
                    let bytes = memory(program, self.buffers, local, place, offset, list.len())?;
                    for (from, word) in list.iter().zip(bytes.as_chunks_mut().0) {
                        *word = self.registers[*from as usize].to_le_bytes();
                    }
                    if FINE && !matches!(place.memory, Memory::Array(_)) {
                        return Ok(pause(state, pc, Pause::Accessed));
                    }
                }
                Instr::Atomic { op, place, to, operand, compare } => {
                    let place = &program.places[place as usize];
                    let offset = self.offset(place);
                    let (operand, compare) = (self.get(operand), self.get(compare));
                    let kind = AccessKind::Atomic { op, operand, is_used: to.is_some() };
                    self.see(state, site, place, offset, 1, kind);
                    let bytes = memory(program, self.buffers, local, place, offset, 1)?;
                    if let Some(word) = bytes.as_chunks_mut().0.first_mut() {
                        let old = u32::from_le_bytes(*word);
                        *word = atomic(op, old, operand, compare).to_le_bytes();
                        if let Some(to) = to {
                            self.set(to, old);
                        }
                    }
                    if FINE {
                        return Ok(pause(state, pc, Pause::Accessed));
                    }
                }
                Instr::Jump(to) => pc = to as usize,
                Instr::JumpIf { condition, to } => {
                    if self.get(condition) != 0 {
                        pc = to as usize;
                    }
                }
                Instr::JumpUnless { condition, to } => {
                    if self.get(condition) == 0 {
                        pc = to as usize;
                    }
                }
                Instr::Switch { selector, table } => {
                    let table = &program.switches[table as usize];
                    let value = self.get(selector);
                    let found = table.cases.binary_search_by_key(&value, |case| case.0);
                    pc = found.map_or(table.default, |index| table.cases[index].1) as usize;
                }
                Instr::Iterate { loop_number } => {
                    if state.iterations_left == 0 {
                        let at = program.loops.get(loop_number as usize).copied().unwrap_or(At::UNKNOWN);
                        return Ok(pause(state, pc, Pause::BudgetSpent(at)));
                    }
                    state.iterations_left -= 1;
                    if O::IS_ACTIVE {
                        self.observer.iteration(state.who, loop_number);
                    }
                    if !self.step() {
                        return Ok(pause(state, pc, Pause::Stopped));
                    }
                }
                Instr::Barrier(at) => return Ok(pause(state, pc, Pause::Barrier(at))),
                Instr::End => return Ok(pause(state, site, Pause::Ended)),
            }
        }
    }

    #[inline(always)]
    fn get(&self, register: Reg) -> u32 {
        self.registers[register as usize]
    }

    #[inline(always)]
    fn set(&mut self, register: Reg, bits: u32) {
        self.registers[register as usize] = bits;
    }

    fn length(&self, buffer: u32) -> u32 {
        let length = self.buffers.get(buffer as usize).map_or(0, |buffer| buffer.len());
        u32::try_from(length).unwrap_or(u32::MAX)
    }

    fn builtin(&self, state: &State, builtin: Builtin) -> u32 {
        let of = |ids: [u32; 3], axis: u8| ids.get(usize::from(axis)).copied().unwrap_or(0);
        match builtin {
            Builtin::LocalId(axis) => of(state.ids.local, axis),
            Builtin::LocalIndex => state.who.local,
            Builtin::WorkgroupId(axis) => of(state.ids.workgroup, axis),
            Builtin::NumWorkgroups(axis) => of(self.num_workgroups, axis),
            Builtin::GlobalId(axis) => of(state.ids.workgroup, axis)
                .wrapping_mul(of(self.program.workgroup_size, axis))
                .wrapping_add(of(state.ids.local, axis)),
        }
    }

    #[inline(always)]
    fn offset(&self, place: &FlatPlace) -> u32 {
        let (first, count) = place.terms;
        let terms = &self.program.terms[first as usize..][..count as usize];
        terms
            .iter()
            .fold(place.constant, |offset, (index, stride)| offset.wrapping_add(self.get(*index).wrapping_mul(*stride)))
    }

    #[inline(always)]
    fn see(&mut self, state: &State, site: usize, place: &FlatPlace, offset: u32, words: u32, kind: AccessKind) {
        if O::IS_ACTIVE && !matches!(place.memory, Memory::Array(_)) {
            let (who, at, memory) = (state.who, place.at, place.memory);
            self.observer.access(&Access { who, site: site as u32, at, memory, offset, words, kind });
        }
    }
}

fn pause(state: &mut State, pc: usize, pause: Pause) -> Pause {
    // The code is never longer than a u32.
    state.pc = pc as u32;
    pause
}

/// So many words at an offset of a place's memory.
#[inline(always)]
fn memory<'a>(
    program: &Program,
    buffers: &'a mut [&mut [u8]],
    local: &'a mut Local<'_>,
    place: &FlatPlace,
    offset: u32,
    words: usize,
) -> Result<&'a mut [u8], InterpError> {
    let bytes = match place.memory {
        Memory::Buffer(buffer) => buffers.get_mut(buffer as usize).map(|bytes| &mut **bytes),
        Memory::Workgroup => Some(&mut *local.workgroup),
        Memory::Array(array) => {
            let (first, size) = program.arrays[array.0 as usize];
            local.arrays.get_mut(first as usize..).and_then(|bytes| bytes.get_mut(..size as usize))
        }
    };
    let bytes = bytes.and_then(|bytes| bytes.get_mut(offset as usize..)?.get_mut(..words * 4));
    bytes.ok_or(InterpError::Malformed("it leaves its memory"))
}

/// What an atomic operation leaves behind.
fn atomic(op: AtomicOp, old: u32, operand: u32, compare: u32) -> u32 {
    match op {
        AtomicOp::Load => old,
        AtomicOp::Store | AtomicOp::Exchange => operand,
        AtomicOp::Add => old.wrapping_add(operand),
        AtomicOp::Subtract => old.wrapping_sub(operand),
        AtomicOp::MinSigned => old.cast_signed().min(operand.cast_signed()).cast_unsigned(),
        AtomicOp::MaxSigned => old.cast_signed().max(operand.cast_signed()).cast_unsigned(),
        AtomicOp::MinUnsigned => old.min(operand),
        AtomicOp::MaxUnsigned => old.max(operand),
        AtomicOp::And => old & operand,
        AtomicOp::Or => old | operand,
        AtomicOp::Xor => old ^ operand,
        AtomicOp::CompareExchange(_) => {
            if old == compare {
                operand
            } else {
                old
            }
        }
    }
}
