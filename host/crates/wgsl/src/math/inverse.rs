//! `asin`, `acos`, `atan` and `atan2`.

use super::steps::{INFINITY, ONE, SIGN, Steps};
use crate::lowered::{Ops, Unary};

/// Bits of π/2 as a sum of two floats.
const HALF_PI: (u32, u32) = (0x3fc9_0fdb, 0xb33b_bd2e);
/// Bits of π as a sum of two floats.
const PI: (u32, u32) = (0x4049_0fdb, 0xb3bb_bd2e);

/// (asin t - t) / t³, in t², for |t| ≤ 0.5.
const ASIN: [u32; 6] = [0x3e2a_aaa6, 0x3d99_9c4f, 0x3d36_555b, 0x3d02_579a, 0x3c6b_c926, 0x3d19_ea19];
/// atan(t) / t - 1, in t² - 1, for 0 ≤ t ≤ 1. Around 1, since it is there that it weighs most.
const ATAN: [u32; 11] = [
    0xbe5b_c095,
    0xbe12_1fb5,
    0x3d36_5f82,
    0xbc85_365c,
    0x3bd5_a22f,
    0xbb0a_eaa1,
    0x3b3c_ff69,
    0x3b41_aae1,
    0x3b8d_0b4a,
    0x3b2c_328e,
    0x3a64_9635,
];

/// The arc sine; NaN outside of [-1, 1].
pub(super) fn asin<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let (far, z, root, root_low) = half_angle(o, x, a);
    let twice = o.f(-2.0);
    let t = o.mul(root, twice);
    let t = o.select(far, t, a);
    let zero = o.bits(0);
    let base = o.bits(HALF_PI.0);
    let base = o.select(far, base, zero);
    let low = o.bits(HALF_PI.1);
    let low = o.sub(low, root_low);
    let low = o.select(far, low, zero);
    let p = o.horner(z, &ASIN);
    let y = around(o, base, low, t, z, p);
    o.flip(y, sign)
}

/// The arc cosine; NaN outside of [-1, 1].
pub(super) fn acos<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let (far, z, root, root_low) = half_angle(o, x, a);
    let t = o.add(root, root);
    let t = o.flip(t, sign);
    let minus_x = o.neg(x);
    let t = o.select(far, t, minus_x);
    let zero = o.bits(0);
    let negative = o.less(x, zero);
    let base = constant(o, negative, PI.0, 0);
    let half = o.bits(HALF_PI.0);
    let base = o.select(far, base, half);
    let low = constant(o, negative, PI.1, 0);
    let root_low = o.flip(root_low, sign);
    let low = o.add(low, root_low);
    let half = o.bits(HALF_PI.1);
    let low = o.select(far, low, half);
    let p = o.horner(z, &ASIN);
    around(o, base, low, t, z, p)
}

/// Whether |x| > 1/2; the square of the polynomial's argument; and for that case the argument itself, which is the sine
/// of half the angle, and twice what its rounding lost.
fn half_angle<O: Ops>(o: &mut O, x: O::V, a: O::V) -> (O::V, O::V, O::V, O::V) {
    let half = o.f(0.5);
    let minus_half = o.f(-0.5);
    let far = o.less(half, a);
    let square = o.mul(x, x);
    let z = o.fma(a, minus_half, half);
    let root = o.unary(Unary::Sqrt, z);
    let minus_root = o.neg(root);
    let lost = o.fma(minus_root, root, z);
    // Changes nothing but zero.
    let tiny = o.bits(ONE - (60 << 23));
    let divisor = o.add(root, tiny);
    let root_low = o.div(lost, divisor);
    let z = o.select(far, z, square);
    (far, z, root, root_low)
}

/// The arc tangent.
pub(super) fn atan<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let one = o.bits(ONE);
    let minus_one = o.bits(ONE | SIGN);
    let a = o.at_most(a, 1e18);
    let far = o.less(one, a);
    let inverse = o.div(minus_one, a);
    let t = o.select(far, inverse, a);
    let base = constant(o, far, HALF_PI.0, 0);
    // What the quotient's rounding lost counts by 1 / (1 + t²), which is 0.6 well enough where it matters.
    let lost = o.fma(inverse, a, one);
    let weight = o.f(0.6);
    let weight = o.mul(inverse, weight);
    let low = o.bits(HALF_PI.1);
    let low = o.fma(lost, weight, low);
    let zero = o.bits(0);
    let low = o.select(far, low, zero);
    let y = turn(o, base, low, t);
    o.flip(y, sign)
}

/// The angle of the point (x, y), with the signs of C's `atan2`.
pub(super) fn atan2<O: Ops>(o: &mut O, y: O::V, x: O::V) -> O::V {
    let (a, b) = (o.abs(y), o.abs(x));
    let sign = o.sign_of(y);
    let x_sign = o.sign_of(x);
    let zero = o.bits(0);
    let steep = o.less(b, a);
    let numerator = o.select(steep, b, a);
    let denominator = o.select(steep, a, b);
    let t = o.div(numerator, denominator);
    // 0 / 0 and ∞ / ∞.
    let none = o.equal(denominator, zero);
    let t = o.select(none, zero, t);
    let infinity = o.bits(INFINITY);
    let infinite = o.equal(numerator, infinity);
    let one = o.bits(ONE);
    let t = o.select(infinite, one, t);
    let left = o.bits(0);
    let left = o.iequal(x_sign, left);
    let left = o.unary(Unary::Not, left);
    let base = constant(o, left, PI.0, 0);
    let low = constant(o, left, PI.1, 0);
    let half = o.bits(HALF_PI.0);
    let base = o.select(steep, half, base);
    let half = o.bits(HALF_PI.1);
    let low = o.select(steep, half, low);
    let turned = constant(o, steep, SIGN, 0);
    let turned = o.xor(turned, x_sign);
    let t = o.flip(t, turned);
    let angle = turn(o, base, low, t);
    // Comparisons with NaN are false, so one may have been lost.
    let sum = o.add(x, y);
    let x_number = o.equal(x, x);
    let y_number = o.equal(y, y);
    let numbers = o.both(x_number, y_number);
    let angle = o.select(numbers, angle, sum);
    o.flip(angle, sign)
}

/// One of two constants.
fn constant<O: Ops>(o: &mut O, condition: O::V, accept: u32, reject: u32) -> O::V {
    let accept = o.bits(accept);
    let reject = o.bits(reject);
    o.select(condition, accept, reject)
}

/// `base` + `low` + atan(t), where `base` is 0 or greater than |t|.
fn turn<O: Ops>(o: &mut O, base: O::V, low: O::V, t: O::V) -> O::V {
    let sum = o.add(base, t);
    let back = o.sub(sum, base);
    let lost = o.sub(t, back);
    let rest = o.add(low, lost);
    let minus_one = o.bits(ONE | SIGN);
    let u = o.fma(t, t, minus_one);
    let p = o.horner(u, &ATAN);
    let rest = o.fma(t, p, rest);
    o.add(sum, rest)
}

/// `base` + `low` + t + t z p, where `base` is 0 or greater than |t|.
fn around<O: Ops>(o: &mut O, base: O::V, low: O::V, t: O::V, z: O::V, p: O::V) -> O::V {
    let sum = o.add(base, t);
    let back = o.sub(sum, base);
    let lost = o.sub(t, back);
    let rest = o.add(low, lost);
    let t3 = o.mul(t, z);
    let rest = o.fma(t3, p, rest);
    o.add(sum, rest)
}
