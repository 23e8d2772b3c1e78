//! Rounding to whole numbers, by integers.

use super::Steps;
use super::parts;
use super::steps::{INFINITY, SIGN};
use crate::exact::target::Instructions;
use samebit_device::wgsl::lowered::{Binary, Unary};

/// `floor`, `ceil`, `trunc` or `round`.
pub(in super::super) fn integer<I: Instructions>(i: &mut I, op: Unary, a: I::V) -> I::V {
    let magnitude = i.magnitude(a);
    let sign = i.with(Binary::And, a, SIGN);
    let exponent = i.with(Binary::ShiftRightUnsigned, magnitude, 23);
    // Bits of the fraction behind the point, from 1 ulp of a whole number (exponent 150) to all of it (exponent 127).
    let above = i.with(Binary::Subtract, exponent, 127);
    let above = i.with(Binary::And, above, 31);
    let mask = i.word(0x7f_ffff);
    let mask = i.shr(mask, above);
    let away = amount(i, op, magnitude, sign, mask);
    let sum = i.add(magnitude, away);
    let cleared = i.or(sum, mask);
    let large = i.xor(cleared, mask);
    let small = below_one(i, op, magnitude, sign);
    let is_small = i.with(Binary::LessUnsigned, exponent, 127);
    let is_whole = i.from(149, Binary::LessUnsigned, exponent);
    let rounded = i.select(is_small, small, large);
    let rounded = i.select(is_whole, magnitude, rounded);
    let result = i.or(rounded, sign);
    let nan = i.from(INFINITY, Binary::LessUnsigned, magnitude);
    parts::nan_if(i, nan, result)
}

/// What is added to the magnitude before the bits behind the point are cleared.
fn amount<I: Instructions>(i: &mut I, op: Unary, magnitude: I::V, sign: I::V, mask: I::V) -> I::V {
    let zero = i.word(0);
    match op {
        Unary::Floor | Unary::Ceil => {
            let is_positive = i.is_zero(sign);
            let (accept, reject) = if op == Unary::Ceil { (mask, zero) } else { (zero, mask) };
            i.select(is_positive, accept, reject)
        }
        Unary::RoundEven => {
            // Half of a unit, less one last bit if the whole part is even. The exponent's last bit serves for 1.
            let one = i.with(Binary::Add, mask, 1);
            let unit = i.and(magnitude, one);
            let is_even = i.is_zero(unit);
            let half = i.with(Binary::ShiftRightUnsigned, one, 1);
            let less = i.int(is_even);
            i.sub(half, less)
        }
        _ => zero,
    }
}

/// Of magnitudes below 1.
fn below_one<I: Instructions>(i: &mut I, op: Unary, magnitude: I::V, sign: I::V) -> I::V {
    const ONE: u32 = 0x3f80_0000;
    const HALF: u32 = 0x3f00_0000;
    let is_one = match op {
        Unary::Floor | Unary::Ceil => {
            let is_zero = i.is_zero(magnitude);
            let is_some = i.not(is_zero);
            let is_positive = i.is_zero(sign);
            let is_away = if op == Unary::Ceil { is_positive } else { i.not(is_positive) };
            i.both(is_some, is_away)
        }
        Unary::RoundEven => i.from(HALF, Binary::LessUnsigned, magnitude),
        _ => return i.word(0),
    };
    i.pick(is_one, ONE, 0)
}
