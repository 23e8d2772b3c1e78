//! `pow`.

use super::logarithm::{SQRT_HALF, is_odd, split_normal, split_subnormal};
use super::steps::{INFINITY, NAN, ONE, ROUND_EXPONENT, SIGN, Steps};
use crate::lowered::Ops;

/// Bits of 2 log₂ e, rounded.
const TWO_LOG2_E_HIGH: u32 = 0x4038_aa3b;
/// Bits of what is missing from [`TWO_LOG2_E_HIGH`], rounded.
const TWO_LOG2_E_LOW: u32 = 0x3325_7060;
/// (log₂((1 + s) / (1 - s)) - 2 s log₂ e) / s³, in s², for |s| ≤ 0.1718: first the constant, then the others.
const LOG2_CUBE: u32 = 0x3f76_384f;
/// See [`LOG2_CUBE`].
const LOG2_ODD: [u32; 3] = [0x3f13_bb59, 0x3ed2_f945, 0x3eaa_c951];
/// 2ʳ for |r| ≤ 0.5.
const EXP2: [u32; 7] = [ONE, 0x3f31_7218, 0x3e75_fdec, 0x3d63_57bb, 0x3c1d_9850, 0x3aaf_85c1, 0x391f_d103];

/// x to the power of y, as exp2(y log2(x)) defines it: NaN for x < 0, even if y is an integer. Where both factors have
/// no product, a limit is taken: y = 0 gives 1 for every x that is not NaN, and x = 1 gives 1 for every such y.
pub(super) fn pow<O: Ops>(o: &mut O, x: O::V, y: O::V) -> O::V {
    // An infinite y would make NaN of log2(1). This one is as good: no other x is so near 1.
    let y = o.at_most(y, 1e30);
    let y = o.at_least(y, -1e30);
    let odd = is_odd(o, x);
    let zero = o.bits(0);
    let [m, e] = split_normal(o, x, 0, SQRT_HALF);
    let [m, e, special] = o.rarely(odd, [m, e, zero], |o| rare(o, x, y));
    let (high, low) = log2(o, m, e);
    let high = o.add(high, special);
    let p = o.mul(y, high);
    let minus_p = o.neg(p);
    let rest = o.fma(y, high, minus_p);
    let rest = o.fma(y, low, rest);
    // What overflows, or is far out, has no rest.
    let size = o.abs(p);
    let limit = o.f(256.0);
    let inside = o.less(size, limit);
    let rest = o.select(inside, rest, zero);
    let p = o.at_most(p, 130.0);
    let p = o.at_least(p, -152.0);
    let round = o.bits(ROUND_EXPONENT);
    let t = o.add(p, round);
    let n = o.sub(t, round);
    let r = o.sub(p, n);
    let r = o.add(r, rest);
    let power = o.horner(r, &EXP2);
    let n = o.to_bits(t);
    o.scale(power, n)
}

/// Splits x where it is subnormal; else says what is to be added to the logarithm of 1.
fn rare<O: Ops>(o: &mut O, x: O::V, y: O::V) -> [O::V; 3] {
    let minus_infinity = o.bits(INFINITY | SIGN);
    let nan = o.bits(NAN);
    let infinity = o.bits(INFINITY);
    let zero = o.bits(0);
    let one = o.bits(ONE);
    let [m, e] = split_subnormal(o, x, SQRT_HALF);
    let positive = o.less(zero, x);
    let finite = o.less(x, infinity);
    let subnormal = o.both(positive, finite);
    let is_zero = o.equal(x, zero);
    let special = o.select(is_zero, minus_infinity, nan);
    let special = o.select(positive, infinity, special);
    let special = o.select(subnormal, zero, special);
    // For y = 0 only NaN stays.
    let no_power = o.equal(y, zero);
    let number = o.equal(x, x);
    let no_power = o.both(no_power, number);
    let special = o.select(no_power, zero, special);
    let m = o.select(subnormal, m, one);
    let e = o.select(subnormal, e, zero);
    [m, e, special]
}

/// log₂(m 2ᵉ) as a sum of two floats.
fn log2<O: Ops>(o: &mut O, m: O::V, e: O::V) -> (O::V, O::V) {
    let one = o.bits(ONE);
    let two = o.f(2.0);
    // s = f / (2 + f), as a sum of two floats.
    let f = o.sub(m, one);
    let d = o.add(f, two);
    let back = o.sub(d, two);
    let d_low = o.sub(f, back);
    let inverse = o.div(one, d);
    let s = o.mul(f, inverse);
    let minus_s = o.neg(s);
    let rest = o.fma(minus_s, d, f);
    let rest = o.fma(minus_s, d_low, rest);
    let s_low = o.mul(rest, inverse);
    // Twice the series of atanh(s), times log₂ e.
    let c = o.bits(TWO_LOG2_E_HIGH);
    let c_low = o.bits(TWO_LOG2_E_LOW);
    let p = o.mul(s, c);
    let minus_p = o.neg(p);
    let rest = o.fma(s, c, minus_p);
    let rest = o.fma(s, c_low, rest);
    let s2 = o.mul(s, s);
    let slope = o.fma(c, s2, c);
    let rest = o.fma(s_low, slope, rest);
    let q = o.horner(s2, &LOG2_ODD);
    let s3 = o.mul(s2, s);
    let s5 = o.mul(s3, s2);
    let minus_s2 = o.neg(s2);
    let s2_low = o.fma(s, s, minus_s2);
    let minus_s3 = o.neg(s3);
    let s3_low = o.fma(s2, s, minus_s3);
    let s3_low = o.fma(s2_low, s, s3_low);
    let cube = o.bits(LOG2_CUBE);
    let rest = o.fma(s3_low, cube, rest);
    let rest = o.fma(s5, q, rest);
    let high = o.add(e, p);
    let back = o.sub(high, e);
    let lost = o.sub(p, back);
    let rest = o.add(rest, lost);
    let low = o.fma(s3, cube, rest);
    let sum = o.add(high, low);
    let back = o.sub(sum, high);
    let low = o.sub(low, back);
    (sum, low)
}
