//! `ldexp`, `frexp`, and conversions from and to binary16.

use super::steps::{BIAS, INFINITY, NAN, ONE, SIGN, Steps};
use crate::lowered::Ops;

/// x times 2 to the power of e, rounded once.
pub(super) fn ldexp<O: Ops>(o: &mut O, x: O::V, e: O::V) -> O::V {
    let limit = o.bits(512);
    let e = o.imin(e, limit);
    let limit = o.bits((-512_i32).cast_unsigned());
    let e = o.imax(e, limit);
    let (fraction, exponent, ordinary) = parts(o, x);
    // The fraction is in [1/2, 1), so from 130 on all is infinite, and up to -150 all is zero.
    let sum = o.iadd(exponent, e);
    let limit = o.bits(130);
    let sum = o.imin(sum, limit);
    let limit = o.bits((-152_i32).cast_unsigned());
    let sum = o.imax(sum, limit);
    let sum = o.iadd_c(sum, BIAS);
    let y = o.scale(fraction, sum);
    o.select(ordinary, y, x)
}

/// The fraction of x: x itself for zeros, infinities and NaN.
pub(super) fn frexp_fract<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let (fraction, _, ordinary) = parts(o, x);
    o.select(ordinary, fraction, x)
}

/// The exponent of x: 0 for zeros, infinities and NaN.
pub(super) fn frexp_exp<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let (_, exponent, ordinary) = parts(o, x);
    let zero = o.bits(0);
    o.select(ordinary, exponent, zero)
}

/// x = fraction · 2^exponent with the fraction's size in [1/2, 1), if the third holds: x is finite and not zero.
fn parts<O: Ops>(o: &mut O, x: O::V) -> (O::V, O::V, O::V) {
    let a = o.abs(x);
    let normal = o.f(f32::MIN_POSITIVE);
    let up = o.f(16_777_216.0);
    let subnormal = o.less(a, normal);
    let scaled = o.mul(x, up);
    let scaled = o.select(subnormal, scaled, x);
    let bits = o.to_bits(scaled);
    let down = o.bits((-126_i32 - 24).cast_unsigned());
    let usual = o.bits((-126_i32).cast_unsigned());
    let offset = o.select(subnormal, down, usual);
    let exponent = o.shr(bits, 23);
    let exponent = o.mask(exponent, 0xff);
    let exponent = o.iadd(exponent, offset);
    let fraction = o.mask(bits, 0x807f_ffff);
    let half = o.bits(ONE - 0x0080_0000);
    let fraction = o.or(fraction, half);
    let fraction = o.to_float(fraction);
    let zero = o.bits(0);
    let infinity = o.bits(INFINITY);
    let finite = o.less(a, infinity);
    let positive = o.less(zero, a);
    let ordinary = o.both(finite, positive);
    (fraction, exponent, ordinary)
}

/// The nearest number that a binary16 can be, ties to even; infinite from 65520 on.
pub(super) fn quantize_to_f16<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let bits = round_normal(o, a);
    let rounded = o.to_float(bits);
    // Beyond 65504 a binary16 has infinity. NaN is neither.
    let infinity = o.bits(INFINITY);
    let limit = o.f(65504.0);
    let inside = o.less(rounded, limit);
    let equal = o.equal(rounded, limit);
    let inside = o.binary(crate::lowered::Binary::BoolOr, inside, equal);
    let rounded = o.select(inside, rounded, infinity);
    let tiny = o.f(6.103_515_6e-5);
    let half = o.f(0.5);
    let sum = o.add(a, half);
    let small = o.sub(sum, half);
    let is_small = o.less(a, tiny);
    let y = o.select(is_small, small, rounded);
    let number = o.equal(x, x);
    let nan = o.bits(NAN);
    let y = o.select(number, y, nan);
    o.flip(y, sign)
}

/// The bits of the nearest binary16, ties to even; those of infinity from 65520 on, and 0x7e00 for NaN.
pub(super) fn f16_from_float<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let sign = o.shr(sign, 16);
    // What is beyond rounds to infinity as it rounds to 65536.
    let capped = o.at_most(a, 65536.0);
    let bits = round_normal(o, capped);
    let normal = o.shr(bits, 13);
    let normal = o.iadd_c(normal, 0_u32.wrapping_sub(112 << 10));
    let half = o.f(0.5);
    let sum = o.add(a, half);
    let sum = o.to_bits(sum);
    let small = o.iadd_c(sum, 0_u32.wrapping_sub(ONE - 0x0080_0000));
    let tiny = o.f(6.103_515_6e-5);
    let is_small = o.less(a, tiny);
    let y = o.select(is_small, small, normal);
    let y = o.or(y, sign);
    let number = o.equal(x, x);
    let nan = o.bits(0x7e00);
    o.select(number, y, nan)
}

/// The bits of a float that is not negative, rounded to ten bits behind the point, ties to even.
fn round_normal<O: Ops>(o: &mut O, a: O::V) -> O::V {
    let bits = o.to_bits(a);
    let odd = o.shr(bits, 13);
    let odd = o.mask(odd, 1);
    let bits = o.iadd(bits, odd);
    let bits = o.iadd_c(bits, 0xfff);
    o.mask(bits, 0xffff_e000)
}

/// The float that a binary16 is.
pub(super) fn float_from_f16<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let sign = o.shl(x, 16);
    let sign = o.mask(sign, SIGN);
    let bits = o.mask(x, 0x7fff);
    let shifted = o.shl(bits, 13);
    let small = o.to_float(shifted);
    // 2¹¹², which makes the exponent right, of subnormal numbers as well.
    let up = o.bits(ONE + (112 << 23));
    let y = o.mul(small, up);
    let last = o.bits(0x7bff);
    let special = o.uless(last, bits);
    let infinite = o.bits(0x7c00);
    let is_infinite = o.iequal(bits, infinite);
    let infinity = o.bits(INFINITY);
    let nan = o.bits(NAN);
    let value = o.select(is_infinite, infinity, nan);
    let y = o.select(special, value, y);
    o.flip(y, sign)
}
