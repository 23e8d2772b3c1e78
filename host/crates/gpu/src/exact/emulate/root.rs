//! Square roots.

use super::Steps;
use super::parts::{self, Parts};
use super::steps::INFINITY;
use crate::exact::target::Instructions;
use samebit_device::wgsl::lowered::{Binary, Unary};

/// By integers, one bit at a time.
pub(in super::super) fn integer<I: Instructions>(i: &mut I, a: I::V) -> I::V {
    whole(i, a, |i, part, is_even| {
        // The mantissa times 2²³ or 2²⁴ is 47 or 48 bits, two for each bit of the root: the first 24 of 48, then zeros.
        let even = i.int(is_even);
        let first = i.shl(part.mantissa, even);
        let mut window = i.with(Binary::ShiftLeft, first, 7);
        let mut root = i.word(0);
        let mut rest = i.word(0);
        for _ in 0..24 {
            let next = i.with(Binary::ShiftRightUnsigned, window, 30);
            window = i.with(Binary::ShiftLeft, window, 2);
            [root, rest] = digit(i, root, rest, next);
        }
        [root, rest]
    })
}

/// By the device's own square root of a number in [1, 4), which has to be within three units in the last place, put right.
pub(in super::super) fn corrected<I: Instructions>(i: &mut I, a: I::V) -> I::V {
    whole(i, a, |i, part, is_even| {
        let fraction = i.with(Binary::And, part.mantissa, 0x7f_ffff);
        let exponent = i.pick(is_even, 0x4000_0000, 0x3f80_0000);
        let number = i.or(fraction, exponent);
        let near = i.unary(Unary::Sqrt, number);
        // times 2²³, as an integer. The exponent is 127, or 126 or 128 if it was rounded over the edge.
        let exponent = i.with(Binary::ShiftRightUnsigned, near, 23);
        let shift = i.with(Binary::Subtract, exponent, 126);
        let shift = i.with(Binary::And, shift, 3);
        let mantissa = i.with(Binary::And, near, 0x7f_ffff);
        let mantissa = i.with(Binary::Or, mantissa, 0x80_0000);
        let doubled = i.shl(mantissa, shift);
        let near = i.with(Binary::ShiftRightUnsigned, doubled, 1);
        // Eight less is too small for sure. What is left over fits in 29 bits, so that wrapping loses nothing.
        let mut root = i.with(Binary::Subtract, near, 8);
        let shift = i.pick(is_even, 24, 23);
        let square = i.mul(root, root);
        let radicand = i.shl(part.mantissa, shift);
        let mut rest = i.sub(radicand, square);
        for bits in (0..4).rev() {
            let twice = i.with(Binary::ShiftLeft, root, bits + 1);
            let part = i.with(Binary::Add, twice, 1 << (2 * bits));
            let more = i.with(Binary::Add, root, 1 << bits);
            let less = i.sub(rest, part);
            let is_small = i.uless(rest, part);
            root = i.select(is_small, root, more);
            rest = i.select(is_small, rest, less);
        }
        [root, rest]
    })
}

/// One more bit of a root: `next` are the next two bits of what it is the root of.
fn digit<I: Instructions>(i: &mut I, root: I::V, rest: I::V, next: I::V) -> [I::V; 2] {
    let rest = i.with(Binary::ShiftLeft, rest, 2);
    let rest = i.or(rest, next);
    let part = i.with(Binary::ShiftLeft, root, 2);
    let part = i.with(Binary::Or, part, 1);
    let is_small = i.uless(rest, part);
    let less = i.sub(rest, part);
    let rest = i.select(is_small, rest, less);
    let bit = i.pick(is_small, 0, 1);
    let root = i.with(Binary::ShiftLeft, root, 1);
    [i.or(root, bit), rest]
}

/// The whole operation, from what gives root and rest, 24 bits, of the mantissa times 2²³, or 2²⁴ if the second operand says
/// that the number is a mantissa times an even power of two.
fn whole<I: Instructions>(i: &mut I, a: I::V, mantissa: impl FnOnce(&mut I, Parts<I::V>, I::V) -> [I::V; 2]) -> I::V {
    let part = parts::take(i, a);
    // The number is mantissa · 2^(exponent - 150).
    let odd = i.with(Binary::And, part.exponent, 1);
    let is_even = i.is_zero(odd);
    let [mut root, mut rest] = mantissa(i, part, is_even);
    for _ in 0..2 {
        let zero = i.word(0);
        [root, rest] = digit(i, root, rest, zero);
    }
    let rest = i.some(rest);
    let head = i.with(Binary::ShiftLeft, root, 6);
    let head = i.or(head, rest);
    // Half of what is left of the exponent, which is even by now.
    let less = i.pick(is_even, 128, 127);
    let exponent = i.sub(part.exponent, less);
    let exponent = i.with(Binary::ShiftRightSigned, exponent, 1);
    let exponent = i.with(Binary::Add, exponent, 127);
    let zero = i.word(0);
    let result = parts::pack(i, zero, exponent, head);

    let is_infinite = i.with(Binary::Equal, part.magnitude, INFINITY);
    let keeps = i.either(part.is_zero, is_infinite);
    let result = i.select(keeps, a, result);
    // NaN, and what is below zero.
    let is_positive = i.from(INFINITY, Binary::LessUnsigned, a);
    let is_nonzero = i.not(part.is_zero);
    let nan = i.both(is_positive, is_nonzero);
    parts::nan_if(i, nan, result)
}
