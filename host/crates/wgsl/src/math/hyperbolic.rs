//! `sinh`, `cosh` and `tanh`.

use super::exponential::{reduce, reduce_exactly};
use super::steps::{BIAS, ONE, ROUND_EXPONENT, SIGN, Steps};
use crate::lowered::Ops;

/// (exp(r) - 1 - r) / r² for |r| ≤ 0.3478.
const EXP: [u32; 5] = [0x3eff_fffc, 0x3e2a_aa45, 0x3d2a_adbf, 0x3c09_1f4b, 0x3ab4_3985];
/// (sinh t - t) / t³, in t², for |t| ≤ 1.25.
const SINH: [u32; 4] = [0x3e2a_aaaa, 0x3c08_88cd, 0x394f_eb62, 0x363f_61da];
/// (tanh t - t) / t³, in t², for |t| ≤ 0.9.
const TANH: [u32; 7] = [0xbeaa_aaa7, 0x3e08_879c, 0xbd5c_e527, 0x3cb1_78e5, 0xbc07_6bd5, 0x3b29_4eb2, 0xb9ee_ec62];

/// The hyperbolic sine.
pub(super) fn sinh<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let far = half_sum(o, a, SIGN);
    let s = o.mul(a, a);
    let p = o.horner(s, &SINH);
    let a3 = o.mul(a, s);
    let near = o.fma(a3, p, a);
    let limit = o.f(1.25);
    let is_near = o.less(a, limit);
    let y = o.select(is_near, near, far);
    o.flip(y, sign)
}

/// The hyperbolic cosine.
pub(super) fn cosh<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    half_sum(o, a, 0)
}

/// (exp(a) + exp(-a)) / 2 for a that is not negative; the second term may be flipped.
fn half_sum<O: Ops>(o: &mut O, a: O::V, flip: u32) -> O::V {
    let a = o.at_most(a, 90.0);
    let (t, r, r_low) = reduce_exactly(o, a);
    // exp(r) as a sum of two floats.
    let q = o.horner(r, &EXP);
    let r2 = o.mul(r, r);
    let rest = o.fma(r2, q, r);
    let one = o.bits(ONE);
    let high = o.add(one, rest);
    let back = o.sub(high, one);
    let low = o.sub(rest, back);
    let low = o.fma(r_low, high, low);
    // exp(-a) in units of 2ⁿ, too small to matter for large n.
    let n = o.iadd_c(t, 0_u32.wrapping_sub(ROUND_EXPONENT));
    let limit = o.bits(60);
    let few = o.imin(n, limit);
    let twice = o.shl(few, 24);
    let unit = o.bits(ONE | flip);
    let unit = o.isub(unit, twice);
    let unit = o.to_float(unit);
    let other = o.div(unit, high);
    let rest = o.add(low, other);
    let sum = o.add(high, rest);
    let t = o.iadd_c(t, (-1_i32).cast_unsigned());
    o.scale(sum, t)
}

/// The hyperbolic tangent.
pub(super) fn tanh<O: Ops>(o: &mut O, x: O::V) -> O::V {
    let a = o.abs(x);
    let sign = o.sign_of(x);
    let s = o.mul(a, a);
    let p = o.horner(s, &TANH);
    let a3 = o.mul(a, s);
    let near = o.fma(a3, p, a);
    // 1 - 2 / (exp(2 a) + 1), which is 1 from 10 on.
    let capped = o.at_most(a, 10.0);
    let twice = o.add(capped, capped);
    let (n, r) = reduce(o, twice);
    let q = o.horner(r, &EXP);
    let r2 = o.mul(r, r);
    let rest = o.fma(r2, q, r);
    let one = o.bits(ONE);
    let n = o.shl(n, 23);
    let n = o.iadd_c(n, ONE.wrapping_sub(BIAS << 23));
    let unit = o.to_float(n);
    let sum = o.add(unit, one);
    let sum = o.fma(rest, unit, sum);
    let minus_two = o.f(-2.0);
    let part = o.div(minus_two, sum);
    let far = o.add(one, part);
    let limit = o.f(0.9);
    let is_near = o.less(a, limit);
    let y = o.select(is_near, near, far);
    o.flip(y, sign)
}
