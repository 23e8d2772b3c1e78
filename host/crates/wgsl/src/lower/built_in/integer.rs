//! Functions of integers, component by component.

use super::super::function::Lowerer;
use crate::lowered::{Binary, Unary, Value};
use naga::MathFunction;

impl Lowerer<'_> {
    /// A function of integers. There are as many arguments as validation saw to.
    pub(super) fn int_function(&mut self, function: MathFunction, is_signed: bool, args: &[Value]) -> Value {
        let (min, max) =
            if is_signed { (Binary::MinSigned, Binary::MaxSigned) } else { (Binary::MinUnsigned, Binary::MaxUnsigned) };
        let builder = &mut self.builder;
        match (function, args) {
            (MathFunction::Abs, &[x, ..]) if is_signed => {
                let zero = builder.int(0);
                let minus = builder.binary(Binary::Subtract, zero, x);
                builder.binary(Binary::MaxSigned, x, minus)
            }
            (MathFunction::Min, &[x, y, ..]) => builder.binary(min, x, y),
            (MathFunction::Max, &[x, y, ..]) => builder.binary(max, x, y),
            (MathFunction::Clamp, &[x, low, high, ..]) => {
                let raised = builder.binary(max, x, low);
                builder.binary(min, raised, high)
            }
            (MathFunction::Sign, &[x, ..]) => {
                let (one, minus_one) = (builder.int(1), builder.int(u32::MAX));
                let lowered = builder.binary(Binary::MinSigned, x, one);
                builder.binary(Binary::MaxSigned, lowered, minus_one)
            }
            (MathFunction::CountTrailingZeros, &[x, ..]) => builder.unary(Unary::TrailingZeros, x),
            (MathFunction::CountLeadingZeros, &[x, ..]) => builder.unary(Unary::LeadingZeros, x),
            (MathFunction::CountOneBits, &[x, ..]) => builder.unary(Unary::CountOnes, x),
            (MathFunction::ReverseBits, &[x, ..]) => builder.unary(Unary::ReverseBits, x),
            (MathFunction::FirstTrailingBit, &[x, ..]) => {
                let (zero, none) = (builder.int(0), builder.int(u32::MAX));
                let is_zero = builder.binary(Binary::Equal, x, zero);
                let zeros = builder.unary(Unary::TrailingZeros, x);
                builder.select(is_zero, none, zeros)
            }
            (MathFunction::FirstLeadingBit, &[x, ..]) => {
                let last = builder.int(31);
                let x = if is_signed {
                    let signs = builder.binary(Binary::ShiftRightSigned, x, last);
                    builder.binary(Binary::Xor, x, signs)
                } else {
                    x
                };
                // 32 zeros give -1, as they should.
                let zeros = builder.unary(Unary::LeadingZeros, x);
                builder.binary(Binary::Subtract, last, zeros)
            }
            (MathFunction::ExtractBits, &[x, offset, count, ..]) => self.extract_bits(is_signed, x, offset, count),
            (MathFunction::InsertBits, &[x, new, offset, count, ..]) => self.insert_bits(x, new, offset, count),
            // `abs` of what has no sign. Nothing else is valid for integers.
            (_, &[x, ..]) => x,
            (_, []) => builder.int(0),
        }
    }

    /// Where bits are, kept inside the word: the offset, how many, how many are not, and whether there are none.
    fn bit_field(&mut self, offset: Value, count: Value) -> (Value, Value, Value, Value) {
        let builder = &mut self.builder;
        let (zero, width) = (builder.int(0), builder.int(32));
        let offset = builder.binary(Binary::MinUnsigned, offset, width);
        let left = builder.binary(Binary::Subtract, width, offset);
        let count = builder.binary(Binary::MinUnsigned, count, left);
        let others = builder.binary(Binary::Subtract, width, count);
        let is_empty = builder.binary(Binary::Equal, count, zero);
        (offset, count, others, is_empty)
    }

    fn extract_bits(&mut self, is_signed: bool, x: Value, offset: Value, count: Value) -> Value {
        let (offset, _, others, is_empty) = self.bit_field(offset, count);
        let builder = &mut self.builder;
        let above = builder.binary(Binary::Subtract, others, offset);
        let at_top = builder.binary(Binary::ShiftLeft, x, above);
        let shift = if is_signed { Binary::ShiftRightSigned } else { Binary::ShiftRightUnsigned };
        let bits = builder.binary(shift, at_top, others);
        let zero = builder.int(0);
        builder.select(is_empty, zero, bits)
    }

    fn insert_bits(&mut self, x: Value, new: Value, offset: Value, count: Value) -> Value {
        let (offset, _, others, is_empty) = self.bit_field(offset, count);
        let builder = &mut self.builder;
        let ones = builder.int(u32::MAX);
        let low = builder.binary(Binary::ShiftRightUnsigned, ones, others);
        let mask = builder.binary(Binary::ShiftLeft, low, offset);
        let shifted = builder.binary(Binary::ShiftLeft, new, offset);
        let inside = builder.binary(Binary::And, shifted, mask);
        let not_mask = builder.binary(Binary::Xor, mask, ones);
        let outside = builder.binary(Binary::And, x, not_mask);
        let both = builder.binary(Binary::Or, outside, inside);
        builder.select(is_empty, x, both)
    }
}
