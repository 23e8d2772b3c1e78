//! `a * b + c`, rounded once; sums and products follow from it.

use super::Steps;
use super::parts::{self, Parts};
use super::steps::{INFINITY, SIGN};
use crate::exact::target::Instructions;
use samebit_device::wgsl::lowered::Binary;

/// An exponent so small that whatever is shifted to match another vanishes.
const VANISHING: u32 = (-1000i32).cast_unsigned();

/// A number of 64 bits, lower half first.
#[derive(Clone, Copy)]
struct Wide<V>([V; 2]);

/// By integers.
pub(in super::super) fn integer<I: Instructions>(i: &mut I, a: I::V, b: I::V, c: I::V) -> I::V {
    let [x, y, z] = [a, b, c].map(|bits| parts::take(i, bits));
    let sign = parts::sign_of_two(i, a, b);
    let sign_c = i.with(Binary::And, c, SIGN);
    let differ = i.xor(sign, sign_c);
    let differ = i.with(Binary::ShiftRightUnsigned, differ, 31);
    let differ = i.with(Binary::Equal, differ, 1);
    let sum = general(i, [x, y, z], [sign, sign_c], differ);

    // What has no general answer, from the least to the most special.
    let no_product = i.either(x.is_zero, y.is_zero);
    let zeros = i.both(no_product, z.is_zero);
    let both_signs = i.and(sign, sign_c);
    let without_product = i.select(zeros, both_signs, c);
    let result = i.select(no_product, without_product, sum);
    let [inf_a, inf_b, inf_c] = [x, y, z].map(|part| i.with(Binary::Equal, part.magnitude, INFINITY));
    let result = i.select(inf_c, c, result);
    let infinite = i.either(inf_a, inf_b);
    let signed = i.with(Binary::Or, sign, INFINITY);
    let result = i.select(infinite, signed, result);
    let [nan_a, nan_b, nan_c] = [x, y, z].map(|part| i.from(INFINITY, Binary::LessUnsigned, part.magnitude));
    let nan = i.either(nan_a, nan_b);
    let nan = i.either(nan, nan_c);
    let zero_times = i.both(infinite, no_product);
    let nan = i.either(nan, zero_times);
    let opposite = i.both(infinite, inf_c);
    let opposite = i.both(opposite, differ);
    let nan = i.either(nan, opposite);
    parts::nan_if(i, nan, result)
}

/// For finite operands whose product is not zero.
fn general<I: Instructions>(i: &mut I, [x, y, z]: [Parts<I::V>; 3], signs: [I::V; 2], differ: I::V) -> I::V {
    let [sign, sign_c] = signs;
    // The product, 47 or 48 bits, starts at bit 60 or 61 and the summand at bit 61, so that their sum fits.
    let low = i.mul(x.mantissa, y.mantissa);
    let high = i.mul_high(x.mantissa, y.mantissa);
    let carried = i.with(Binary::ShiftRightUnsigned, low, 18);
    let high = i.with(Binary::ShiftLeft, high, 14);
    let product = Wide([i.with(Binary::ShiftLeft, low, 14), i.or(high, carried)]);
    let zero = i.word(0);
    let summand = Wide([zero, i.with(Binary::ShiftLeft, z.mantissa, 6)]);
    // Exponents of bit 0.
    let at_product = i.add(x.exponent, y.exponent);
    let at_product = i.with(Binary::Subtract, at_product, 314);
    let at_summand = i.with(Binary::Subtract, z.exponent, 188);
    let at_summand = i.choose(z.is_zero, VANISHING, at_summand);

    let ahead = i.sub(at_product, at_summand);
    let behind = i.sub(zero, ahead);
    let summand = shift_right(i, summand, ahead);
    let product = shift_right(i, product, behind);
    let exponent = i.smax(at_product, at_summand);

    let is_less = less(i, product, summand);
    let small = pick(i, is_less, product, summand);
    let large = pick(i, is_less, summand, product);
    let sum = add(i, large, small);
    let difference = subtract(i, large, small);
    let wide = pick(i, differ, difference, sum);
    let sign_of_large = i.select(is_less, sign_c, sign);
    let sign = i.select(differ, sign_of_large, sign);

    let Wide([low, high]) = wide;
    let any = i.or(low, high);
    let is_zero = i.is_zero(any);
    // The first bit goes to the top.
    let is_low = i.is_zero(high);
    let high_too = i.select(is_low, low, high);
    let low_too = i.select(is_low, zero, low);
    let leading = i.clz(high_too);
    let leading = i.with(Binary::And, leading, 31);
    let head = i.shl(high_too, leading);
    let left = i.from(31, Binary::Subtract, leading);
    let half = i.with(Binary::ShiftRightUnsigned, low_too, 1);
    let carried = i.shr(half, left);
    let head = i.or(head, carried);
    let rest = i.shl(low_too, leading);
    let rest = i.some(rest);
    let head = i.or(head, rest);
    let bits_below = i.pick(is_low, 127 + 31, 127 + 63);
    let exponent = i.add(exponent, bits_below);
    let exponent = i.sub(exponent, leading);
    let packed = parts::pack(i, sign, exponent, head);
    // What cancels is +0.
    i.choose(is_zero, 0, packed)
}

