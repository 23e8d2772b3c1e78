//! Quotients.

use super::Steps;
use super::parts::{self, Parts};
use super::steps::INFINITY;
use crate::exact::target::Instructions;
use samebit_device::wgsl::lowered::Binary;

/// By integers, digit by digit of eight bits.
pub(in super::super) fn integer<I: Instructions>(i: &mut I, a: I::V, b: I::V) -> I::V {
    whole(i, a, b, |i, x, y| {
        // A zero is no divisor; what comes out for it is replaced.
        let one = i.word(1);
        let divisor = i.select(y.is_zero, one, y.mantissa);
        let mut rest = x.mantissa;
        let mut quotient = i.word(0);
        for bits in [8, 8, 8, 1] {
            let dividend = i.with(Binary::ShiftLeft, rest, bits);
            let digit = i.udiv(dividend, divisor);
            let product = i.mul(digit, divisor);
            rest = i.sub(dividend, product);
            quotient = i.with(Binary::ShiftLeft, quotient, bits);
            quotient = i.add(quotient, digit);
        }
        [quotient, rest]
    })
}

/// By the device's own division of two numbers in [1, 2), which WGSL wants within 2.5 units in the last place, put right.
pub(in super::super) fn corrected<I: Instructions>(i: &mut I, a: I::V, b: I::V) -> I::V {
    whole(i, a, b, |i, x, y| {
        let [m, n] = [x.mantissa, y.mantissa].map(|mantissa| {
            let fraction = i.with(Binary::And, mantissa, 0x7f_ffff);
            i.with(Binary::Or, fraction, 0x3f80_0000)
        });
        let near = i.binary(Binary::FloatDivide, m, n);
        // times 2²⁵, as an integer. The exponent is 126 or 127, or 128 if it was rounded up to 2.
        let exponent = i.with(Binary::ShiftRightUnsigned, near, 23);
        let shift = i.with(Binary::Subtract, exponent, 125);
        let shift = i.with(Binary::And, shift, 3);
        let mantissa = i.with(Binary::And, near, 0x7f_ffff);
        let mantissa = i.with(Binary::Or, mantissa, 0x80_0000);
        let near = i.shl(mantissa, shift);
        let near = i.with(Binary::MinUnsigned, near, 1 << 26);
        // Sixteen less is too small for sure. What is left over fits in 30 bits, so that wrapping loses nothing.
        let mut quotient = i.with(Binary::Subtract, near, 16);
        let dividend = i.with(Binary::ShiftLeft, x.mantissa, 25);
        let product = i.mul(quotient, y.mantissa);
        let mut rest = i.sub(dividend, product);
        for bits in (0..5).rev() {
            let part = i.with(Binary::ShiftLeft, y.mantissa, bits);
            let more = i.with(Binary::Add, quotient, 1 << bits);
            let less = i.sub(rest, part);
            let is_small = i.uless(rest, part);
            quotient = i.select(is_small, quotient, more);
            rest = i.select(is_small, rest, less);
        }
        [quotient, rest]
    })
}

/// The whole operation, from what gives quotient and rest of mantissas, the first of them times 2²⁵.
fn whole<I: Instructions>(
    i: &mut I,
    a: I::V,
    b: I::V,
    mantissas: impl FnOnce(&mut I, Parts<I::V>, Parts<I::V>) -> [I::V; 2],
) -> I::V {
    let [x, y] = [a, b].map(|bits| parts::take(i, bits));
    let sign = parts::sign_of_two(i, a, b);
    let [quotient, rest] = mantissas(i, x, y);
    let rest = i.some(rest);
    // 25 or 26 bits; the first goes to the top.
    let is_short = i.with(Binary::LessUnsigned, quotient, 1 << 25);
    let shift = i.pick(is_short, 7, 6);
    let head = i.shl(quotient, shift);
    let head = i.or(head, rest);
    let exponent = i.sub(x.exponent, y.exponent);
    let bias = i.pick(is_short, 126, 127);
    let exponent = i.add(exponent, bias);
    let result = parts::pack(i, sign, exponent, head);

    let [inf_a, inf_b] = [x, y].map(|part| i.with(Binary::Equal, part.magnitude, INFINITY));
    let [nan_a, nan_b] = [x, y].map(|part| i.from(INFINITY, Binary::LessUnsigned, part.magnitude));
    let is_zero = i.either(x.is_zero, inf_b);
    let is_infinite = i.either(inf_a, y.is_zero);
    let result = i.select(is_zero, sign, result);
    let infinity = i.with(Binary::Or, sign, INFINITY);
    let result = i.select(is_infinite, infinity, result);
    // 0/0 and ∞/∞ are both at once.
    let nan = i.both(is_zero, is_infinite);
    let nan = i.either(nan, nan_a);
    let nan = i.either(nan, nan_b);
    parts::nan_if(i, nan, result)
}
