//! Which words of a memory a place may be, as far as its form tells.

use super::operands;
use crate::lowered::{Binary, Builtin, Lowered, Memory, Op, Place, Stmt, Unary, Value};

/// The words that a place may be: some of `constant`, `constant + step`, … below `end`, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cells {
    memory: Memory,
    constant: u64,
    end: u64,
    /// What all strides are multiples of; 0 if there are none.
    step: u64,
}

impl Cells {
    /// Whether no word is in both.
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        let step = gcd(self.step, other.step);
        self.memory != other.memory
            || self.end <= other.constant
            || other.end <= self.constant
            || (step > 0 && self.constant % step != other.constant % step)
    }
}

/// The largest that each value of a kernel can be, as an unsigned number.
#[derive(Debug)]
pub(super) struct Bounds(Vec<u32>);

impl Bounds {
    pub(super) fn new(kernel: &Lowered) -> Self {
        let mut bounds = Self(vec![u32::MAX; kernel.values.len()]);
        kernel.preamble.iter().for_each(|(value, op)| bounds.note(kernel, *value, op));
        operands::visit(&kernel.body, &mut |stmt| {
            if let Stmt::Let(value, op) = stmt {
                bounds.note(kernel, *value, op);
            }
        });
        bounds
    }

    fn get(&self, value: Value) -> u32 {
        self.0.get(value.0 as usize).copied().unwrap_or(u32::MAX)
    }

    fn note(&mut self, kernel: &Lowered, value: Value, op: &Op) {
        let size = kernel.interface.workgroup_size;
        let bound = match op {
            Op::Constant(bits) => *bits,
            Op::Builtin(Builtin::LocalId(axis)) => size.get(usize::from(*axis)).copied().unwrap_or(1).saturating_sub(1),
            Op::Builtin(Builtin::LocalIndex) => size.iter().product::<u32>().saturating_sub(1),
            Op::Unary(Unary::IntFromBool, _) => 1,
            Op::Clamp { index: a, last: b, .. } | Op::Binary(Binary::And | Binary::MinUnsigned, a, b) => {
                self.get(*a).min(self.get(*b))
            }
            Op::Binary(Binary::DivideUnsigned | Binary::ShiftRightUnsigned, a, _) => self.get(*a),
            Op::Binary(Binary::Add, a, b) => self.get(*a).saturating_add(self.get(*b)),
            Op::Binary(Binary::Multiply, a, b) => self.get(*a).saturating_mul(self.get(*b)),
            Op::Binary(Binary::Or | Binary::Xor, a, b) => {
                let larger = self.get(*a).max(self.get(*b));
                u32::MAX.checked_shr(larger.leading_zeros()).unwrap_or(0)
            }
            Op::Unary(Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros, _) => 32,
            // The remainder of a division by zero is zero.
            Op::Binary(Binary::RemainderUnsigned, a, b) => self.get(*a).min(self.get(*b).saturating_sub(1)),
            Op::Select { accept, reject, .. } => self.get(*accept).max(self.get(*reject)),
            _ => u32::MAX,
        };
        if let Some(known) = self.0.get_mut(value.0 as usize) {
            *known = bound;
        }
    }

    /// The words that `place` may be.
    pub(super) fn cells(&self, place: &Place) -> Cells {
        let constant = u64::from(place.constant);
        let (mut end, mut step) = (constant + 4, 0);
        for term in &place.terms {
            let stride = u64::from(term.stride);
            end = end.saturating_add(stride.saturating_mul(u64::from(self.get(term.index))));
            step = gcd(step, stride);
        }
        Cells { memory: place.memory, constant, end, step }
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