/// Shifts right by a signed number, not at all if it is negative. The last bit stands for all that are lost.
fn shift_right<I: Instructions>(i: &mut I, Wide([low, high]): Wide<I::V>, by: I::V) -> Wide<I::V> {
    let by = i.with(Binary::MaxSigned, by, 0);
    let by = i.with(Binary::MinUnsigned, by, 63);
    let is_far = i.from(31, Binary::LessUnsigned, by);
    let zero = i.word(0);
    let lost = i.select(is_far, low, zero);
    let low = i.select(is_far, high, low);
    let high = i.select(is_far, zero, high);
    let by = i.with(Binary::And, by, 31);
    let moved = i.shr(low, by);
    let back = i.shl(moved, by);
    let also_lost = i.xor(back, low);
    let lost = i.or(lost, also_lost);
    let lost = i.some(lost);
    let left = i.from(31, Binary::Subtract, by);
    let doubled = i.with(Binary::ShiftLeft, high, 1);
    let carried = i.shl(doubled, left);
    let low = i.or(moved, carried);
    let low = i.or(low, lost);
    Wide([low, i.shr(high, by)])
}

fn less<I: Instructions>(i: &mut I, Wide(a): Wide<I::V>, Wide(b): Wide<I::V>) -> I::V {
    let high = i.uless(a[1], b[1]);
    let low = i.uless(a[0], b[0]);
    let same = i.equal(a[1], b[1]);
    let low = i.both(same, low);
    i.either(high, low)
}

fn pick<I: Instructions>(i: &mut I, condition: I::V, Wide(a): Wide<I::V>, Wide(b): Wide<I::V>) -> Wide<I::V> {
    Wide([i.select(condition, a[0], b[0]), i.select(condition, a[1], b[1])])
}

fn add<I: Instructions>(i: &mut I, Wide(a): Wide<I::V>, Wide(b): Wide<I::V>) -> Wide<I::V> {
    let low = i.add(a[0], b[0]);
    let carry = i.uless(low, a[0]);
    let carry = i.int(carry);
    let high = i.add(a[1], b[1]);
    Wide([low, i.add(high, carry)])
}

fn subtract<I: Instructions>(i: &mut I, Wide(a): Wide<I::V>, Wide(b): Wide<I::V>) -> Wide<I::V> {
    let borrow = i.uless(a[0], b[0]);
    let borrow = i.int(borrow);
    let high = i.sub(a[1], b[1]);
    Wide([i.sub(a[0], b[0]), i.sub(high, borrow)])
}

/// By binary64: the product is exact there, and the sum is rounded to odd, so that rounding it again to binary32 is as good
/// as rounding once (Boldo and Melquiond, *Emulation of FMA and correctly rounded sums*, 2008).
pub(in super::super) fn double<I: Instructions>(i: &mut I, a: I::V, b: I::V, c: I::V) -> I::V {
    use Binary::{FloatAdd, FloatMultiply, FloatSubtract};
    let [a, b, c] = [a, b, c].map(|float| i.widen(float));
    let product = i.double(FloatMultiply, a, b);
    let sum = i.double(FloatAdd, product, c);
    // Knuth's error of the sum, which is exact.
    let part = i.double(FloatSubtract, sum, product);
    let other = i.double(FloatSubtract, sum, part);
    let of_c = i.double(FloatSubtract, c, part);
    let of_product = i.double(FloatSubtract, product, other);
    let error = i.double(FloatAdd, of_product, of_c);
    let [error_low, error_high] = i.split(error);
    let [low, high] = i.split(sum);
    // An even sum that is not exact moves to its odd neighbor on the side of the error. A NaN as error stands for an
    // infinite sum, or for NaN.
    let error_magnitude = i.magnitude(error_high);
    let error_bits = i.or(error_magnitude, error_low);
    let is_exact = i.is_zero(error_bits);
    let is_number = i.with(Binary::LessUnsigned, error_magnitude, 0x7ff0_0000);
    let odd = i.with(Binary::And, low, 1);
    let even = i.is_zero(odd);
    let is_inexact = i.not(is_exact);
    let moves = i.both(is_inexact, is_number);
    let moves = i.both(moves, even);
    let side = i.xor(error_high, high);
    let is_inward = i.with(Binary::LessSigned, side, 0);
    let inward = i.both(moves, is_inward);
    // An even lower half has room for one more; one less borrows where it is zero.
    let is_empty = i.is_zero(low);
    let borrows = i.both(inward, is_empty);
    let borrow = i.int(borrows);
    let step = i.pick(is_inward, u32::MAX, 1);
    let step = {
        let zero = i.word(0);
        i.select(moves, step, zero)
    };
    let low = i.add(low, step);
    let high = i.sub(high, borrow);
    let odd = i.join([low, high]);
    i.narrow(odd)
}
