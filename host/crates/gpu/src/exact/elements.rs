//! How wide the elements are that a memory is accessed by.
//!
//! The lowered form knows words only. A GPU reads two or four of them at once if they are an element of an array of vectors,
//! so a memory is such an array where something reads it that way and nothing needs it otherwise: every stride is a
//! multiple of the element, so that it is known beforehand which word of an element is meant.

use samebit_device::wgsl::lowered::{Binary, Block, Lowered, Memory, Op, Place, Stmt, Value};
use std::collections::BTreeMap;

/// How many words an element of each memory has: 1, 2 or 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Elements {
    buffers: Vec<u32>,
    workgroup: u32,
    /// Which memories have atomic operations.
    atomic: Vec<bool>,
    workgroup_is_atomic: bool,
    /// Whether an invocation may read from a buffer what another has written.
    pub(super) exchanges: bool,
}

/// What is known of a memory's accesses.
#[derive(Default, Clone)]
struct Seen {
    /// The greatest common divisor of the strides of all terms, in bytes; 0 without terms.
    stride: u32,
    /// How many words are accessed at once, and at which constant offsets.
    accesses: Vec<(u32, u32)>,
    loads: bool,
    stores: bool,
    atomics: bool,
}

impl Elements {
    /// Looks at all accesses of a kernel.
    pub(super) fn new(kernel: &Lowered) -> Self {
        let mut survey =
            Survey { buffers: vec![Seen::default(); kernel.interface.bindings.len()], ..Survey::default() };
        survey.block(&kernel.body);
        let lengths = coarsest_lengths(kernel, &survey);
        let buffers = survey.buffers.iter().zip(&kernel.interface.bindings).zip(lengths);
        Self {
            buffers: buffers.map(|((seen, decl), length)| width(seen, decl.size_min_bytes, length)).collect(),
            workgroup: width(&survey.workgroup, u64::from(kernel.workgroup_bytes), u32::MAX),
            atomic: survey.buffers.iter().map(|seen| seen.atomics).collect(),
            workgroup_is_atomic: survey.workgroup.atomics,
            exchanges: survey.buffers.iter().any(|seen| seen.atomics || seen.loads && seen.stores),
        }
    }

    /// How many words an element has.
    pub(super) fn width(&self, memory: Memory) -> u32 {
        match memory {
            Memory::Buffer(buffer) => self.buffers.get(buffer as usize).copied().unwrap_or(1),
            Memory::Workgroup => self.workgroup,
            Memory::Array(_) => 1,
        }
    }

    /// Whether there are atomic operations on it.
    pub(super) fn is_atomic(&self, memory: Memory) -> bool {
        match memory {
            Memory::Buffer(buffer) => self.atomic.get(buffer as usize).copied().unwrap_or(false),
            Memory::Workgroup => self.workgroup_is_atomic,
            Memory::Array(_) => false,
        }
    }
}

/// The widest element that serves. `length` is what the bytes bound may be rounded down to unnoticed.
fn width(seen: &Seen, size_bytes: u64, length: u32) -> u32 {
    let serves = |words: u32| {
        let bytes = 4 * words;
        // Three words are read as four if the fourth is surely there.
        let is_whole = |count: u32| count == words || count == 3 && words == 4 && size_bytes.is_multiple_of(16);
        !seen.atomics
            && seen.stride.is_multiple_of(bytes)
            && length.is_multiple_of(bytes)
            && seen.accesses.iter().any(|(constant, count)| constant.is_multiple_of(bytes) && is_whole(*count))
    };
    [4, 2].into_iter().find(|words| serves(*words)).unwrap_or(1)
}

#[derive(Default)]
struct Survey {
    buffers: Vec<Seen>,
    workgroup: Seen,
    /// Values that are used outside of the preamble.
    used: BTreeMap<Value, ()>,
}

impl Survey {
    fn seen(&mut self, place: &Place) -> Option<&mut Seen> {
        for term in &place.terms {
            self.used.insert(term.index, ());
        }
        let seen = match place.memory {
            Memory::Buffer(buffer) => self.buffers.get_mut(buffer as usize)?,
            Memory::Workgroup => &mut self.workgroup,
            Memory::Array(_) => return None,
        };
        seen.stride = place.terms.iter().fold(seen.stride, |all, term| gcd(all, term.stride));
        Some(seen)
    }

    fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Let(_, op) => op.operands(|value| {
                self.used.insert(value, ());
            }),
            Stmt::Set(_, value) => drop(self.used.insert(*value, ())),
            Stmt::Load { count, place, .. } => {
                if let Some(seen) = self.seen(place) {
                    seen.loads = true;
                    seen.accesses.push((place.constant, u32::from(*count)));
                }
            }
            Stmt::Store { place, values } => {
                for value in values {
                    self.used.insert(*value, ());
                }
                if let Some(seen) = self.seen(place) {
                    seen.stores = true;
                    seen.accesses.push((place.constant, values.len() as u32));
                }
            }
            Stmt::Atomic { place, operand, .. } => {
                self.used.extend(operand.map(|operand| (operand, ())));
                if let Some(seen) = self.seen(place) {
                    seen.atomics = true;
                }
            }
            Stmt::If { condition, accept, reject } => {
                self.used.insert(*condition, ());
                self.block(accept);
                self.block(reject);
            }
            Stmt::Switch { selector, cases, default, .. } => {
                self.used.insert(*selector, ());
                cases.iter().for_each(|case| self.block(&case.body));
                self.block(default);
            }
            Stmt::Scope { body, .. } => self.block(body),
            Stmt::Loop { body, continuing, break_if, .. } => {
                self.used.extend(break_if.map(|condition| (condition, ())));
                self.block(body);
                self.block(continuing);
            }
            Stmt::Get(..) | Stmt::Leave(_) | Stmt::Continue(_) | Stmt::Barrier(_) => {}
        }
    }
}

/// For each buffer, what its length may be rounded down to a multiple of without anything coming out otherwise: the length
/// goes into divisions by such multiples alone, after the subtraction of such multiples.
fn coarsest_lengths(kernel: &Lowered, survey: &Survey) -> Vec<u32> {
    let mut coarsest = vec![0; kernel.interface.bindings.len()];
    let mut constants = BTreeMap::new();
    let mut lengths: BTreeMap<Value, usize> = BTreeMap::new();
    for (value, op) in &kernel.preamble {
        match op {
            Op::Constant(bits) => drop(constants.insert(*value, *bits)),
            Op::Length(buffer) => drop(lengths.insert(*value, *buffer as usize)),
            _ => {}
        }
        let mut limit = |buffer: usize, to: u32| {
            if let Some(slot) = coarsest.get_mut(buffer) {
                *slot = gcd(*slot, to);
            }
        };
        if let Op::Binary(op, a, b) = op
            && let (Some(buffer), Some(constant)) = (lengths.get(a).copied(), constants.get(b).copied())
            && !lengths.contains_key(b)
        {
            match op {
                Binary::DivideUnsigned => limit(buffer, constant),
                Binary::ShiftRightUnsigned if constant < 32 => limit(buffer, 1 << constant),
                Binary::Subtract => {
                    limit(buffer, constant);
                    lengths.insert(*value, buffer);
                }
                _ => limit(buffer, 1),
            }
        } else {
            op.operands(|operand| {
                if let Some(buffer) = lengths.get(&operand) {
                    limit(*buffer, 1);
                }
            });
        }
    }
    for (_, buffer) in lengths.iter().filter(|(value, _)| survey.used.contains_key(value)) {
        if let Some(slot) = coarsest.get_mut(*buffer) {
            *slot = 1;
        }
    }
    coarsest
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
