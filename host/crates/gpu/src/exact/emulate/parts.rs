//! Taking floats apart, and putting them together with one rounding.

use super::Steps;
use super::steps::{INFINITY, NAN, SIGN};
use crate::exact::target::Instructions;
use samebit_device::wgsl::lowered::Binary;

/// A float, taken apart.
#[derive(Clone, Copy)]
pub(in super::super) struct Parts<V> {
    /// Its bits without the sign.
    pub(super) magnitude: V,
    /// The biased exponent that it would have if its first bit were where a normal number's is.
    pub(super) exponent: V,
    /// 24 bits, the first of them set, unless the float is zero.
    pub(super) mantissa: V,
    /// Whether it is zero.
    pub(super) is_zero: V,
}

/// Takes a float apart. Of infinities and NaN, only the magnitude means something.
pub(in super::super) fn take<I: Instructions>(i: &mut I, bits: I::V) -> Parts<I::V> {
    let magnitude = i.magnitude(bits);
    let exponent = i.with(Binary::ShiftRightUnsigned, magnitude, 23);
    let fraction = i.with(Binary::And, magnitude, 0x7f_ffff);
    let is_subnormal = i.is_zero(exponent);
    let normal = i.with(Binary::Or, fraction, 0x80_0000);
    // At least eight zeros lead a fraction.
    let zeros = i.clz(fraction);
    let shift = i.with(Binary::Subtract, zeros, 8);
    let masked = i.with(Binary::And, shift, 31);
    let shifted = i.shl(fraction, masked);
    let below = i.from(1, Binary::Subtract, shift);
    Parts {
        magnitude,
        exponent: i.select(is_subnormal, below, exponent),
        mantissa: i.select(is_subnormal, shifted, normal),
        is_zero: i.is_zero(magnitude),
    }
}

/// The float nearest to a number: `head` is its first 32 bits, the first of them set and the last also set if any bit that
/// is not there is; `exponent` is the biased exponent of the first bit, which may be out of range.
pub(super) fn pack<I: Instructions>(i: &mut I, sign: I::V, exponent: I::V, head: I::V) -> I::V {
    let one = i.word(1);
    // How far a subnormal number's bits move to the right; at 31 nothing but the last is left.
    let short = i.sub(one, exponent);
    let short = i.with(Binary::MaxSigned, short, 0);
    let short = i.with(Binary::MinUnsigned, short, 31);
    let moved = i.shr(head, short);
    let back = i.shl(moved, short);
    let lost = i.xor(back, head);
    let lost = i.some(lost);
    let head = i.or(moved, lost);
    let round = i.with(Binary::And, head, 0xff);
    let mantissa = i.with(Binary::ShiftRightUnsigned, head, 8);
    // Up if more than half, or half and odd: 0x80 more, less one if even, carries into bit 8.
    let odd = i.with(Binary::And, mantissa, 1);
    let round = i.add(round, odd);
    let round = i.with(Binary::Add, round, 0x7f);
    let up = i.with(Binary::ShiftRightUnsigned, round, 8);
    let mantissa = i.add(mantissa, up);
    // The mantissa's first bit adds one to the exponent.
    let exponent = i.smax(exponent, one);
    let is_over = i.from(254, Binary::LessSigned, exponent);
    let before = i.sub(exponent, one);
    let exponent = i.with(Binary::ShiftLeft, before, 23);
    let bits = i.add(exponent, mantissa);
    let bits = i.choose(is_over, INFINITY, bits);
    i.or(bits, sign)
}

/// The sign bit of a product or quotient.
pub(super) fn sign_of_two<I: Instructions>(i: &mut I, a: I::V, b: I::V) -> I::V {
    let sign = i.xor(a, b);
    i.with(Binary::And, sign, SIGN)
}

/// NaN if the condition holds.
pub(super) fn nan_if<I: Instructions>(i: &mut I, condition: I::V, otherwise: I::V) -> I::V {
    i.choose(condition, NAN, otherwise)
}
