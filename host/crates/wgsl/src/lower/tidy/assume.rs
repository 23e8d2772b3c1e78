//! What a condition says about the numbers that it compares.

use super::Tidy;
use crate::lowered::{Binary, Op, Unary, Value};

/// The largest number without a sign.
const POSITIVE: u32 = i32::MAX.cast_unsigned();

/// Most parts of one condition that are looked at: some conditions share parts over and over.
const PARTS: u32 = 64;

impl Tidy<'_> {
    /// In the rest of the current block, `condition` is `holds`.
    pub(super) fn assume(&mut self, condition: Value, holds: bool) {
        let mut open = vec![(condition, holds)];
        for _ in 0..PARTS {
            let Some((condition, holds)) = open.pop() else { return };
            match self.builder.op_of(condition) {
                Some(&Op::Unary(Unary::Not, opposite)) => open.push((opposite, !holds)),
                Some(&Op::Binary(Binary::BoolAnd, a, b)) if holds => open.extend([(a, true), (b, true)]),
                Some(&Op::Binary(Binary::BoolOr, a, b)) if !holds => open.extend([(a, false), (b, false)]),
                Some(&Op::Binary(Binary::LessUnsigned, a, b)) if holds => self.assume_less(a, b),
                Some(&Op::Binary(Binary::LessUnsigned, a, b)) => self.builder.bound_here(b, self.max(a)),
                Some(&Op::Binary(Binary::LessSigned, a, b)) => self.assume_signed(a, b, holds),
                Some(&Op::Binary(Binary::Equal, a, b)) if holds => {
                    let max = self.max(a).min(self.max(b));
                    self.builder.bound_here(a, max);
                    self.builder.bound_here(b, max);
                }
                _ => {}
            }
        }
    }

    fn max(&self, value: Value) -> u32 {
        self.builder.fact(value).max
    }

    /// `a < b`, without signs.
    fn assume_less(&mut self, a: Value, b: Value) {
        self.builder.less_here(a, b);
        self.builder.bound_here(a, self.max(b).saturating_sub(1));
    }

    /// `a < b` or not, with signs.
    fn assume_signed(&mut self, a: Value, b: Value, holds: bool) {
        if holds {
            let is_above = self.max(a) <= POSITIVE;
            if is_above || self.builder.constant_of(a) == Some(u32::MAX) {
                self.builder.bound_here(b, POSITIVE);
            }
            if is_above {
                // Neither is negative, so they compare the same without signs.
                self.builder.less_here(a, b);
                self.builder.bound_here(a, self.max(b).min(POSITIVE).saturating_sub(1));
            }
        } else if self.max(b) <= POSITIVE {
            self.builder.bound_here(a, POSITIVE);
            self.builder.bound_here(b, self.max(a));
        }
    }
}
