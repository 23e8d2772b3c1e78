//! Conversions between floats and integers.

use super::Steps;
use super::parts;
use super::steps::SIGN;
use crate::exact::target::Instructions;
use samebit_device::wgsl::lowered::{Binary, Unary};

/// 2147483520, the largest float below 2³¹.
const SIGNED_MAX: u32 = 0x4eff_ffff;
/// 4294967040, the largest float below 2³².
const UNSIGNED_MAX: u32 = 0x4f7f_ffff;
/// -2147483648.
const SIGNED_MIN: u32 = 0xcf00_0000;

/// The nearest float of a signed integer.
pub(in super::super) fn from_signed<I: Instructions>(i: &mut I, a: I::V) -> I::V {
    let sign = i.with(Binary::And, a, SIGN);
    let mask = i.with(Binary::ShiftRightSigned, a, 31);
    let flipped = i.xor(a, mask);
    let magnitude = i.sub(flipped, mask);
    from_magnitude(i, sign, magnitude)
}

/// The nearest float of an unsigned integer.
pub(in super::super) fn from_unsigned<I: Instructions>(i: &mut I, a: I::V) -> I::V {
    let sign = i.word(0);
    from_magnitude(i, sign, a)
}

fn from_magnitude<I: Instructions>(i: &mut I, sign: I::V, magnitude: I::V) -> I::V {
    let is_zero = i.is_zero(magnitude);
    let zeros = i.clz(magnitude);
    let zeros = i.with(Binary::And, zeros, 31);
    let head = i.shl(magnitude, zeros);
    let exponent = i.from(127 + 31, Binary::Subtract, zeros);
    let packed = parts::pack(i, sign, exponent, head);
    i.choose(is_zero, 0, packed)
}

/// Towards zero, clamped, by integers.
pub(in super::super) fn to_signed<I: Instructions>(i: &mut I, a: I::V) -> I::V {
    let magnitude = i.magnitude(a);
    // As far as 2³¹ - 128, and on the other side 2³¹ itself.
    let is_negative = i.with(Binary::LessSigned, a, 0);
    let limit = i.pick(is_negative, SIGNED_MIN & !SIGN, SIGNED_MAX);
    let clamped = i.umin(magnitude, limit);
    let number = to_magnitude(i, clamped);
    let opposite = i.from(0, Binary::Subtract, number);
    let signed = i.select(is_negative, opposite, number);
    let nan = i.is_nan(a);
    i.choose(nan, 0, signed)
}

/// Towards zero, clamped, by integers.
pub(in super::super) fn to_unsigned<I: Instructions>(i: &mut I, a: I::V) -> I::V {
    // Negative ones are above the limit as integers, and become 0.
    let nan = i.is_nan(a);
    let is_negative = i.with(Binary::LessSigned, a, 0);
    let none = i.either(nan, is_negative);
    let clamped = i.with(Binary::MinUnsigned, a, UNSIGNED_MAX);
    let number = to_magnitude(i, clamped);
    i.choose(none, 0, number)
}

/// The integer part of a positive float below 2³².
fn to_magnitude<I: Instructions>(i: &mut I, magnitude: I::V) -> I::V {
    let exponent = i.with(Binary::ShiftRightUnsigned, magnitude, 23);
    // With the first bit at the top, it goes right by 158 - exponent; 31 leaves the first bit, for [1, 2).
    let fraction = i.with(Binary::ShiftLeft, magnitude, 8);
    let mantissa = i.with(Binary::Or, fraction, SIGN);
    let shift = i.from(127 + 31, Binary::Subtract, exponent);
    let is_below_one = i.from(31, Binary::LessUnsigned, shift);
    let shift = i.with(Binary::And, shift, 31);
    let number = i.shr(mantissa, shift);
    i.choose(is_below_one, 0, number)
}

/// Towards zero, clamped, by the device's own instruction for what is inside.
pub(in super::super) fn native<I: Instructions>(i: &mut I, op: Unary, a: I::V) -> I::V {
    let nan = i.is_nan(a);
    let magnitude = i.magnitude(a);
    let is_negative = i.with(Binary::LessSigned, a, 0);
    let (limit, none) = if op == Unary::SignedFromFloat {
        (i.pick(is_negative, SIGNED_MIN & !SIGN, SIGNED_MAX), nan)
    } else {
        (i.word(UNSIGNED_MAX), i.either(nan, is_negative))
    };
    let clamped = i.umin(magnitude, limit);
    let sign = i.with(Binary::And, a, SIGN);
    let clamped = i.or(clamped, sign);
    // What must not reach the instruction does not.
    let inside = i.choose(none, 0, clamped);
    i.unary(op, inside)
}
